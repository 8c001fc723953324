/*
 * High-resolution timers: a heap on each CPU, driven by hal_timer_set(). Lock: LOCK_RANK_TIMER.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "core/lock.h"
#include "hal/clock.h"

struct timer {
	uint64_t deadline_ns; /* Guarded by the CPU's timer lock, as all below */
	uint32_t slot;	      /* in the heap, from 1; 0: not set */
	uint32_t cpu;
	/* Called in the timer interrupt on the CPU that set it, no lock held: may wake up threads
	 * and set timers, must not block. */
	void (*expire)(struct timer *timer);
};

#define TIMERS_PER_CPU_MAX 65536

void timer_prepare(struct timer *timer, void (*expire)(struct timer *timer));

/* Sets or moves it; on this CPU. 0, or -ENOMEM when the heap cannot grow. */
HAL_USE_RESULT int timer_set(struct timer *timer, uint64_t deadline_ns);

/* True if it was set and will not expire now. When it returns, `expire` does not run and will not
 * run any more. Not from `expire` itself. */
bool timer_cancel(struct timer *timer);

void timer_init_cpu(void);
void timer_interrupt(void);

/* Wall clock: nanoseconds since 1970, settable. */
uint64_t clock_realtime_ns(void);
void clock_set_realtime_ns(uint64_t ns);

#endif
