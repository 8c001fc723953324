/*
 * hostile.h for x86_64: the start and the system call.
 */
#ifndef TESTS_PROGRAMS_HOSTILE_X86_64_H
#define TESTS_PROGRAMS_HOSTILE_X86_64_H

#define NR_WRITE 1
#define NR_GETPID 39
#define NR_EXIT_GROUP 231

__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start\n");

static inline long call(long nr, const long args[6])
{
	register long r10 __asm__("r10") = args[3];
	register long r8 __asm__("r8") = args[4];
	register long r9 __asm__("r9") = args[5];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#endif
