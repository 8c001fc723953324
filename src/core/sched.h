/*
 * The scheduler: a run queue on each CPU, policies as tables, balancing between CPUs.
 *
 * Fair class: earliest virtual deadline first among the eligible; the weight of a nice level is
 * 1.25 times that of the next. Real-time FIFO and RR, priorities 1..99, come before fair, and may
 * take at most SCHED_RT_SHARE of a CPU. A READY thread that has waited SCHED_AGING_NS runs next
 * once, whatever its class. Lock: LOCK_RANK_SCHED, one a run queue.
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/list.h"
#include "hal/types.h"

#include <stdatomic.h>

enum sched_policy { SCHED_POLICY_FAIR, SCHED_POLICY_FIFO, SCHED_POLICY_RR, SCHED_POLICY_IDLE };

#define SCHED_NICE_MIN (-20)
#define SCHED_NICE_MAX 19
#define SCHED_RT_MIN 1
#define SCHED_RT_MAX 99

struct thread;
struct task;

struct sched_params {
	enum sched_policy policy;
	int nice;	   /* fair: SCHED_NICE_MIN..SCHED_NICE_MAX */
	int priority;	   /* FIFO, RR: SCHED_RT_MIN..SCHED_RT_MAX, larger runs first */
	uint64_t affinity; /* bit n: may run on CPU n; never empty */
};

/* What the scheduler keeps in each thread. Guarded by the run queue's lock. */
struct sched_entity {
	struct sched_params params;
	unsigned cpu;		  /* whose run queue it belongs to */
	struct list link;	  /* real-time queue */
	struct sched_entity *left, *right, *parent; /* fair tree; see sched_fair.c */
	bool red;
	bool queued;
	uint32_t weight;
	int64_t vruntime;	  /* weighted ns */
	int64_t deadline;	  /* virtual */
	uint64_t slice_left_ns;
	uint64_t ready_since_ns;  /* hal_time_ns() when it became READY */
	uint64_t run_since_ns;
};

/* Gives up the CPU if another thread should run. Called without spin locks. */
void sched_yield(void);	 /* behind all equals */
void sched_point(void);	 /* in long loops: takes interrupts, reschedules only when asked to */

/* 0; -EINVAL for values out of range or an affinity without a CPU that exists. */
HAL_USE_RESULT int sched_set(struct thread *thread, const struct sched_params *params);
void sched_get(struct thread *thread, struct sched_params *params);

/* Makes this CPU (or `cpu`) reschedule at its next point. */
void sched_request(unsigned cpu);
bool sched_requested(void);

/* For wait.c, task.c and the idle loop alone. */
void sched_wake(struct thread *thread);	    /* SLEEPING or NEW -> READY; else nothing */
void sched_sleep(void);			    /* this thread: RUNNING -> SLEEPING -> ... */
HAL_NORETURN void sched_exit(void);	    /* this thread: RUNNING -> DEAD */
void sched_init(void);			    /* boot CPU */
HAL_NORETURN void sched_cpu_main(void);	    /* each CPU: becomes its idle thread */
void sched_tick(uint64_t now_ns);	    /* from the timer interrupt */

struct sched_stats {
	uint64_t switches, wakeups, migrations, aged, preemptions;
	uint64_t idle_ns, busy_ns;
	uint32_t ready;
};
void sched_stats(unsigned cpu, struct sched_stats *stats);

#endif
