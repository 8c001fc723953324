/*
 * Unit tests of the simulator's parts that need no kernel. Prints TAP.
 */
#include "sim/sim_tests.h"

#include <stdlib.h>

int main(void)
{
	Suite *suite = suite_create("sim");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, options_tests());
	suite_add_tcase(suite, terminal_tests());
	suite_add_tcase(suite, vdev_tests());
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
