/*
 * The devices' thread. Everything in libuv happens on it, but loop_wake().
 *
 * The pool's threads exist before the process confines itself: the loop starts with as many
 * pieces of work as the pool has threads, each of which waits for the others.
 */
#include "hal/host/loop.h"

#include "hal/host/device_priv.h"
#include "hal/host/host_priv.h"

#include <stdlib.h>


#define POOL_THREADS 4 /* of libuv, which reads the number from the environment */
#define POOL_THREADS_TEXT "4"

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

static void run_loop(void)
{
	uv_run(&loop.uv, UV_RUN_DEFAULT);
	host_fatal("the devices' thread has ended");
}

int loop_start(void)
{
	sigset_t blocked, before;
	int err;

	setenv("UV_THREADPOOL_SIZE", POOL_THREADS_TEXT, 1);
	err = uv_loop_init(&loop.uv);
	if (err)
		return err;
	err = uv_async_init(&loop.uv, &loop.wake, serve);
	if (err)
		return err;
	host_crash_blocked_signals(&blocked); /* the pool's threads inherit the mask */
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	pthread_barrier_init(&loop.pool, NULL, POOL_THREADS + 1);
	for (unsigned i = 0; i < POOL_THREADS && !err; i++)
		err = uv_queue_work(&loop.uv, &loop.first[i], meet, forget);
	if (!err)
		pthread_barrier_wait(&loop.pool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err ? err : host_thread_start("devices", run_loop);
}

void loop_wake(void)
{
	uv_async_send(&loop.wake);
}

uv_loop_t *loop_uv(void)
{
	return &loop.uv;
}
