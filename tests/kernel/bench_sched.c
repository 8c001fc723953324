/*
 * Benches of the scheduler and what stands on it.
 */
#include "core/irq.h"
#include "core/lock.h"
#include "core/sched.h"
#include "core/task.h"
#include "core/timer.h"
#include "core/trace.h"
#include "core/wait.h"
#include "tests/kernel/bench.h"

/* Two threads that give way to one another on one CPU. */
struct pair {
	uint64_t count;
	struct wait_queue queue;
	_Atomic uint64_t turn;
};

static struct thread *start(void (*entry)(void *), void *arg)
{
	struct sched_params params = {.policy = SCHED_POLICY_FAIR, .affinity = 1};
	struct thread *thread;

	if (thread_create_kernel(NULL, "bench", entry, arg, &thread))
		return NULL;
	if (sched_set(thread, &params))
		return NULL;
	thread_start(thread);
	return thread;
}

static void finish(struct thread *thread)
{
	if (!thread)
		return;
	thread_join(thread);
	thread_put(thread);
}

static void yield_count(void *arg)
{
	const struct pair *pair = arg;

	for (uint64_t i = 0; i < pair->count; i++)
		sched_yield_now();
}

static void bench_switch(uint64_t count)
{
	struct pair pair = {.count = count / 2};
	struct thread *a = start(yield_count, &pair), *b = start(yield_count, &pair);

	finish(a);
	finish(b);
}

static void play(struct pair *pair, uint64_t odd)
{
	int err = 0;

	for (uint64_t i = odd; i < pair->count && !err; i += 2) {
		WAIT_UNTIL(err, &pair->queue, HAL_TIME_NEVER, 0,
			   atomic_load(&pair->turn) == i);
		atomic_store(&pair->turn, i + 1);
		wake_up_all(&pair->queue);
	}
}

static void play_even(void *arg)
{
	play(arg, 0);
}

static void play_odd(void *arg)
{
	play(arg, 1);
}

static void bench_wake(uint64_t count)
{
	struct pair pair = {.count = count};
	struct thread *a, *b;

	wait_queue_init(&pair.queue, "bench");
	a = start(play_even, &pair);
	b = start(play_odd, &pair);
	finish(a);
	finish(b);
}

static void do_nothing(void *arg)
{
	(void)arg;
}

static void bench_thread(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		finish(start(do_nothing, NULL));
}

static void ignore(struct timer *timer)
{
	(void)timer;
}

static void bench_timer(uint64_t count)
{
	uint64_t far = hal_time_ns() + 3600ull * 1000 * 1000 * 1000;
	struct timer timer;

	timer_prepare(&timer, ignore);
	for (uint64_t i = 0; i < count; i++) {
		timer_set(&timer, far + i);
		timer_cancel(&timer);
	}
}

static void bench_lock(uint64_t count)
{
	struct spinlock lock = SPINLOCK_INIT(LOCK_RANK_SERVICE, "bench");

	for (uint64_t i = 0; i < count; i++) {
		spin_lock(&lock);
		spin_unlock(&lock);
	}
}

static void bench_mutex(uint64_t count)
{
	struct mutex mutex;

	mutex_init(&mutex, "bench");
	for (uint64_t i = 0; i < count; i++) {
		mutex_lock(&mutex);
		mutex_unlock(&mutex);
	}
}

static void bench_trace(uint64_t count)
{
	bool before = trace_recording();

	trace_enable(true);
	for (uint64_t i = 0; i < count; i++)
		trace_event(TRACE_MARK, i, count);
	trace_enable(before);
}

static void bench_time(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		hal_time_ns();
}

const struct kbench kbenches_sched[] = {
	{"switch", bench_switch}, {"wake and switch", bench_wake},
	{"thread create and join", bench_thread}, {"timer set and cancel", bench_timer},
	{"spin lock", bench_lock}, {"mutex", bench_mutex}, {"trace event", bench_trace},
	{"time", bench_time}, {0},
};
