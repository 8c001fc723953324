/*
 * The parts of the simulator's unit tests.
 */
#ifndef TESTS_SIM_SIM_TESTS_H
#define TESTS_SIM_SIM_TESTS_H

#include <check.h>

TCase *options_tests(void);
TCase *terminal_tests(void);
TCase *vdev_tests(void);

#endif
