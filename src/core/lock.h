/*
 * Spin locks with ranks.
 *
 * A CPU takes locks in falling rank only: what is taken while a lock of rank r is held has a rank
 * below r. Taking one out of rank is a panic in debug builds (configure --enable-debug, the
 * default). Interrupts are disabled while any spin lock is held, and enabled again with the
 * release of the last one if they were enabled before the first. Nobody blocks with one held.
 *
 * The order, from outer to inner, is the enum below read from the top.
 */
#ifndef CORE_LOCK_H
#define CORE_LOCK_H

#include "hal/types.h"

#include <stdatomic.h>

enum lock_rank {
	LOCK_RANK_SERVICE = 100, /* a service's own; its folder may order several below it */
	LOCK_RANK_DRIVER = 90,	 /* a device's queue and registers */
	LOCK_RANK_TASK = 80,	 /* a task: its threads, its state */
	LOCK_RANK_SPACE = 70,	 /* an address space: regions and mappings */
	LOCK_RANK_MEMORY = 60,	 /* a memory object: its pages */
	LOCK_RANK_OBJECT = 50,	 /* tables of objects */
	LOCK_RANK_WAIT = 40,	 /* a wait queue */
	LOCK_RANK_TIMER = 35,	 /* a CPU's timers */
	LOCK_RANK_SCHED = 30,	 /* a CPU's run queue */
	LOCK_RANK_RANDOM = 25,	 /* the random generator */
	LOCK_RANK_SLAB = 20,	 /* a slab cache */
	LOCK_RANK_PAGE = 10,	 /* the page allocator */
	LOCK_RANK_LOG = 5,	 /* the kernel log; anybody may write it */
};

struct spinlock {
	_Atomic uint32_t holder; /* id of the CPU that holds it, plus 1; 0: free */
	uint32_t rank;		 /* Set once */
	const char *name;	 /* Set once. For people */
};

#define SPINLOCK_INIT(lock_rank, lock_name) {.rank = (lock_rank), .name = (lock_name)}

void spinlock_init(struct spinlock *lock, enum lock_rank rank, const char *name);
void spin_lock(struct spinlock *lock);
bool spin_try_lock(struct spinlock *lock); /* never waits; not bound by rank */
void spin_unlock(struct spinlock *lock);

/* Two locks of one rank (run queues, wait queues): taken in the order of their addresses. */
void spin_lock_two(struct spinlock *a, struct spinlock *b);
void spin_unlock_two(struct spinlock *a, struct spinlock *b);

bool spin_held(const struct spinlock *lock); /* by this CPU */
#define lock_assert_held(lock) ASSERT(spin_held(lock))

/* Panics if this CPU holds any spin lock: said by everything that may block. */
void lock_assert_none(void);

#endif
