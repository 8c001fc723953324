/*
 * Runs the in-kernel tests in the booted kernel (selftest=1, or selftest=PREFIX of a test's or a
 * module's name), one after the other in the boot thread. After each it looks for what the test
 * left behind. The result of each goes to the log; `tests: N passed, ...` ends it.
 */
#include "core/log.h"
#include "core/main.h"
#include "core/object.h"
#include "core/sched.h"
#include "core/slab.h"
#include "hal/hal.h"
#include "tests/kernel/runner.h"
#include "tests/kernel/suite.h"

#define SETTLE_NS (2ull * 1000 * 1000 * 1000) /* how long what a test left may take to go away */
#define SETTLE_ROUNDS 100000

static struct runner_state {
	_Atomic unsigned failures; /* of the test that runs; also counted by its threads */
	bool skipped;
	const char *name;
} state;

void ktest_fail(const char *expression, const char *file, int line)
{
	atomic_fetch_add(&state.failures, 1);
	log_write(LOG_ERROR, "test", "%s:%d: %s: %s is false", file, line, state.name, expression);
}

void ktest_skip(const char *why)
{
	state.skipped = true;
	log_write(LOG_NOTICE, "test", "skip %s: %s", state.name, why);
}

/* Objects and threads go away shortly after the test: the reaper has to run. */
static void check_leaks(uint64_t objects, uint64_t slabs)
{
	uint64_t until = hal_time_ns() + SETTLE_NS;

	for (unsigned i = 0; i < SETTLE_ROUNDS && hal_time_ns() < until; i++) {
		if (object_live() <= objects && slab_live() <= slabs)
			return;
		sched_yield_now();
	}
	atomic_fetch_add(&state.failures, 1);
	log_write(LOG_ERROR, "test", "%s left %ld objects and %ld slab objects behind", state.name,
		  (long)(object_live() - objects), (long)(slab_live() - slabs));
}

static void run_test(const struct ktest *test, struct ktest_counts *counts)
{
	uint64_t objects = object_live(), slabs = slab_live();
	uint64_t start = hal_time_ns();

	atomic_store(&state.failures, 0);
	state.skipped = false;
	state.name = test->name;
	test->run();
	check_leaks(objects, slabs);
	if (atomic_load(&state.failures)) {
		counts->failed++;
		log_write(LOG_ERROR, "test", "FAIL %s", test->name);
	} else if (state.skipped) {
		counts->skipped++;
	} else {
		counts->passed++;
		log_write(LOG_INFO, "test", "ok %s (%lu us)", test->name,
			  (unsigned long)((hal_time_ns() - start) / 1000));
	}
}

static bool is_wanted(const struct ktest_suite *suite, const struct ktest *test, const char *prefix)
{
	return !str_compare(prefix, "1") || !*prefix || str_starts(suite->name, prefix) ||
	       str_starts(test->name, prefix);
}

int ktest_run_all(const char *prefix)
{
	struct ktest_counts counts = {0};

	if (str_starts(prefix, "crash:"))
		return crash_run(str_find_char(prefix, ':') + 1);
	for (const struct ktest_suite *suite = ktest_suites; suite->name; suite++) {
		for (const struct ktest *test = suite->tests; test->name; test++) {
			if (is_wanted(suite, test, prefix))
				run_test(test, &counts);
		}
	}
	log_write(LOG_WARNING, "test", "tests: %u passed, %u failed, %u skipped", counts.passed,
		  counts.failed, counts.skipped);
	return counts.passed + counts.failed + counts.skipped ? (int)counts.failed : 1;
}
