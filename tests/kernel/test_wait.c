/*
 * Facts of wait queues and timers.
 */
#include "core/cpu.h"
#include "core/sched.h"
#include "core/task.h"
#include "core/timer.h"
#include "core/wait.h"
#include "tests/kernel/ktest.h"

#define MS (1000ull * 1000)
#define WAITERS 6
#define PAIRS 4
#define PING_ROUNDS 1000
#define TIMERS 64

struct gate {
	struct wait_queue queue;
	_Atomic bool open;
	_Atomic unsigned inside, passed;
	_Atomic int last_error;
	uint64_t deadline_ns;
	unsigned flags;
};

static void gate_init(struct gate *gate)
{
	*gate = (struct gate){.deadline_ns = HAL_TIME_NEVER};
	wait_queue_init(&gate->queue, "gate");
}

static void pass_gate(void *arg)
{
	struct gate *gate = arg;
	int err;

	atomic_fetch_add(&gate->inside, 1);
	WAIT_UNTIL(err, &gate->queue, gate->deadline_ns, gate->flags, atomic_load(&gate->open));
	atomic_store(&gate->last_error, err);
	atomic_fetch_add(&gate->passed, 1);
}

static struct thread *start(void (*entry)(void *), void *arg)
{
	struct thread *thread = NULL;

	if (thread_create_kernel(NULL, "test", entry, arg, &thread))
		return NULL;
	thread_start(thread);
	return thread;
}

static void finish(struct thread *thread)
{
	if (thread) {
		thread_join(thread);
		thread_put(thread);
	}
}

static void sleep_ns(uint64_t ns)
{
	uint64_t until = hal_time_ns() + ns;
	struct wait_queue queue;
	int err;

	wait_queue_init(&queue, "sleep");
	WAIT_UNTIL(err, &queue, until, 0, false);
	EXPECT(err == -ETIMEDOUT);
}

static bool is_asleep(const struct thread *thread)
{
	return atomic_load(&thread->state) == THREAD_SLEEPING;
}

static void wait_until_asleep(const struct thread *thread)
{
	while (!is_asleep(thread))
		sched_yield_now();
}

static void test_wait_wakes_all(void)
{
	struct thread *threads[WAITERS];
	struct gate gate;

	gate_init(&gate);
	for (unsigned i = 0; i < WAITERS; i++)
		threads[i] = start(pass_gate, &gate);
	while (atomic_load(&gate.inside) < WAITERS)
		sched_yield_now();
	EXPECT(atomic_load(&gate.passed) == 0);
	atomic_store(&gate.open, true);
	wake_up_all(&gate.queue);
	for (unsigned i = 0; i < WAITERS; i++)
		finish(threads[i]);
	EXPECT(atomic_load(&gate.passed) == WAITERS);
	EXPECT(list_empty(&gate.queue.waiters));
}

static void test_wait_wakes_as_many_as_asked(void)
{
	struct thread *threads[3];
	struct gate gate;

	gate_init(&gate);
	for (unsigned i = 0; i < 3; i++) {
		threads[i] = start(pass_gate, &gate);
		wait_until_asleep(threads[i]);
	}
	EXPECT(wake_up(&gate.queue, 0) == 0);
	atomic_store(&gate.open, true);
	EXPECT(wake_up(&gate.queue, 1) == 1);
	finish(threads[0]); /* first come, first served */
	EXPECT(atomic_load(&gate.passed) == 1);
	EXPECT(wake_up(&gate.queue, 9) == 2);
	finish(threads[1]);
	finish(threads[2]);
}

static void test_wait_ends_at_its_deadline(void)
{
	uint64_t start_ns = hal_time_ns();
	struct wait_queue queue;
	int err;

	wait_queue_init(&queue, "test");
	WAIT_UNTIL(err, &queue, start_ns + 3 * MS, 0, false);
	CHECK(err == -ETIMEDOUT);
	CHECK(hal_time_ns() >= start_ns + 3 * MS);
	WAIT_UNTIL(err, &queue, start_ns, 0, false);
	CHECK(err == -ETIMEDOUT);
	CHECK(list_empty(&queue.waiters));
}

static void test_wait_sees_a_wake_up_before_the_sleep(void)
{
	struct wait_queue queue;

	wait_queue_init(&queue, "test");
	wait_prepare(&queue);
	EXPECT(wake_up(&queue, 1) == 1);
	EXPECT(wait_sleep(HAL_TIME_NEVER, 0) == 0);
	wait_finish();
}

static void test_wait_is_interrupted_only_if_it_says_so(void)
{
	struct thread *thread;
	struct gate gate;

	gate_init(&gate);
	gate.flags = WAIT_INTERRUPTIBLE;
	thread = start(pass_gate, &gate);
	CHECK(thread);
	wait_until_asleep(thread);
	thread_interrupt(thread);
	finish(thread);
	EXPECT(atomic_load(&gate.last_error) == -EINTR);

	gate_init(&gate);
	thread = start(pass_gate, &gate);
	CHECK(thread);
	wait_until_asleep(thread);
	thread_interrupt(thread);
	wait_until_asleep(thread);
	EXPECT(atomic_load(&gate.passed) == 0);
	atomic_store(&gate.open, true);
	wake_up_all(&gate.queue);
	finish(thread);
	EXPECT(atomic_load(&gate.last_error) == 0);
}

struct ping {
	struct wait_queue queues[2];
	_Atomic unsigned turn;
};

static void play_ping(struct ping *ping, unsigned me)
{
	int err = 0;

	for (unsigned i = me; i < PING_ROUNDS && !err; i += 2) {
		WAIT_UNTIL(err, &ping->queues[me], HAL_TIME_NEVER, 0,
			   atomic_load(&ping->turn) == i);
		atomic_store(&ping->turn, i + 1);
		wake_up(&ping->queues[1 - me], 1);
	}
}

static void play_first(void *arg)
{
	play_ping(arg, 0);
}

static void play_second(void *arg)
{
	play_ping(arg, 1);
}

static void test_wait_loses_no_wake_up_on_all_cpus(void)
{
	struct ping pings[PAIRS];
	struct thread *threads[2 * PAIRS];

	for (unsigned i = 0; i < PAIRS; i++) {
		atomic_store(&pings[i].turn, 0);
		wait_queue_init(&pings[i].queues[0], "ping");
		wait_queue_init(&pings[i].queues[1], "pong");
		threads[2 * i] = start(play_first, &pings[i]);
		threads[2 * i + 1] = start(play_second, &pings[i]);
	}
	for (unsigned i = 0; i < 2 * PAIRS; i++)
		finish(threads[i]);
	for (unsigned i = 0; i < PAIRS; i++)
		EXPECT(atomic_load(&pings[i].turn) == PING_ROUNDS);
}

/* Waiters whose deadlines pass while others wake them: each ends once, one way or the other. */
static void race_deadline(void *arg)
{
	struct gate *gate = arg;
	int err;

	for (unsigned i = 0; i < 50; i++) {
		WAIT_UNTIL(err, &gate->queue, hal_time_ns() + (i % 7) * 20000, 0,
			   atomic_load(&gate->open));
		if (err)
			EXPECT(err == -ETIMEDOUT);
		else
			break;
	}
	atomic_fetch_add(&gate->passed, 1);
}

static void test_wait_survives_deadlines_racing_wake_ups(void)
{
	struct thread *threads[WAITERS];
	struct gate gate;

	gate_init(&gate);
	for (unsigned i = 0; i < WAITERS; i++)
		threads[i] = start(race_deadline, &gate);
	while (atomic_load(&gate.passed) < WAITERS) {
		wake_up(&gate.queue, 2);
		sleep_ns(30000);
	}
	for (unsigned i = 0; i < WAITERS; i++)
		finish(threads[i]);
	EXPECT(list_empty(&gate.queue.waiters));
}

struct counted_timer {
	struct timer timer;
	_Atomic unsigned expired;
	uint64_t order;
};

static _Atomic uint64_t expire_order;

static void count_expiry(struct timer *timer)
{
	struct counted_timer *counted = CONTAINER_OF(timer, struct counted_timer, timer);

	counted->order = atomic_fetch_add(&expire_order, 1);
	atomic_fetch_add(&counted->expired, 1);
}

static void pin(uint64_t affinity)
{
	struct sched_params params;

	sched_get(thread_this(), &params);
	params.affinity = affinity;
	EXPECT(!sched_set(thread_this(), &params));
}

static void test_timer_expires_in_the_order_of_deadlines(void)
{
	struct counted_timer timers[TIMERS] = {0};
	uint64_t base;
	bool irq;

	pin(1); /* the order is that of one CPU */
	irq = hal_irq_disable(); /* none expires before all are set */
	base = hal_time_ns() + 5 * MS;
	for (unsigned i = 0; i < TIMERS; i++) {
		timer_prepare(&timers[i].timer, count_expiry);
		timer_set(&timers[i].timer, base + i * 37 % TIMERS * 1000);
	}
	hal_irq_restore(irq);
	sleep_ns(10 * MS);
	for (unsigned i = 0; i < TIMERS; i++) {
		EXPECT(atomic_load(&timers[i].expired) == 1);
		for (unsigned j = 0; j < i; j++)
			EXPECT((i * 37 % TIMERS < j * 37 % TIMERS) ==
			       (timers[i].order < timers[j].order));
	}
	pin(UINT64_MAX);
}

static void test_timer_cancelled_does_not_expire(void)
{
	struct counted_timer counted = {0};
	bool irq, cancelled;

	timer_prepare(&counted.timer, count_expiry);
	CHECK(!timer_cancel(&counted.timer));
	irq = hal_irq_disable(); /* it cannot expire before it is cancelled */
	timer_set(&counted.timer, hal_time_ns() + 2 * MS);
	cancelled = timer_cancel(&counted.timer);
	hal_irq_restore(irq);
	CHECK(cancelled);
	CHECK(!timer_cancel(&counted.timer));
	sleep_ns(4 * MS);
	CHECK(atomic_load(&counted.expired) == 0);
}

static void test_timer_moves_when_set_again(void)
{
	struct counted_timer counted = {0};

	timer_prepare(&counted.timer, count_expiry);
	timer_set(&counted.timer, hal_time_ns() + 3600 * 1000 * MS);
	timer_set(&counted.timer, hal_time_ns() + 1 * MS);
	sleep_ns(3 * MS);
	CHECK(atomic_load(&counted.expired) == 1);
	CHECK(!timer_cancel(&counted.timer));
}

/* Sets timers on one CPU and cancels them on another, while they expire. */
static void test_timer_cancel_from_another_cpu_is_final(void)
{
	unsigned cpus = cpu_count_online();
	unsigned cancelled = 0;

	if (cpus < 2) {
		ktest_skip("needs two CPUs");
		return;
	}
	for (unsigned i = 0; i < 200; i++) {
		struct counted_timer counted = {0};
		unsigned before;

		pin(1);
		timer_prepare(&counted.timer, count_expiry);
		timer_set(&counted.timer, hal_time_ns() + i % 10 * 20000);
		pin(2);
		cancelled += timer_cancel(&counted.timer);
		before = atomic_load(&counted.expired);
		sched_yield_now();
		EXPECT(before == atomic_load(&counted.expired));
	}
	pin(UINT64_MAX);
	EXPECT(cancelled <= 200);
}

static void test_clock_realtime_can_be_set(void)
{
	uint64_t before = clock_realtime_ns();

	clock_set_realtime_ns(1234567890ull * 1000 * MS);
	EXPECT(clock_realtime_ns() >= 1234567890ull * 1000 * MS);
	EXPECT(clock_realtime_ns() < 1234567899ull * 1000 * MS);
	clock_set_realtime_ns(before);
}

const struct ktest ktests_wait[] = {
	KTEST_MACHINE(test_wait_wakes_all),
	KTEST_MACHINE(test_wait_wakes_as_many_as_asked),
	KTEST_MACHINE(test_wait_ends_at_its_deadline),
	KTEST_MACHINE(test_wait_sees_a_wake_up_before_the_sleep),
	KTEST_MACHINE(test_wait_is_interrupted_only_if_it_says_so),
	KTEST_MACHINE(test_wait_loses_no_wake_up_on_all_cpus),
	KTEST_MACHINE(test_wait_survives_deadlines_racing_wake_ups),
	KTEST_MACHINE(test_timer_expires_in_the_order_of_deadlines),
	KTEST_MACHINE(test_timer_cancelled_does_not_expire),
	KTEST_MACHINE(test_timer_moves_when_set_again),
	KTEST_MACHINE(test_timer_cancel_from_another_cpu_is_final),
	KTEST_MACHINE(test_clock_realtime_can_be_set),
	{0},
};
