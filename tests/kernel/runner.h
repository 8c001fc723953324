/*
 * The runners of tests and benches in the booted kernel.
 */
#ifndef TESTS_KERNEL_RUNNER_H
#define TESTS_KERNEL_RUNNER_H

#include "tests/kernel/ktest.h"

struct ktest_counts {
	unsigned passed, failed, skipped;
};

/* Ends the kernel in the way of that name (crash.c); comes back, with a count of failures, only if
 * that did not work. */
int crash_run(const char *name);

#endif
