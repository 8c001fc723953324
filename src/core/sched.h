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
#include "core/rbtree.h"
#include "core/trace.h"
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

/* Threads that run rarely must run some day: how long READY may last. */
#define SCHED_AGING_NS (500u * 1000 * 1000)

/* Real-time threads get at most SHARE of each PERIOD while others are ready. */
#define SCHED_RT_PERIOD_NS (1000u * 1000 * 1000)
#define SCHED_RT_SHARE_NS (950u * 1000 * 1000)

/* What the scheduler keeps in each thread. Guarded by the run queue's lock. */
struct sched_entity {
	struct sched_params params;
	_Atomic unsigned cpu;	  /* whose run queue it is in; changed under the old one's lock */
	bool queued;		  /* READY and in the structures of that run queue */
	bool joined;		  /* counted there as runnable: queued or running */
	bool eligible;		  /* fair: which tree it is in */
	bool slice_over;	  /* current: has used its slice */
	uint32_t weight;	  /* fair */
	struct list link;	  /* real-time queue */
	struct list age_link;	  /* all READY ones, longest waiting first */
	struct rbtree_node node;  /* fair trees; see sched_fair.c */
	int64_t vruntime;	  /* weighted ns; while SLEEPING its lag */
	int64_t deadline;	  /* virtual */
	uint64_t slice_left_ns;	  /* RR */
	uint64_t ready_since_ns;  /* hal_time_ns() when it became READY */
	uint64_t run_since_ns;	  /* up to when it was charged */
	struct trace_cause cause; /* the trace event that made it READY */
};

/* Gives up the CPU if another thread should run. Called without spin locks. */
void sched_yield_now(void); /* behind all equals */
void sched_point(void);	 /* in long loops: takes interrupts, reschedules only when asked to */

/* 0; -EINVAL for values out of range or an affinity without a CPU that exists. */
HAL_USE_RESULT int sched_set(struct thread *thread, const struct sched_params *params);
void sched_get(struct thread *thread, struct sched_params *params);

/* Makes this CPU (or `cpu`) reschedule at its next point. */
void sched_request(unsigned cpu);
bool sched_requested(void);

/* For wait.c, task.c and the idle loop alone. */
void sched_wake(struct thread *thread);	    /* SLEEPING -> READY; else nothing */
void sched_start(struct thread *thread);    /* NEW -> READY */
void sched_kick_running(struct thread *thread); /* out of user code, if it runs */
/* This thread: RUNNING -> SLEEPING -> ..., unless stop(arg) is true under the run queue's lock. May
 * return without anybody having called sched_wake() for this sleep. */
void sched_sleep(bool (*stop)(void *arg), void *arg);
HAL_NORETURN void sched_exit(void);	    /* this thread: RUNNING -> DEAD */
void sched_init(void);			    /* boot CPU, before all threads */
void sched_init_idle(unsigned cpu, struct thread *idle);
void sched_init_entity(struct sched_entity *entity, const struct sched_params *params);
void sched_start_thread(void);		    /* first thing in a new thread's context */
void sched_kick(void);			    /* from the kick interrupt */
HAL_NORETURN void sched_cpu_main(void);	    /* each CPU: becomes its idle thread */
void sched_tick(uint64_t now_ns);	    /* from the timer interrupt */

struct sched_stats {
	uint64_t switches, wakeups, migrations, aged, preemptions;
	uint64_t idle_ns, busy_ns;
	uint32_t ready;
};
void sched_stats(unsigned cpu, struct sched_stats *stats);

#endif
