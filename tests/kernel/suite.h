/*
 * The list of all test tables, for whoever runs them: the booted kernel, or Check on Linux.
 */
#ifndef TESTS_KERNEL_SUITE_H
#define TESTS_KERNEL_SUITE_H

#include "tests/kernel/ktest.h"

struct ktest_suite {
	const char *name; /* of the module; an empty entry ends the list */
	const struct ktest *tests;
};

extern const struct ktest_suite ktest_suites[];

#endif
