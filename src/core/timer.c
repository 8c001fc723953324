/*
 * High-resolution timers; see timer.h for the mechanism and the protocol of cancelling.
 *
 * Only a CPU itself programs its hardware timer: at the smaller of its first deadline and its
 * tick. Another CPU that cancels leaves it alone; an interrupt too many is harmless.
 */
#include "core/timer.h"

#include "core/cpu.h"
#include "core/sched.h"
#include "core/state.h"
#include "core/trace.h"

static struct timer_queue *queue_this(void)
{
	return &kernel.timer.queues[hal_cpu_id()];
}

static bool timer_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return CONTAINER_OF(a, struct timer, node)->deadline_ns <
	       CONTAINER_OF(b, struct timer, node)->deadline_ns;
}

static struct timer *first_locked(const struct timer_queue *queue)
{
	struct rbtree_node *node = rbtree_first(&queue->tree);

	return node ? CONTAINER_OF(node, struct timer, node) : NULL;
}

static void note_first_locked(struct timer_queue *queue)
{
	const struct timer *first = first_locked(queue);

	lock_assert_held(&queue->lock);
	atomic_store_explicit(&queue->next_ns, first ? first->deadline_ns : HAL_TIME_NEVER,
			      memory_order_relaxed);
}

static void remove_locked(struct timer_queue *queue, struct timer *timer)
{
	rbtree_erase(&queue->tree, &timer->node);
	timer->queued = false;
	note_first_locked(queue);
}

/* Own CPU, interrupts disabled. */
static void program(struct timer_queue *queue)
{
	uint64_t next = atomic_load_explicit(&queue->next_ns, memory_order_relaxed);

	next = MIN(next, queue->tick_ns);
	if (next == queue->programmed_ns)
		return;
	queue->programmed_ns = next;
	hal_timer_set(next);
}

void timer_prepare(struct timer *timer, void (*expire)(struct timer *timer))
{
	*timer = (struct timer){.expire = expire, .cpu = hal_cpu_id()};
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
	struct timer_queue *queue;
	bool irq = hal_irq_disable();

	queue = queue_this();
	if (atomic_load_explicit(&timer->cpu, memory_order_relaxed) != hal_cpu_id())
		timer_cancel(timer);
	spin_lock(&queue->lock);
	if (timer->queued)
		rbtree_erase(&queue->tree, &timer->node);
	atomic_store_explicit(&timer->cpu, hal_cpu_id(), memory_order_relaxed);
	timer->deadline_ns = deadline_ns;
	timer->queued = true;
	rbtree_insert(&queue->tree, &timer->node, timer_less);
	note_first_locked(queue);
	spin_unlock(&queue->lock);
	program(queue);
	hal_irq_restore(irq);
}

/* Removes it if it is set. False: its `expire` runs now; ask again. */
static bool try_cancel(struct timer *timer, bool *was_set)
{
	unsigned cpu = atomic_load_explicit(&timer->cpu, memory_order_relaxed);
	struct timer_queue *queue = &kernel.timer.queues[cpu];
	bool done;

	spin_lock(&queue->lock);
	*was_set = timer->queued && atomic_load(&timer->cpu) == cpu;
	if (*was_set)
		remove_locked(queue, timer);
	done = *was_set || queue->running != timer;
	spin_unlock(&queue->lock);
	return done;
}

bool timer_cancel(struct timer *timer)
{
	bool was_set;

	while (!try_cancel(timer, &was_set))
		hal_cpu_relax();
	return was_set;
}

void timer_set_tick(uint64_t deadline_ns)
{
	struct timer_queue *queue = queue_this();

	queue->tick_ns = deadline_ns;
	program(queue);
}

void timer_start_cpu(void)
{
	struct timer_queue *queue = queue_this();

	spinlock_init(&queue->lock, LOCK_RANK_TIMER, "timers");
	queue->tick_ns = queue->programmed_ns = HAL_TIME_NEVER;
	atomic_store(&queue->next_ns, HAL_TIME_NEVER);
}

/* Calls `expire` of all whose time has come; a timer that sets itself again into the past has its
 * turn in the next interrupt. */
static void expire_due(struct timer_queue *queue, uint64_t now)
{
	struct timer *timer;

	spin_lock(&queue->lock);
	while ((timer = first_locked(queue)) && timer->deadline_ns <= now) {
		remove_locked(queue, timer);
		queue->running = timer;
		spin_unlock(&queue->lock);
		trace_event(TRACE_TIMER, timer->deadline_ns, now - timer->deadline_ns);
		timer->expire(timer);
		spin_lock(&queue->lock);
		queue->running = NULL;
	}
	spin_unlock(&queue->lock);
}

void timer_interrupt(void)
{
	struct timer_queue *queue = queue_this();
	uint64_t now = hal_time_ns();

	queue->programmed_ns = HAL_TIME_NEVER;
	expire_due(queue, now);
	if (queue->tick_ns <= now) {
		queue->tick_ns = HAL_TIME_NEVER;
		sched_tick(now);
	}
	program(queue);
}
