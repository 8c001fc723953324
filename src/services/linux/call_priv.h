/*
 * What the files of system calls share: descriptors and times.
 */
#ifndef SERVICES_LINUX_CALL_PRIV_H
#define SERVICES_LINUX_CALL_PRIV_H

#include "hal/types.h"

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1

/* struct timespec of 64-bit Linux. */
struct linux_timespec {
	int64_t seconds, nanoseconds;
};

/* Descriptors 0, 1 and 2 are the console; there are no others yet. */
bool linux_fd_is_open(uint64_t fd);

/* A timespec from user memory in nanoseconds; what does not fit becomes the largest number. 0,
 * -EFAULT, -EINVAL for what is no time. */
HAL_USE_RESULT int linux_copy_in_time(vaddr_t from, uint64_t *ns);

/* The moment of hal_time_ns() at which `clock` shows `ns`, or (not `absolute`) in `ns` from now. */
uint64_t linux_deadline(unsigned clock, uint64_t ns, bool absolute);

#endif
