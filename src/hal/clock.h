/*
 * Time and entropy. In seeded mode all of it is a function of the seed and of the calls made.
 */
#ifndef HAL_CLOCK_H
#define HAL_CLOCK_H

#include "hal/types.h"

/* Nanoseconds since the machine started; never goes back, agrees on all CPUs. */
uint64_t hal_time_ns(void);

/* The wall clock at hal_time_ns() == 0: nanoseconds since 1970-01-01 UTC, 0 if not known. */
uint64_t hal_time_epoch_ns(void);

#define HAL_TIME_NEVER UINT64_MAX

/*
 * Makes HAL_IRQ_TIMER pending on this CPU once hal_time_ns() >= `deadline_ns`; replaces the
 * deadline set before. A deadline that has passed fires at once. HAL_TIME_NEVER: none.
 */
void hal_timer_set(uint64_t deadline_ns);

/* Fills `buf` from the machine's source of random numbers. 0, or -ENODEV if there is none. */
HAL_USE_RESULT int hal_entropy(void *buf, size_t bytes);

#endif
