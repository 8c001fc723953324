/*
 * Wait queues and mutexes.
 *
 * Why no wake-up is lost: the waker sets `woken` and then calls sched_wake(), which takes the run
 * queue's lock of the thread; the sleeper looks at `woken` under that same lock before it becomes
 * SLEEPING. So either the sleeper sees `woken`, or the waker sees SLEEPING.
 *
 * Why a waker's pointer is good: it takes nodes from the queue and wakes their threads under the
 * queue's lock, and the waiter passes that lock in wait_finish() before it can go away.
 */
#include "core/wait.h"

#include "core/state.h"
#include "core/task.h"
#include "core/timer.h"

/* One sleep of a thread, on its stack. */
struct sleep {
	struct thread *thread;
	struct timer timer;
	_Atomic bool timed_out;
	unsigned flags;
};

void wait_queue_init(struct wait_queue *queue, const char *name)
{
	spinlock_init(&queue->lock, LOCK_RANK_WAIT, name);
	list_init(&queue->waiters);
}

void wait_prepare(struct wait_queue *queue)
{
	struct wait_node *node = &thread_this()->wait;

	ASSERT(!node->queue || node->queue == queue);
	spin_lock(&queue->lock);
	if (list_empty(&node->link))
		list_add_last(&queue->waiters, &node->link);
	node->queue = queue;
	atomic_store_explicit(&node->woken, false, memory_order_relaxed);
	spin_unlock(&queue->lock);
}

static void expire_sleep(struct timer *timer)
{
	struct sleep *sleep = CONTAINER_OF(timer, struct sleep, timer);

	atomic_store(&sleep->timed_out, true);
	sched_wake(sleep->thread);
}

static bool is_interrupted(const struct sleep *sleep)
{
	return (sleep->flags & WAIT_INTERRUPTIBLE) &&
	       (atomic_load(&sleep->thread->interrupted) || atomic_load(&sleep->thread->killed));
}

static bool is_over(void *arg)
{
	struct sleep *sleep = arg;

	return atomic_load(&sleep->thread->wait.woken) || atomic_load(&sleep->timed_out) ||
	       is_interrupted(sleep);
}

/* Why the sleep is over; being woken counts most, so that a wake-up is never given away. */
static int find_result(struct sleep *sleep)
{
	struct thread *thread = sleep->thread;

	if (atomic_load(&thread->wait.woken))
		return 0;
	if (!is_interrupted(sleep))
		return -ETIMEDOUT;
	/* User threads clear it on the way to user code, where signals are looked at. */
	if (!thread->user)
		atomic_store(&thread->interrupted, false);
	return -EINTR;
}

int wait_sleep(uint64_t deadline_ns, unsigned flags)
{
	struct sleep sleep = {.thread = thread_this(), .flags = flags};
	bool timed = deadline_ns != HAL_TIME_NEVER;

	lock_assert_none();
	ASSERT(sleep.thread->wait.queue);
	if (timed && deadline_ns <= hal_time_ns())
		atomic_store(&sleep.timed_out, true);
	if (is_over(&sleep)) {
		sched_point();
		return find_result(&sleep);
	}
	if (timed) {
		timer_prepare(&sleep.timer, expire_sleep);
		timer_set(&sleep.timer, deadline_ns);
	}
	while (!is_over(&sleep))
		sched_sleep(is_over, &sleep);
	if (timed)
		timer_cancel(&sleep.timer);
	return find_result(&sleep);
}

void wait_finish(void)
{
	struct wait_node *node = &thread_this()->wait;
	struct wait_queue *queue = node->queue;

	ASSERT(queue);
	spin_lock(&queue->lock);
	list_remove(&node->link);
	node->queue = NULL;
	spin_unlock(&queue->lock);
}

unsigned wake_up(struct wait_queue *queue, unsigned max)
{
	struct wait_node *node;
	unsigned count = 0;

	spin_lock(&queue->lock);
	while (count < max && (node = LIST_FIRST(&queue->waiters, struct wait_node, link))) {
		list_remove(&node->link);
		atomic_store(&node->woken, true);
		sched_wake(node->thread);
		count++;
	}
	spin_unlock(&queue->lock);
	return count;
}

unsigned wake_up_all(struct wait_queue *queue)
{
	return wake_up(queue, UINT32_MAX);
}

void mutex_init(struct mutex *mutex, const char *name)
{
	atomic_store(&mutex->owner, NULL);
	wait_queue_init(&mutex->queue, name);
}

bool mutex_try_lock(struct mutex *mutex)
{
	struct thread *nobody = NULL;

	return atomic_compare_exchange_strong_explicit(&mutex->owner, &nobody, thread_this(),
						       memory_order_acquire, memory_order_relaxed);
}

void mutex_lock(struct mutex *mutex)
{
	int err;

	lock_assert_none();
	if (mutex_try_lock(mutex))
		return;
	ASSERT(atomic_load_explicit(&mutex->owner, memory_order_relaxed) != thread_this());
	WAIT_UNTIL(err, &mutex->queue, HAL_TIME_NEVER, 0, mutex_try_lock(mutex));
	ASSERT(!err);
}

void mutex_unlock(struct mutex *mutex)
{
	ASSERT(atomic_load_explicit(&mutex->owner, memory_order_relaxed) == thread_this());
	/* Sequentially consistent, as the waiter's try after it has joined the queue: one of the
	 * two sees the other. */
	atomic_store(&mutex->owner, NULL);
	wake_up(&mutex->queue, 1);
}
