/*
 * The guard value of -fstack-protector-strong on machines without libc.
 */
#ifndef HAL_COMMON_STACK_PROTECTOR_H
#define HAL_COMMON_STACK_PROTECTOR_H

#include "hal/types.h"

extern uintptr_t __stack_chk_guard;

/* Makes the guard a random one; 0 leaves it as it is. Called once at boot, on one CPU, by a
 * function that is not protected itself or never returns. */
__attribute__((no_stack_protector)) void stack_protector_seed(uint64_t random);

#endif
