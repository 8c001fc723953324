/*
 * The one instance of the core's state.
 */
#include "core/state.h"

struct kernel kernel = {
	.log = {.lock = SPINLOCK_INIT(LOCK_RANK_LOG, "log"), .level = LOG_INFO},
};

void state_init(void)
{
	for (unsigned i = 0; i < HAL_CPUS_MAX; i++)
		kernel.cpus[i].id = i;
}
