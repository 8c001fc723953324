/*
 * The wall clock: hal_time_ns() plus an offset that can be set.
 */
#include "core/state.h"
#include "core/timer.h"

uint64_t clock_realtime_ns(void)
{
	return hal_time_ns() + atomic_load_explicit(&kernel.timer.realtime_offset_ns,
						    memory_order_relaxed);
}

void clock_set_realtime_ns(uint64_t ns)
{
	atomic_store_explicit(&kernel.timer.realtime_offset_ns, ns - hal_time_ns(),
			      memory_order_relaxed);
}

void clock_init(void)
{
	atomic_store(&kernel.timer.realtime_offset_ns, hal_time_epoch_ns());
}
