/*
 * The runners of tests and benches in the booted kernel.
 */
#ifndef TESTS_KERNEL_RUNNER_H
#define TESTS_KERNEL_RUNNER_H

#include "tests/kernel/ktest.h"

struct ktest_counts {
	unsigned passed, failed, skipped;
};

#endif
