/*
 * Facts of tasks and threads.
 */
#include "core/irq.h"
#include "core/sched.h"
#include "core/state.h"
#include "core/task.h"
#include "core/wait.h"
#include "tests/kernel/ktest.h"

#define CROWD 40

static void do_nothing(void *arg)
{
	(void)arg;
}

static _Atomic unsigned ran;

static void count_run(void *arg)
{
	atomic_fetch_add(&ran, *(unsigned *)arg);
}

static void wait_for_kill(void *arg)
{
	struct wait_queue *queue = arg;
	int err;

	WAIT_UNTIL(err, queue, HAL_TIME_NEVER, WAIT_INTERRUPTIBLE, false);
	EXPECT(err == -EINTR);
}

struct fate {
	_Atomic unsigned threads_ended, tasks_ended, destroyed;
};

static void count_thread(struct thread *thread)
{
	struct fate *fate = thread->task->personality;

	atomic_fetch_add(&fate->threads_ended, 1);
}

static void count_task(struct task *task)
{
	struct fate *fate = task->personality;

	atomic_fetch_add(&fate->tasks_ended, 1);
}

static void count_destroy(struct task *task)
{
	struct fate *fate = task->personality;

	atomic_fetch_add(&fate->destroyed, 1);
}

static const struct task_ops fate_ops = {
	.name = "test",
	.thread_ended = count_thread,
	.task_ended = count_task,
	.destroy = count_destroy,
};

static void test_thread_runs_and_is_joined(void)
{
	struct thread *thread;
	unsigned add = 3;

	atomic_store(&ran, 0);
	CHECK(!thread_create_kernel(NULL, "a name that is longer than the field is", count_run,
				    &add, &thread));
	EXPECT(str_length(thread->name) == TASK_NAME_MAX - 1);
	EXPECT(thread->id >= TASK_ID_KERNEL);
	EXPECT(atomic_load(&ran) == 0);
	thread_start(thread);
	thread_join(thread);
	EXPECT(atomic_load(&ran) == 3);
	EXPECT(atomic_load(&thread->state) == THREAD_DEAD);
	thread_join(thread);
	thread_put(thread);
}

static void test_thread_never_started_goes_with_its_reference(void)
{
	struct fate fate = {0};
	struct thread *thread;
	struct task *task;

	CHECK(!task_create("test", NULL, &fate_ops, &fate, &task));
	EXPECT(!thread_create_kernel(task, "test", do_nothing, NULL, &thread));
	EXPECT(task->thread_count == 1);
	thread_put(thread);
	EXPECT(task->thread_count == 0);
	EXPECT(atomic_load(&fate.threads_ended) == 0);
	task_put(task);
	EXPECT(atomic_load(&fate.destroyed) == 1);
}

static void test_thread_nobody_holds_is_reaped(void)
{
	struct thread *threads[CROWD];
	struct fate fate = {0};
	struct task *task;

	CHECK(!task_create("test", NULL, &fate_ops, &fate, &task));
	for (unsigned i = 0; i < CROWD; i++)
		EXPECT(!thread_create_kernel(task, "crowd", do_nothing, NULL, &threads[i]));
	for (unsigned i = 0; i < CROWD; i++) {
		thread_start(threads[i]);
		thread_put(threads[i]);
	}
	task_put(task);
	while (!atomic_load(&fate.destroyed))
		sched_yield_now();
	EXPECT(atomic_load(&fate.threads_ended) == CROWD);
	EXPECT(atomic_load(&fate.tasks_ended) == 1);
}

static void test_task_kill_ends_all_its_threads(void)
{
	struct thread *threads[4];
	struct wait_queue queue;
	struct fate fate = {0};
	struct task *task;
	int status = 0;

	wait_queue_init(&queue, "test");
	CHECK(!task_create("test", NULL, &fate_ops, &fate, &task));
	for (unsigned i = 0; i < 4; i++) {
		EXPECT(!thread_create_kernel(task, "test", wait_for_kill, &queue, &threads[i]));
		thread_start(threads[i]);
	}
	task_kill(task, 7);
	task_kill(task, 8);
	EXPECT(task_wait_ended(task, &status) == 0 && status == 7);
	EXPECT(atomic_load(&fate.threads_ended) == 4 && atomic_load(&fate.tasks_ended) == 1);
	for (unsigned i = 0; i < 4; i++) {
		thread_join(threads[i]);
		thread_put(threads[i]);
	}
	task_put(task);
}

static void test_task_refuses_threads_when_ending(void)
{
	struct thread *thread = NULL;
	struct fate fate = {0};
	struct task *task;

	CHECK(!task_create("test", NULL, &fate_ops, &fate, &task));
	task_kill(task, 1);
	EXPECT(thread_create_kernel(task, "late", do_nothing, NULL, &thread) == -EAGAIN);
	task_put(task);
}

static void test_task_is_found_by_id_while_it_lives(void)
{
	struct fate fate = {0};
	struct task *task, *found;
	uint32_t id;

	CHECK(!task_create("found", NULL, &fate_ops, &fate, &task));
	id = task->id;
	found = task_find(id);
	EXPECT(found == task);
	task_put(found);
	found = task_next(id - 1);
	EXPECT(found == task);
	task_put(found);
	EXPECT(!task_next(UINT32_MAX));
	task_put(task);
	EXPECT(!task_find(id));
}

static void test_task_walk_meets_the_kernel_task(void)
{
	struct task *task, *next;
	bool met = false;

	for (task = task_next(0); task; task = next) {
		met |= task == kernel.task.kernel_task;
		next = task_next(task->id);
		task_put(task);
	}
	CHECK(met);
}

static void test_task_account_sums_its_threads(void)
{
	struct fate fate = {0};
	struct account sum;
	struct thread *thread;
	struct task *task;
	struct wait_queue queue;

	wait_queue_init(&queue, "test");
	CHECK(!task_create("test", NULL, &fate_ops, &fate, &task));
	EXPECT(!thread_create_kernel(task, "test", wait_for_kill, &queue, &thread));
	thread_start(thread);
	while (atomic_load(&thread->state) != THREAD_SLEEPING)
		sched_yield_now();
	thread_interrupt(thread);
	thread_join(thread);
	task_account(task, &sum);
	EXPECT(sum.switches_voluntary == 1);
	thread_put(thread);
	task_put(task);
}

static void handle_nothing(void *arg)
{
	(void)arg;
}

static void test_irq_refuses_numbers_that_are_no_device(void)
{
	CHECK(irq_attach(HAL_IRQ_TIMER, 0, "test", handle_nothing, NULL) == -EINVAL);
	CHECK(irq_attach(HAL_IRQ_MAX, 0, "test", handle_nothing, NULL) == -EINVAL);
	CHECK(irq_attach(HAL_IRQ_DEVICE, HAL_CPUS_MAX, "test", handle_nothing, NULL) == -EINVAL);
	CHECK(!str_compare(irq_name(HAL_IRQ_TIMER), "timer"));
	CHECK(!str_compare(irq_name(HAL_IRQ_KICK), "kick"));
	CHECK(!irq_name(HAL_IRQ_MAX) && irq_count(HAL_IRQ_MAX, 0) == 0);
}

static void test_irq_counts_timer_interrupts(void)
{
	struct wait_queue queue;
	uint64_t before = 0, after = 0;
	int err;

	wait_queue_init(&queue, "test");
	for (unsigned i = 0; i < hal_cpu_count(); i++)
		before += irq_count(HAL_IRQ_TIMER, i);
	WAIT_UNTIL(err, &queue, hal_time_ns() + 1000000, 0, false);
	CHECK(err == -ETIMEDOUT);
	for (unsigned i = 0; i < hal_cpu_count(); i++)
		after += irq_count(HAL_IRQ_TIMER, i);
	CHECK(after > before);
}

const struct ktest ktests_task[] = {
	KTEST_MACHINE(test_thread_runs_and_is_joined),
	KTEST_MACHINE(test_thread_never_started_goes_with_its_reference),
	KTEST_MACHINE(test_thread_nobody_holds_is_reaped),
	KTEST_MACHINE(test_task_kill_ends_all_its_threads),
	KTEST_MACHINE(test_task_refuses_threads_when_ending),
	KTEST_MACHINE(test_task_is_found_by_id_while_it_lives),
	KTEST_MACHINE(test_task_walk_meets_the_kernel_task),
	KTEST_MACHINE(test_task_account_sums_its_threads),
	KTEST_MACHINE(test_irq_refuses_numbers_that_are_no_device),
	KTEST_MACHINE(test_irq_counts_timer_interrupts),
	{0},
};
