/*
 * The one instance of the core's state. It has no initialiser, so that the image does not carry it.
 */
#include "core/state.h"

struct kernel kernel;

void state_init(void)
{
	for (unsigned i = 0; i < HAL_CPUS_MAX; i++)
		kernel.cpus[i].id = i;
	spinlock_init(&kernel.log.lock, LOCK_RANK_LOG, "log");
	log_set_level(LOG_INFO);
}
