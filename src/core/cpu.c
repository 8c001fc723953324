/*
 * Per-CPU data: finding it. The array is kernel.cpus.
 */
#include "core/cpu.h"

#include "core/state.h"

struct cpu *cpu_this(void)
{
	return &kernel.cpus[hal_cpu_id()];
}

struct cpu *cpu_get(unsigned id)
{
	return &kernel.cpus[id];
}

unsigned cpu_count_online(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < hal_cpu_count(); i++)
		count += atomic_load_explicit(&kernel.cpus[i].online, memory_order_acquire);
	return count;
}
