/*
 * High-resolution timers: a tree by deadline on each CPU, driven by hal_timer_set(). Beside it each
 * CPU has one tick, the scheduler's. Lock: LOCK_RANK_TIMER, one a CPU.
 *
 * Cancelling from another CPU is safe: while `expire` runs, the CPU's `running` names the timer,
 * and who cancels waits until it does not. So it may not hold a lock that `expire` takes. Two
 * callers may not set and cancel one timer at the same time.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "core/lock.h"
#include "core/rbtree.h"
#include "hal/clock.h"

struct timer {
	uint64_t deadline_ns;	 /* Guarded by the CPU's timer lock, as all below */
	struct rbtree_node node;
	bool queued;
	_Atomic unsigned cpu;	 /* whose tree it is in or was in last */
	/* Called in the timer interrupt on the CPU that set it, no lock held: may wake up threads
	 * and set timers, must not block. */
	void (*expire)(struct timer *timer);
};

void timer_prepare(struct timer *timer, void (*expire)(struct timer *timer));

/* Sets or moves it; on this CPU. */
void timer_set(struct timer *timer, uint64_t deadline_ns);

/* True if it was set and will not expire now. When it returns, `expire` does not run and will not
 * run any more. Not from `expire` itself. */
bool timer_cancel(struct timer *timer);

void timer_start_cpu(void); /* once on each CPU */

/* The scheduler's tick on this CPU; HAL_TIME_NEVER: none. Interrupts are disabled. */
void timer_set_tick(uint64_t deadline_ns);

void timer_interrupt(void);

/* Wall clock: nanoseconds since 1970, settable. */
uint64_t clock_realtime_ns(void);
void clock_set_realtime_ns(uint64_t ns);

struct timer_queue {
	struct spinlock lock;
	struct rbtree tree;	    /* struct timer.node. Guarded by lock */
	struct timer *running;	    /* whose `expire` runs. Guarded by lock */
	_Atomic uint64_t next_ns;   /* the first deadline in the tree. Written under lock */
	uint64_t tick_ns;	    /* Own CPU only */
	uint64_t programmed_ns;	    /* given to hal_timer_set(). Own CPU only */
} __attribute__((aligned(64)));

struct timer_state {
	struct timer_queue queues[HAL_CPUS_MAX];
	_Atomic uint64_t realtime_offset_ns; /* wall clock minus hal_time_ns() */
};

void clock_init(void);

#endif
