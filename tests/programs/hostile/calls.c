/*
 * Makes every system call number there is, and many that are none, with arguments of no use:
 * `calls syscall`. On x86_64 also by other ways in: `calls int80 N`, `calls sysenter N`. Left out
 * is what ends, stops or copies the program, which is no attack.
 */
#include "programs/hostile/hostile.h"

#define NUMBERS 1024

#if defined(__x86_64__)
/* pause, fork and its like, exit, kill and its like, rt_sigreturn, sigsuspend, waits */
static const short left_out[] = {15, 23, 7, 34, 56, 57, 58, 60, 61, 62, 130, 200, 231, 234, 247,
				 270, 271, 435, 297, 35, 230};

static void other_way(const char *word, uint64_t number)
{
	long result = 0;

	if (is(word, "int80"))
		__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(1) : "memory");
	else
		__asm__ volatile("sysenter" : "=a"(result) : "a"(number), "b"(1) : "memory");
	say("came back\n");
}
#else
static const short left_out[] = {139, 72, 73, 93, 94, 95, 101, 115, 129, 130, 131, 133, 138, 220,
				 240, 260, 435};

static void other_way(const char *word, uint64_t number)
{
	(void)word;
	(void)number;
}
#endif

static int is_left_out(long nr)
{
	for (unsigned i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
		if (left_out[i] == nr)
			return 1;
	}
	return 0;
}

int hostile(const char *word, uint64_t number)
{
	static const long bad[6] = {-7, 0x7fffdeadbee1, -1, 0x5a5a5a5a5a5a, 3, 0x123456789};
	static const long numbers[] = {-1, -4096, 0x7fffffff, 0x80000000, 0xffffffff, 0x40000001,
				       0x4000003b, 0x100000027};
	long pid = call3(NR_GETPID, 0, 0, 0);

	if (!is(word, "syscall")) {
		other_way(word, number);
		return 0;
	}
	for (long nr = 0; nr < NUMBERS; nr++) {
		if (!is_left_out(nr))
			call(nr, bad);
	}
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		call(numbers[i], bad);
	say("made them all\n");
	return call3(NR_GETPID, 0, 0, 0) != pid;
}
