/*
 * Seeded mode: one CPU, virtual time, and a queue of what devices will complete. CPU 0 only.
 */
#ifndef HAL_HOST_SEEDED_H
#define HAL_HOST_SEEDED_H

#include "hal/host/host_priv.h"

#define SEEDED_EVENTS_MAX 1024 /* completions under way: more than all models have at once */

/* Now; each reading moves time on a little, so that a loop that waits for it ends. */
uint64_t seeded_read_time(void);
void seeded_relax(void);

/* hal_cpu_idle(): time jumps to whatever comes next. */
void seeded_idle(struct host_cpu *cpu);

/* Calls complete(arg) when virtual time has moved on by a latency drawn from [0, spread_ns) plus
 * `least_ns`. Fatal if SEEDED_EVENTS_MAX are under way. */
void seeded_complete_later(uint64_t least_ns, uint64_t spread_ns, void (*complete)(void *arg),
			   void *arg);

/* Forgets what is under way with this arg (a device was reset). */
void seeded_forget(const void *arg);

/* Completes all that is under way, at power off. */
void seeded_finish(void);

/* The thread that looks for user code which makes no event for WATCH_NS of the host's time. */
void seeded_watch(void);

#endif
