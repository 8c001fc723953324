/*
 * Inside the scheduler: run queues, and the table of functions that a class of policies is.
 */
#ifndef CORE_SCHED_PRIV_H
#define CORE_SCHED_PRIV_H

#include "core/lock.h"
#include "core/sched.h"

#define FAIR_SLICE_NS (3u * 1000 * 1000) /* of a request for CPU time */
#define RR_SLICE_NS (100u * 1000 * 1000)
#define BALANCE_NS (20u * 1000 * 1000) /* how often a busy CPU looks for a less busy one */

struct fair_queue {
	struct rbtree eligible; /* whose lag is >= 0, by virtual deadline */
	struct rbtree waiting;	/* the others, by vruntime */
	int64_t virtual_ns;	/* the queue's virtual time: the weighted mean of vruntime */
	uint64_t weight;	/* of all joined */
};

struct rt_queue {
	struct list lists[SCHED_RT_MAX + 1]; /* by priority, first come first served */
	uint64_t bitmap[2];		     /* bit p: lists[p] is not empty */
	uint64_t window_ns;		     /* when this period began */
	uint64_t used_ns;		     /* run in this period */
};

/* Guarded by lock but for what is said to be atomic. */
struct run_queue {
	struct spinlock lock;
	unsigned cpu;		/* Set once */
	struct thread *current; /* equals the CPU's `thread` outside of a switch */
	struct thread *idle;	/* Set once */
	struct thread *dead;	/* has just ended: put when the switch from it is over */
	struct thread *moving;	/* has just been switched from, and may not stay on this CPU */
	struct fair_queue fair;
	struct rt_queue rt;
	struct list age;	/* all queued, longest waiting first */
	_Atomic uint32_t ready; /* how many are queued. Read by others as a hint */
	_Atomic bool idling;	/* current is the idle thread. Read by others as a hint */
	bool aged;		/* current runs because it waited too long: not preempted */
	bool yielding;		/* current gives way */
	uint64_t started_ns, idle_since_ns;
	uint64_t balanced_ns;
	struct sched_stats stats;
} __attribute__((aligned(64)));

struct sched_state {
	struct run_queue queues[HAL_CPUS_MAX];
};

/* All are called with the run queue's lock held. */
struct sched_class {
	const char *name;
	/* The entity becomes runnable on this CPU, or no longer is (sleeps, ends, moves away). */
	void (*join)(struct run_queue *rq, struct sched_entity *entity);
	void (*leave)(struct run_queue *rq, struct sched_entity *entity);
	/* READY: into and out of the structures. `resumes`: it was preempted in its slice. */
	void (*enqueue)(struct run_queue *rq, struct sched_entity *entity, bool resumes);
	void (*dequeue)(struct run_queue *rq, struct sched_entity *entity);
	/* Which of the queued should run next, NULL if none. */
	struct sched_entity *(*first)(struct run_queue *rq);
	/* It ran for `ns`. True: its slice is over. */
	bool (*charge)(struct run_queue *rq, struct sched_entity *entity, uint64_t ns);
	/* Gives up the rest of its slice. */
	void (*yield)(struct run_queue *rq, struct sched_entity *entity);
	/* For how long it may run if others are ready. */
	uint64_t (*slice_ns)(struct run_queue *rq, const struct sched_entity *entity);
	/* Whether `woken` should run at once rather than `current` of the same class. */
	bool (*preempts)(struct run_queue *rq, const struct sched_entity *woken,
			 const struct sched_entity *current);
};

extern const struct sched_class sched_fair_class, sched_rt_class;

void sched_fair_init(struct fair_queue *fair);
uint32_t sched_fair_weight(const struct sched_params *params);
void sched_rt_init(struct rt_queue *rt);

/* Whether real-time threads have had their share of this period. Starts a new period if it is
 * time. */
bool sched_rt_throttled(struct run_queue *rq, uint64_t now_ns);

static inline bool sched_is_rt(const struct sched_entity *entity)
{
	return entity->params.policy == SCHED_POLICY_FIFO ||
	       entity->params.policy == SCHED_POLICY_RR;
}

static inline const struct sched_class *sched_class_of(const struct sched_entity *entity)
{
	return sched_is_rt(entity) ? &sched_rt_class : &sched_fair_class;
}

/* sched_balance.c: which CPU a thread should run on, and evening out. */
unsigned sched_choose_cpu(const struct thread *thread);
void sched_pull(void);		/* an idle CPU looks for work; no lock held */
void sched_push(uint64_t now_ns); /* a busy CPU gives work away; no lock held */

/* For sched_balance.c. */
void sched_enqueue_locked(struct run_queue *rq, struct thread *thread, uint64_t now_ns);
void sched_dequeue_locked(struct run_queue *rq, struct thread *thread);
bool sched_may_run_on(const struct sched_entity *entity, unsigned cpu);

#endif
