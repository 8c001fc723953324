/*
 * Tasks and threads: what runs.
 *
 * A task is an address space (none for the kernel's own) with threads and accounting. A thread is
 * a kernel context with a stack and, in a user task, user registers. The operations of a task's
 * personality (the Linux ABI, a test) come in a table; core knows none of them by name.
 *
 * Thread states, and who moves along each edge:
 *
 *   NEW --thread_start--> READY --schedule--> RUNNING --thread_exit--> DEAD --last put--> gone
 *                           ^                   |  |
 *                           |<---preempted------+  +--wait_sleep--> SLEEPING
 *                           +------------- wake_up, deadline, interrupt -------+
 *
 * Locks: LOCK_RANK_TASK for what says so; the scheduler's fields under the run queue's lock.
 */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "core/lock.h"
#include "core/object.h"
#include "core/rbtree.h"
#include "core/sched.h"
#include "core/slab.h"
#include "core/wait.h"
#include "hal/hal.h"

struct space;
struct task;
struct thread;

#define TASK_NAME_MAX 32
#define TASKS_MAX 32768

struct task_ops {
	const char *name;
	/* Handles the system call in thread->user. May block, may end the thread. */
	void (*syscall)(struct thread *thread);
	/* A fault that space_fault() refused with `err`, or a trap. */
	void (*fault)(struct thread *thread, const struct hal_event *event, int err);
	/* Before user code is entered, interrupts enabled: signals, stops. May be NULL. */
	void (*enter_user)(struct thread *thread);
	/* A thread has ended (in its own context); the task has lost its last. May be NULL. */
	void (*thread_ended)(struct thread *thread);
	void (*task_ended)(struct task *task);
	/* The last reference is gone: free task->personality. May be NULL. */
	void (*destroy)(struct task *task);
};

struct account {
	uint64_t user_ns, kernel_ns, wait_ns; /* in user code, in the kernel, ready but waiting */
	uint64_t faults, syscalls, interrupts;
	uint64_t switches_voluntary, switches_forced;
};

/* Written by the thread's own CPU alone, read by anybody: none is torn, but two need not agree. */
static inline void account_add(uint64_t *field, uint64_t amount)
{
	__atomic_store_n(field, *field + amount, __ATOMIC_RELAXED);
}

struct task {
	struct object object;
	struct spinlock lock;
	char name[TASK_NAME_MAX];	/* Guarded by lock */
	uint32_t id;			/* Set once; >= 1 */
	struct space *space;		/* Guarded by lock; NULL for a kernel task */
	const struct task_ops *ops;	/* Set once */
	void *personality;		/* of ops */
	struct list threads;		/* struct thread.task_link. Guarded by lock */
	uint32_t thread_count;		/* Guarded by lock */
	bool ending;			/* no new threads. Guarded by lock */
	bool named;			/* a thread has the task's id. Guarded by lock */
	int exit_status;		/* valid once ended. Guarded by lock */
	struct wait_queue ended;	/* woken when the last thread has ended */
	struct account account;		/* of the threads that have ended. Guarded by lock */
	struct rbtree_node node;	/* in the table of tasks. Guarded by its lock */
};

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_DEAD };

struct thread {
	struct object object;
	uint32_t id;		    /* Set once; the first thread of a user task has the task's */
	char name[TASK_NAME_MAX];   /* Set before start */
	struct task *task;	    /* Set once; holds a reference */
	struct list task_link;	    /* Guarded by task->lock */
	struct hal_context context; /* Own CPU only */
	void *stack;		    /* HAL_STACK_BYTES, the lowest page guarded. Set once */
	struct hal_user *user;	    /* NULL for a kernel thread. Own CPU only */
	struct sched_entity sched;  /* Guarded by its run queue's lock */
	_Atomic int state;	    /* enum thread_state. Changed under the run queue's lock */
	_Atomic bool interrupted;   /* somebody wants it out of an interruptible wait */
	_Atomic bool killed;	    /* ends at the next way into user code */
	struct wait_node wait;	    /* what it waits for */
	_Atomic bool off_cpu;	    /* has ended, and nothing runs on its stack any more */
	struct account account;	    /* Own CPU only */
	uint64_t account_since_ns;  /* up to when `account` is right. Own CPU only */
	struct wait_queue dead;	    /* woken when it has ended */
	void *personality;	    /* of task->ops */
	void (*entry)(void *arg);   /* kernel thread: its function */
	void *arg;
};

/* The thread and task that this CPU runs. A thread's own pointer never changes under it. */
struct thread *thread_this(void);
static inline struct task *task_this(void)
{
	return thread_this()->task;
}

/* A task without threads. Takes a reference of `space` (NULL: a kernel task). 0, -ENOMEM, -EAGAIN
 * when there are TASKS_MAX. */
HAL_USE_RESULT int task_create(const char *name, struct space *space, const struct task_ops *ops,
			       void *personality, struct task **task);
void task_put(struct task *task);
struct task *task_find(uint32_t id);		/* with a reference, or NULL */
struct task *task_next(uint32_t after_id);	/* in the order of ids, with a reference, or NULL */
void task_account(struct task *task, struct account *sum); /* ended and living threads */

/* Marks all threads of the task killed and gets them out of their waits. Does not wait. */
void task_kill(struct task *task, int exit_status);
HAL_USE_RESULT int task_wait_ended(struct task *task, int *exit_status); /* 0 or -EINTR */

/* A user thread (registers from hal_user_init(), to be changed before thread_start()). */
HAL_USE_RESULT int thread_create_user(struct task *task, vaddr_t pc, vaddr_t sp,
				      struct thread **thread);
/* A kernel thread that runs entry(arg) and ends when it returns. `task` NULL: the kernel's own. */
HAL_USE_RESULT int thread_create_kernel(struct task *task, const char *name,
					void (*entry)(void *arg), void *arg,
					struct thread **thread);
void thread_start(struct thread *thread);
struct thread *thread_get(struct thread *thread);
void thread_put(struct thread *thread);
HAL_NORETURN void thread_exit(void);	   /* ends the calling thread */
void thread_interrupt(struct thread *thread); /* out of an interruptible wait, into the kernel */
void thread_join(struct thread *thread);      /* waits until it is dead */

/* Tasks and threads of user programs have ids from 1 on, the kernel's from here on. */
#define TASK_ID_KERNEL (1u << 30)

#define STACKS_CACHED_MAX 16

struct task_state {
	struct spinlock lock;	  /* LOCK_RANK_OBJECT */
	struct rbtree tasks;	  /* struct task.node, by id. Guarded by lock */
	uint32_t task_count;	  /* Guarded by lock */
	uint32_t last_id, last_kernel_id; /* Guarded by lock */
	struct task *kernel_task; /* Set once */
	struct object_type task_type, thread_type;
	struct slab_cache *task_cache, *thread_cache, *user_cache; /* Set once */
	struct list stacks;	  /* struct page.link: stacks for reuse. Guarded by lock */
	unsigned stack_count;	  /* Guarded by lock */
	struct list dead;	  /* struct thread.task_link: to be put. Guarded by lock */
	struct wait_queue reaper; /* who puts them waits here */
};

void task_init(void);	/* the kernel's own task */
void thread_init(void); /* caches and the reaper; after sched_init() */
void thread_start_reaper(void);

/* Makes it a thread of the task, with an id. False: the task is ending. */
bool task_add_thread(struct task *task, struct thread *thread);
bool task_remove_thread(struct task *task, struct thread *thread); /* true: it was the last */

/* The thread that CPU `cpu`'s boot context is. */
struct thread *thread_create_idle(unsigned cpu);

/* Drops the reference that a running thread is; it has just ended, on this CPU. */
void thread_ended(struct thread *thread);
void thread_account_kernel(struct thread *thread, uint64_t now_ns);

#endif
