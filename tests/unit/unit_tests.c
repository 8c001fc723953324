/*
 * The in-kernel tests that need no machine, under Check: each in a process of its own, on the
 * machine of fake_hal.c with the core brought up as far as it goes without threads.
 *
 * Prints TAP. With arguments, runs only the tests whose names begin with one of them.
 */
#include "tests/kernel/ktest.h"
#include "tests/kernel/suite.h"
#include "tests/unit/fake_hal.h"

#include "core/object.h"
#include "core/options.h"
#include "core/page.h"
#include "core/service.h"
#include "core/slab.h"
#include "core/state.h"
#include "hal/hal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define UNIT_TESTS_MAX 1024

/* No services: those of the kernel would bring everything else with them. */
const struct service *const service_table[] = {NULL};

static struct {
	const struct ktest *tests[UNIT_TESTS_MAX]; /* in the order in which Check knows them */
	TTest names[UNIT_TESTS_MAX];
	int count;
	bool failed, skipped; /* the test that runs in this process */
} unit;

void ktest_fail(const char *expression, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, expression);
	unit.failed = true;
}

void ktest_skip(const char *why)
{
	fprintf(stderr, "skipped: %s\n", why);
	unit.skipped = true;
}

static void boot(void)
{
	fake_hal_init();
	state_init();
	options_init(hal_boot_info()->cmdline);
	if (page_init()) {
		fprintf(stderr, "unit-tests: no memory for the kernel\n");
		exit(2);
	}
	slab_init();
	memory_init();
	space_init();
}

static void run_one(int index)
{
	const struct ktest *test = unit.tests[index];
	uint64_t objects = object_live(), slabs = slab_live();

	test->run();
	ck_assert_msg(!unit.failed, "%s", test->name);
	ck_assert_msg(unit.skipped || object_live() == objects, "%s: left %ld objects behind",
		      test->name, (long)(object_live() - objects));
	ck_assert_msg(unit.skipped || slab_live() == slabs, "%s: left %ld slab objects behind",
		      test->name, (long)(slab_live() - slabs));
	page_check();
	slab_check();
}

static bool wanted(const char *name, int argc, char **argv)
{
	if (argc < 2)
		return true;
	for (int i = 1; i < argc; i++) {
		if (str_starts(name, argv[i]))
			return true;
	}
	return false;
}

static void add_test(TCase *tcase, const struct ktest *test)
{
	int index = unit.count++;

	if (unit.count > UNIT_TESTS_MAX) {
		fprintf(stderr, "unit-tests: more than %d tests\n", UNIT_TESTS_MAX);
		exit(2);
	}
	unit.tests[index] = test;
	unit.names[index] = (TTest){test->name, run_one, __FILE__, __LINE__};
	tcase_add_loop_test(tcase, &unit.names[index], index, index + 1);
}

static Suite *make_suite(int argc, char **argv)
{
	Suite *suite = suite_create("kernel");

	for (const struct ktest_suite *it = ktest_suites; it->name; it++) {
		TCase *tcase = tcase_create(it->name);

		tcase_set_timeout(tcase, 0); /* slow is no failure; Valgrind is slow */
		suite_add_tcase(suite, tcase);
		for (const struct ktest *test = it->tests; test->name; test++) {
			if (!test->needs_machine && wanted(test->name, argc, argv))
				add_test(tcase, test);
		}
	}
	return suite;
}

int main(int argc, char **argv)
{
	SRunner *runner;
	int failed;

	boot();
	runner = srunner_create(make_suite(argc, argv));
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
