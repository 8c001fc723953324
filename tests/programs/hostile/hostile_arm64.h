/*
 * hostile.h for ARM64: the start and the system call.
 */
#ifndef TESTS_PROGRAMS_HOSTILE_ARM64_H
#define TESTS_PROGRAMS_HOSTILE_ARM64_H

#define NR_WRITE 64
#define NR_GETPID 172
#define NR_EXIT_GROUP 94

__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x0, sp\n"
	"	b start\n");

static inline long call(long nr, const long args[6])
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = args[0];
	register long x1 __asm__("x1") = args[1];
	register long x2 __asm__("x2") = args[2];
	register long x3 __asm__("x3") = args[3];
	register long x4 __asm__("x4") = args[4];
	register long x5 __asm__("x5") = args[5];

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#endif
