/*
 * The list of all test tables. A file test_<module>.c with the table ktests_<module> is named here,
 * in the order in which modules build on one another.
 */
#include "tests/kernel/suite.h"

#define SUITES(X) X(klib) X(fdt) X(boot_tables) X(acpi) X(lock) X(rbtree) X(page) X(slab) \
	X(memory) X(space) X(space_smp) \
	X(sched) X(wait) X(task) X(service) X(trace) X(cpio) X(elf) X(linux_stack) \
	X(virtqueue) X(block)

#define X(module) extern const struct ktest ktests_##module[];
SUITES(X)
#undef X

const struct ktest_suite ktest_suites[] = {
#define X(module) {#module, ktests_##module},
	SUITES(X)
#undef X
	{0},
};
