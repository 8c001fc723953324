/*
 * The host machine's state, and what its parts call of each other.
 *
 * Owners: cpu.c the threads and idling, irq.c interrupts, clock.c time and timers, random.c the
 * seeded generator, context.c fibers, ram.c the memory, crash.c the ways out; user.c, mmu.c,
 * zygote.c and their stub run user code and see of the rest what is declared here.
 *
 * No thread of the machine blocks with a mutex of this folder held, and none calls up (up_*) so.
 */
#ifndef HAL_HOST_HOST_PRIV_H
#define HAL_HOST_HOST_PRIV_H

#include "hal/hal.h"

#include "hal/host/host.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>

#define HOST_IRQ_WORDS (HAL_IRQ_MAX / 64)
#define HOST_LINES_MAX 64		   /* device interrupts HAL_IRQ_DEVICE.. */
#define HOST_DEVICE_BASE (1ull << 38)	   /* physical: device registers, above all RAM */
#define HOST_DEVICE_STRIDE 0x1000ull	   /* of registers a device */
#define HOST_DEVICES_MAX 24
#define HOST_SIGNAL_STACK 65536		   /* bytes, of a CPU; a crash is reported on it */
#define HOST_STOP_SIGNAL SIGUSR2	   /* of hal_cpu_stop_others(), to CPUs' threads */
#define HOST_STATUS_BROKEN 2		   /* exit status: the machine could not be built */
#define HOST_STATUS_CRASH 124		   /* exit status: the machine itself broke down */

/* What a CPU's thread does; a word that it may sleep on. */
enum host_where {
	HOST_IN_KERNEL,
	HOST_IN_IDLE, /* asleep on the word; an interrupt moves it to HOST_IN_KERNEL and wakes */
	HOST_IN_USER, /* in hal_user_run(); an interrupt calls host_user_kick() */
};

struct host_user_cpu; /* user.c's state of a CPU */

struct host_cpu {
	unsigned id;	  /* Set once */
	pthread_t thread; /* Set once, before it is started */
	_Atomic pid_t tid;	/* 0: no thread yet */
	_Atomic uint32_t ready; /* the thread is there; a futex */
	_Atomic uint32_t started; /* by hal_cpu_start(); a futex */
	_Atomic uint32_t stopped; /* for ever */
	_Atomic uint64_t pending[HOST_IRQ_WORDS];
	_Atomic uint32_t where;	      /* enum host_where; a futex */
	_Atomic uint64_t deadline_ns; /* of hal_timer_set(); HAL_TIME_NEVER: none */
	_Atomic uint32_t events;      /* of user code so far, for the watchdog; wraps */
	bool irq_enabled;	      /* Own CPU only, as all below */
	unsigned relaxes;	      /* hal_cpu_relax() calls in a row */
	struct hal_context *context;  /* that it runs; NULL before the first switch */
	struct hal_context boot;      /* the thread's own stack: bounds for backtraces */
	void *signal_stack;
	_Atomic bool crashed; /* a crash is being reported */
	struct host_user_cpu *user; /* Set by host_user_cpu_start(), user.c's own */
} __attribute__((aligned(64)));

/* A device's interrupt line: level-triggered. Guarded by host.line_lock. */
struct host_line {
	bool asserted;	 /* by the device */
	bool unmasked;
	bool in_service; /* delivered, and hal_irq_done() not yet called */
	unsigned cpu;
};

struct host {
	const struct host_options *options; /* Set once, as all down to the contexts */
	unsigned cpu_count;
	int mem_fd;	    /* the machine's memory: a memfd, offset == physical address */
	uint64_t mem_bytes; /* RAM is [0, mem_bytes), the direct map of it likewise */
	struct hal_boot boot;
	struct host_cpu cpus[HAL_CPUS_MAX];

	uint64_t start_ns; /* CLOCK_MONOTONIC at hal_time_ns() == 0 */
	uint64_t epoch_ns; /* CLOCK_REALTIME then */
	bool seeded;
	uint64_t random[4];	     /* seeded mode: the generator. CPU 0 only */
	_Atomic uint64_t virtual_ns; /* seeded mode: now. Written by CPU 0 only */
	_Atomic bool inexact;	     /* seeded mode: something outside the seed has happened */
	_Atomic bool overdue;	     /* seeded mode: the watchdog has stopped user code */

	pthread_mutex_t context_lock;
	struct hal_context *contexts; /* all of them, for gdb. Guarded by context_lock */

	pthread_mutex_t line_lock;
	struct host_line lines[HOST_LINES_MAX];

	_Atomic uint32_t timer_word;	 /* a futex; the timer thread sleeps on it */
	_Atomic uint64_t timer_until_ns; /* when it will look at deadlines again */
	_Atomic bool ending;		 /* host_exit() has begun */
};

extern struct host host;

/* ---- CPUs (cpu.c) ---- */

/* The CPU of the calling thread; NULL on a thread that is none. Never inlined: the answer may be
 * another after each hal_context_switch(). */
struct host_cpu *host_cpu_this(void);

/* Makes `cpu`'s thread, which will run up_boot() (CPU 0) or up_cpu_start(). 0 or -ERRNO. */
int host_cpu_create(unsigned cpu);

/* Installs what hal_cpu_stop_others() needs. */
void host_cpu_prepare_stop(void);

/*
 * Marks the calling CPU as running user code: from now on host_irq_raise() calls
 * host_user_kick(). False, and nothing marked, when an interrupt is pending already.
 */
bool host_cpu_enter_user(struct host_cpu *cpu);
void host_cpu_leave_user(struct host_cpu *cpu);

/* ---- Other threads (thread.c) ---- */

/* Starts a thread that is no CPU; when this returns it runs. 0 or -ERRNO. */
int host_thread_start(const char *name, void (*run)(void));

/* ---- Interrupts (irq.c) ---- */

/* Makes `irq` pending on `cpu`, then gets it out of idling or user code. From any thread. */
void host_irq_raise(struct host_cpu *cpu, unsigned irq);
bool host_irq_pending(struct host_cpu *cpu);

/* Asserts or releases the line of a device. From any thread. */
void host_irq_set_line(unsigned irq, bool asserted);

/* ---- Time (clock.c), and seeded mode ---- */

uint64_t host_clock_monotonic_ns(void); /* of the host */
int host_clock_start(void);		/* the timer thread; 0 or -ERRNO */

/* The CPU has slept with its own deadline as the limit: fires it if it has passed, else the timer
 * thread looks after it again. */
void host_clock_idle_end(struct host_cpu *cpu);

/* Makes HAL_IRQ_TIMER pending if the deadline of `cpu` is not after `now_ns`. */
bool host_clock_fire(struct host_cpu *cpu, uint64_t now_ns);

/*
 * Seeded mode: user code has stopped with an event; virtual time moves on by a drawn amount, and
 * what has become due is made pending. Nothing in free mode. Called by hal_user_run() on CPU 0
 * before it returns any event.
 */
void host_time_advance_event(void);

/* Seeded mode: the next number of the generator (xoshiro256**); CPU 0 only. */
uint64_t host_random_next(void);
uint64_t host_random_below(uint64_t limit); /* 0..limit-1 */
void host_random_seed(uint64_t seed);

/* ---- Memory (ram.c) ---- */

/* Makes the memory, maps it, lays it out and loads the initial image; or refuses. */
void host_ram_create(void);

/* The machine's bytes at [addr, addr + bytes) for a device, or NULL if not all of it is RAM. */
void *host_ram_find(paddr_t addr, uint64_t bytes);

/* ---- User code (user.c) ---- */

/* Starts the zygote. Called by the only thread, before confinement. 0 or -ERRNO, said on stderr. */
int host_user_start(void);

/* Ends all stubs and the zygote, at power off; also on the way out of a crash: takes no lock. */
void host_user_stop(void);

/* Prepares `cpu`->user, on the CPU's own thread before it runs the kernel. 0 or -ERRNO. */
int host_user_cpu_start(struct host_cpu *cpu);

/* Gets `cpu`, which is HOST_IN_USER, out of user code soon. From any thread, also spuriously. */
void host_user_kick(struct host_cpu *cpu);

/* ---- Confinement (confine.c) ---- */

/* Gives up all system calls that are not needed any more, for all threads; or refuses. */
void host_confine(void);

/* ---- The ways out (crash.c) ---- */

/* Says on standard error what went wrong, and ends the process with HOST_STATUS_CRASH. */
HAL_NORETURN void host_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same while the machine is being built: status HOST_STATUS_BROKEN. */
HAL_NORETURN void host_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Fills `set` with the signals that are the CPUs' alone: all but those of a crash. Threads that are
 * no CPU block them. */
void host_crash_blocked_signals(sigset_t *set);

/* Installs the handlers of the signals that end the process. */
void host_crash_prepare(void);

/* Gives the terminal back, ends the stubs, and ends the process. From any thread. */
HAL_NORETURN void host_exit(int status);

#endif
