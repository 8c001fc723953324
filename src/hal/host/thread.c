/*
 * Threads of the machine that are no CPU: timer, devices, input, watchdog.
 *
 * They block the signals that are the CPUs'. Who starts one waits until it runs, because the C
 * library's first system calls of a thread are among those that the process gives up.
 */
#include "hal/host/host_priv.h"

#include "hal/host/futex.h"

#include <sys/prctl.h>

#define STACK_BYTES 262144

struct start {
	const char *name;
	void (*run)(void);
	_Atomic uint32_t running; /* a futex */
};

static void *run_thread(void *arg)
{
	struct start *start = arg;
	void (*run)(void) = start->run;

	prctl(PR_SET_NAME, start->name);
	prctl(PR_SET_TIMERSLACK, 1ul);
	atomic_store(&start->running, 1);
	futex_wake(&start->running, 1);
	run(); /* `start` may be gone by now */
	return NULL;
}

int host_thread_start(const char *name, void (*run)(void))
{
	struct start start = {.name = name, .run = run};
	sigset_t blocked, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	host_crash_blocked_signals(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = pthread_create(&thread, &attr, run_thread, &start);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	while (!err && !atomic_load(&start.running))
		futex_wait(&start.running, 0, UINT64_MAX);
	return -err;
}
