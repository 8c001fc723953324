/*
 * Jumps to a byte of the stub's page with a system call's registers set: `jump NUMBER OFFSET`,
 * NUMBER being the call (9 mmap, 10 mprotect, 1 write, 62 kill, 101 ptrace, 202 futex, ...). The
 * conformance test of the HAL (tests/hal/test_hostile.c) jumps to all bytes in one run.
 */
#include "programs/hostile/hostile.h"

#define STUB 0x7fffe0000000ull /* src/hal/host/stub.h */
#define AREA 0x7fffe0200000ull

int hostile(const char *word, uint64_t number)
{
	register uint64_t r10 __asm__("r10") = 0x32; /* MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED */
	register uint64_t r8 __asm__("r8") = 3;
	register uint64_t r9 __asm__("r9") = 0;

	__asm__ volatile("jmp *%%rcx"
			 :
			 : "a"(to_number(word)), "D"(0x10000000), "S"(0x10000), "d"(7), "r"(r10),
			   "r"(r8), "r"(r9), "c"(STUB + number), "b"(AREA)
			 : "memory");
	return 0;
}
