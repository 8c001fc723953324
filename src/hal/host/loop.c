/*
 * The devices' thread. Everything in libuv happens on it, but loop_wake().
 *
 * The pool's threads exist before the process confines itself: the loop starts with as many
 * pieces of work as the pool has threads, each of which waits for the others.
 */
#include "hal/host/loop.h"

#include "hal/host/device_priv.h"
#include "hal/host/host_priv.h"

#include <signal.h>
#include <sys/prctl.h>

#define POOL_THREADS 4 /* libuv's default, and what UV_THREADPOOL_SIZE is set to */

static struct {
	uv_loop_t uv;
	uv_async_t wake;
	pthread_barrier_t pool; /* of the first work */
	uv_work_t first[POOL_THREADS];
} loop;

static void serve(uv_async_t *async)
{
	(void)async;
	device_serve_all();
}

static void meet(uv_work_t *work)
{
	(void)work;
	pthread_barrier_wait(&loop.pool);
}

static void forget(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
}

static void *run_loop(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "devices");
	uv_run(&loop.uv, UV_RUN_DEFAULT);
	host_fatal("the devices' thread has ended");
}

int loop_start(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int err = uv_loop_init(&loop.uv);

	if (err)
		return err;
	err = uv_async_init(&loop.uv, &loop.wake, serve);
	if (err)
		return err;
	/* Signals are the CPUs'; threads inherit the mask. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_barrier_init(&loop.pool, NULL, POOL_THREADS + 1);
	for (unsigned i = 0; i < POOL_THREADS && !err; i++)
		err = uv_queue_work(&loop.uv, &loop.first[i], meet, forget);
	if (!err)
		pthread_barrier_wait(&loop.pool);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (!err)
		err = -pthread_create(&thread, &attr, run_loop, NULL);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void loop_wake(void)
{
	uv_async_send(&loop.wake);
}

uv_loop_t *loop_uv(void)
{
	return &loop.uv;
}
