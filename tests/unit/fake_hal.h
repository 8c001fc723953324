/*
 * What a unit test can do with its machine, beside the HAL contract that fake_hal.c implements.
 */
#ifndef TESTS_UNIT_FAKE_HAL_H
#define TESTS_UNIT_FAKE_HAL_H

#include "hal/types.h"

#define UNIT_RAM_BYTES ((size_t)64 << 20)

void fake_hal_init(void); /* before anything else */
void fake_hal_set_time(uint64_t now_ns);
uint64_t fake_hal_deadline(void); /* of the last hal_timer_set() */
size_t fake_hal_log(const char **text); /* what was written so far */

#endif
