/*
 * What stress tests share: a body that runs on all CPUs at once, and small random numbers that are
 * the same in each run.
 */
#ifndef TESTS_KERNEL_STRESS_H
#define TESTS_KERNEL_STRESS_H

#include "tests/kernel/ktest.h"

#define STRESS_THREADS_PER_CPU 2

/* Runs body(index, arg) in STRESS_THREADS_PER_CPU threads on each CPU, index from 0 without gaps,
 * and waits for all. */
void stress_run(void (*body)(unsigned index, void *arg), void *arg);

/* xorshift64; `state` starts with any number but 0. A number below `below`. */
static inline uint64_t stress_random(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 11) % below;
}

#endif
