/*
 * Kernel benches: bench=1, or bench=PREFIX. A bench does its operation `count` times; the runner
 * finds a count that takes long enough, repeats, and logs the median per operation.
 */
#ifndef TESTS_KERNEL_BENCH_H
#define TESTS_KERNEL_BENCH_H

#include "core/klib.h"

struct kbench {
	const char *name; /* of the operation; an empty entry ends a table */
	void (*run)(uint64_t count);
};

struct kbench_table {
	const char *module;
	const struct kbench *benches;
};

extern const struct kbench_table kbench_tables[];

#endif
