/*
 * Tests of the kernel that run in two places from one source: in the booted kernel (selftest=1,
 * all of them) and under Check on Linux (those that need no machine).
 *
 * A test file ends with a table, ended by an empty entry, that suite.c lists:
 *
 *	static void test_page_alloc_gives_aligned_blocks(void) { ... CHECK(x == y); ... }
 *	const struct ktest ktests_page[] = {
 *		KTEST(test_page_alloc_gives_aligned_blocks),
 *		KTEST_MACHINE(test_page_stress_on_all_cpus),
 *		{0},
 *	};
 *
 * A test that fails a CHECK returns at once. After each test the runner looks for objects and slab
 * memory that it left behind, and counts that as a failure.
 */
#ifndef TESTS_KERNEL_KTEST_H
#define TESTS_KERNEL_KTEST_H

#include "core/klib.h"

struct ktest {
	const char *name;
	void (*run)(void);
	bool needs_machine; /* other CPUs, interrupts, real time or user code */
};

#define KTEST(function) {#function, function, false}
#define KTEST_MACHINE(function) {#function, function, true}

void ktest_fail(const char *expression, const char *file, int line);

/* The test cannot show its fact on this machine, and says why; counted as skipped. */
void ktest_skip(const char *why);

struct hal_mmu;

/* What is mapped at a page, where the machine can tell: only that of the unit tests has this
 * function. False: nothing. */
bool ktest_mmu_find(struct hal_mmu *mmu, vaddr_t addr, paddr_t *phys, unsigned *prot)
	__attribute__((weak));

#define CHECK(expression)                                                                          \
	do {                                                                                       \
		if (!(expression)) {                                                               \
			ktest_fail(#expression, __FILE__, __LINE__);                               \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* In a helper function or another thread: records the failure and goes on. */
#define EXPECT(expression)                                                                         \
	((expression) ? (void)0 : ktest_fail(#expression, __FILE__, __LINE__))

#endif
