/*
 * Wait queues: the only way to block.
 *
 *	wait_prepare(&queue);			from here on no wake-up is lost
 *	while (!condition) {
 *		err = wait_sleep(deadline_ns, WAIT_INTERRUPTIBLE);
 *		if (err)
 *			break;
 *		wait_prepare(&queue);		again for the next round
 *	}
 *	wait_finish();
 *
 * WAIT_UNTIL() writes that loop. Lock: LOCK_RANK_WAIT, one a queue. A wake-up inside another lock
 * is allowed as rank permits.
 */
#ifndef CORE_WAIT_H
#define CORE_WAIT_H

#include "core/list.h"
#include "core/lock.h"
#include "hal/clock.h"

struct thread;

struct wait_queue {
	struct spinlock lock;
	struct list waiters; /* struct wait_node.link. Guarded by lock */
};

struct wait_node {
	struct list link;	  /* Guarded by queue->lock */
	struct wait_queue *queue; /* Own thread only */
	struct thread *thread;	  /* Set once */
	_Atomic bool woken;
};

#define WAIT_INTERRUPTIBLE (1u << 0) /* also ended by thread_interrupt() and by being killed */

void wait_queue_init(struct wait_queue *queue, const char *name);

/* This thread joins the queue, or stays in it for another round. One queue at a time. */
void wait_prepare(struct wait_queue *queue);

/*
 * Sleeps until woken, until `deadline_ns` of hal_time_ns() (HAL_TIME_NEVER: none). 0 when woken
 * (also if that was before the call), -ETIMEDOUT, -EINTR. No spin lock may be held.
 */
HAL_USE_RESULT int wait_sleep(uint64_t deadline_ns, unsigned flags);
void wait_finish(void);

/* Wakes up to `max` waiters, first come first served. How many. */
unsigned wake_up(struct wait_queue *queue, unsigned max);
unsigned wake_up_all(struct wait_queue *queue);

/* Sleeps until `condition`; `err` becomes 0, -ETIMEDOUT or -EINTR. The deadline is evaluated once,
 * the condition again after each wake-up. */
#define WAIT_UNTIL(err, queue, deadline_ns, flags, condition)                                      \
	do {                                                                                       \
		const uint64_t wait_until_ns = (deadline_ns);                                      \
                                                                                                   \
		(err) = 0;                                                                         \
		wait_prepare(queue);                                                               \
		while (!(condition) && !((err) = wait_sleep(wait_until_ns, flags)))                \
			wait_prepare(queue);                                                       \
		wait_finish();                                                                     \
	} while (0)

/* A sleeping lock for what may block while it is held. Not recursive. */
struct mutex {
	_Atomic(struct thread *) owner;
	struct wait_queue queue;
};

void mutex_init(struct mutex *mutex, const char *name);
void mutex_lock(struct mutex *mutex);
bool mutex_try_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

#endif
