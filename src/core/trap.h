/*
 * The loop of a user thread: runs its code, handles why it stopped, and so on for ever.
 */
#ifndef CORE_TRAP_H
#define CORE_TRAP_H

#include "hal/hal.h"

struct thread;

HAL_NORETURN void trap_loop(struct thread *thread);

#endif
