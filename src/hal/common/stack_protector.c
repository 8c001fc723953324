/*
 * What code compiled with -fstack-protector-strong needs of its machine: the guard value and a
 * place to go when it was overwritten.
 *
 * The value is fixed by the linker until stack_protector_seed() makes it the machine's own, once,
 * at boot, in a function that never returns: no function may be active across the change that
 * checks its guard later.
 */
#include "hal/common/stack_protector.h"

#include "hal/up.h"

uintptr_t __stack_chk_guard = (uintptr_t)0x5bd1e995c0dede00u; /* Set once, at boot */

HAL_NORETURN void __stack_chk_fail(void);

void stack_protector_seed(uint64_t random)
{
	/* The lowest byte stays 0: a string that runs over ends before it. */
	if (random)
		__stack_chk_guard = (uintptr_t)(random & ~0xffull);
}

void __stack_chk_fail(void)
{
	up_panic((uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0),
		 "stack overwritten: a function's stack guard has changed");
}
