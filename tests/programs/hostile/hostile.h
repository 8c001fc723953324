/*
 * What hostile programs need of a libc: a start, system calls, a word on standard output. They are
 * linked without one, so that each instruction that runs is theirs.
 *
 * Never run them on Linux itself: they make system calls with arguments of chance.
 */
#ifndef TESTS_PROGRAMS_HOSTILE_H
#define TESTS_PROGRAMS_HOSTILE_H

#include <stdint.h>

#if defined(__x86_64__)
#include "programs/hostile/hostile_x86_64.h"
#else
#include "programs/hostile/hostile_arm64.h"
#endif

/* The program. Its result is the exit status. `word` and `number`: the first two arguments. */
int hostile(const char *word, uint64_t number);

static inline long call3(long nr, long a, long b, long c)
{
	const long args[6] = {a, b, c};

	return call(nr, args);
}

static inline int is(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static inline void say(const char *text)
{
	long bytes = 0;

	while (text[bytes])
		bytes++;
	call3(NR_WRITE, 1, (long)text, bytes);
}

static inline void say_number(uint64_t value)
{
	char text[20] = "0x";

	for (unsigned i = 0; i < 16; i++)
		text[2 + i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
	text[18] = '\n';
	text[19] = 0;
	say(text);
}

static inline uint64_t to_number(const char *text)
{
	uint64_t value = 0;
	unsigned base = 10;

	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	for (; *text; text++)
		value = value * base + (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	return value;
}

/* Called by the first instructions with the stack as the kernel made it. */
__attribute__((used, noreturn)) static void start(long *stack)
{
	char **argv = (char **)(stack + 1);
	const char *word = stack[0] > 1 ? argv[1] : "";
	int status = hostile(word, stack[0] > 2 ? to_number(argv[2]) : 0);

	for (;;)
		call3(NR_EXIT_GROUP, status, 0, 0);
}

#endif
