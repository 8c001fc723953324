/*
 * The scheduler: run queues, switching, waking, ticks.
 *
 * A thread that runs or is READY has joined the run queue of one CPU; the one that runs is not in
 * its structures. A switch is made under the run queue's lock, which the thread that is switched
 * to releases: so whoever holds the lock of a SLEEPING or READY thread's queue knows that its
 * context is saved.
 *
 * Invariants:
 *   1. entity->cpu changes only under the lock of the queue that it names before the change.
 *   2. A thread in state READY is queued, or somebody is about to queue it
 *      (place_and_unlock()), or it is rq->moving.
 *   3. A CPU with queued threads that runs another thread has a tick set.
 */
#include "core/sched_priv.h"

#include "core/cpu.h"
#include "core/state.h"
#include "core/task.h"
#include "core/timer.h"
#include "core/trace.h"

static struct thread *thread_of(struct sched_entity *entity)
{
	return CONTAINER_OF(entity, struct thread, sched);
}

static struct run_queue *queue_this(void)
{
	return &kernel.sched.queues[hal_cpu_id()];
}

/* Locks the queue that the thread belongs to. */
static struct run_queue *lock_queue_of(struct thread *thread)
{
	for (;;) {
		unsigned cpu = atomic_load(&thread->sched.cpu);
		struct run_queue *rq = &kernel.sched.queues[cpu];

		spin_lock(&rq->lock);
		if (atomic_load(&thread->sched.cpu) == cpu)
			return rq;
		spin_unlock(&rq->lock);
	}
}

bool sched_may_run_on(const struct sched_entity *entity, unsigned cpu)
{
	return entity->params.affinity >> cpu & 1;
}

static void set_state(struct thread *thread, enum thread_state state)
{
	atomic_store_explicit(&thread->state, (int)state, memory_order_relaxed);
}

static enum thread_state get_state(const struct thread *thread)
{
	return (enum thread_state)atomic_load_explicit(&thread->state, memory_order_relaxed);
}

/* ---- Queueing ---- */

/* Sorted by ready_since_ns; almost always at the end. */
static void add_by_age(struct run_queue *rq, struct sched_entity *entity)
{
	struct list *before = rq->age.prev;

	while (before != &rq->age &&
	       LIST_ENTRY(before, struct sched_entity, age_link)->ready_since_ns >
		       entity->ready_since_ns)
		before = before->prev;
	list_add_first(before, &entity->age_link);
}

static void insert_locked(struct run_queue *rq, struct sched_entity *entity, bool resumes)
{
	const struct sched_class *class = sched_class_of(entity);

	lock_assert_held(&rq->lock);
	if (!entity->joined) {
		entity->joined = true;
		class->join(rq, entity);
	}
	class->enqueue(rq, entity, resumes);
	add_by_age(rq, entity);
	entity->queued = true;
	atomic_fetch_add_explicit(&rq->ready, 1, memory_order_relaxed);
}

static void remove_locked(struct run_queue *rq, struct sched_entity *entity)
{
	sched_class_of(entity)->dequeue(rq, entity);
	list_remove(&entity->age_link);
	entity->queued = false;
	atomic_fetch_sub_explicit(&rq->ready, 1, memory_order_relaxed);
}

static void leave_locked(struct run_queue *rq, struct sched_entity *entity)
{
	if (entity->joined)
		sched_class_of(entity)->leave(rq, entity);
	entity->joined = false;
}

void sched_dequeue_locked(struct run_queue *rq, struct thread *thread)
{
	remove_locked(rq, &thread->sched);
	leave_locked(rq, &thread->sched);
}

/* When the current thread should be looked at again; none while nobody waits. Own CPU. */
static void set_tick_locked(struct run_queue *rq, uint64_t now)
{
	const struct sched_entity *oldest = LIST_FIRST(&rq->age, struct sched_entity, age_link);
	uint64_t slice, age;

	if (!oldest || rq->current == rq->idle) {
		timer_set_tick(HAL_TIME_NEVER);
		return;
	}
	slice = sched_class_of(&rq->current->sched)->slice_ns(rq, &rq->current->sched);
	age = oldest->ready_since_ns + SCHED_AGING_NS;
	timer_set_tick(rq->aged || age <= now ? now + MIN(slice, FAIR_SLICE_NS)
					       : MIN(now + slice, age));
}

static bool should_preempt(struct run_queue *rq, const struct sched_entity *woken, uint64_t now)
{
	const struct sched_entity *current = &rq->current->sched;

	if (rq->current == rq->idle)
		return true;
	if (rq->aged)
		return false;
	if (sched_is_rt(woken) != sched_is_rt(current))
		return sched_is_rt(woken) && !sched_rt_throttled(rq, now);
	return sched_class_of(woken)->preempts(rq, woken, current);
}

void sched_enqueue_locked(struct run_queue *rq, struct thread *thread, uint64_t now_ns)
{
	bool first = !atomic_load_explicit(&rq->ready, memory_order_relaxed);

	insert_locked(rq, &thread->sched, false);
	if (should_preempt(rq, &thread->sched, now_ns))
		sched_request(rq->cpu);
	else if (first && rq->cpu != hal_cpu_id())
		hal_cpu_kick(rq->cpu); /* it has to set a tick */
	else if (first)
		set_tick_locked(rq, now_ns);
}

/*
 * Queues a READY thread that is in no queue, and whose context is saved, on a CPU of its choice.
 * Called with the lock of its queue, which is released. Between the locks of two CPUs it is READY
 * and not queued: nobody else queues it.
 */
static void place_and_unlock(struct run_queue *rq, struct thread *thread)
{
	unsigned cpu;

	while ((cpu = sched_choose_cpu(thread)) != rq->cpu) {
		rq->stats.migrations++;
		atomic_store(&thread->sched.cpu, cpu);
		spin_unlock(&rq->lock);
		rq = &kernel.sched.queues[cpu];
		spin_lock(&rq->lock);
	}
	thread->sched.cause = trace_event(TRACE_WAKE, thread->id, cpu);
	sched_enqueue_locked(rq, thread, hal_time_ns());
	spin_unlock(&rq->lock);
}

static void make_ready(struct thread *thread, enum thread_state from)
{
	struct run_queue *rq = lock_queue_of(thread);

	if (get_state(thread) != from) {
		spin_unlock(&rq->lock);
		return;
	}
	set_state(thread, THREAD_READY);
	thread->sched.ready_since_ns = hal_time_ns();
	rq->stats.wakeups++;
	place_and_unlock(rq, thread);
}

void sched_wake(struct thread *thread)
{
	make_ready(thread, THREAD_SLEEPING);
}

void sched_start(struct thread *thread)
{
	make_ready(thread, THREAD_NEW);
}

/* ---- Switching ---- */

static void charge_locked(struct run_queue *rq, uint64_t now)
{
	struct sched_entity *entity = &rq->current->sched;

	if (rq->current != rq->idle &&
	    sched_class_of(entity)->charge(rq, entity, now - entity->run_since_ns)) {
		rq->aged = false;
		if (atomic_load_explicit(&rq->ready, memory_order_relaxed))
			atomic_store(&cpu_get(rq->cpu)->reschedule, true);
		entity->slice_over = true;
	}
	entity->run_since_ns = now;
}

/* Takes what should run next out of the queue; the idle thread if there is nothing. */
static struct thread *pick_locked(struct run_queue *rq, uint64_t now)
{
	struct sched_entity *entity = LIST_FIRST(&rq->age, struct sched_entity, age_link);

	rq->aged = entity && now - entity->ready_since_ns >= SCHED_AGING_NS;
	if (!rq->aged) {
		struct sched_entity *rt = sched_rt_class.first(rq);

		entity = NULL;
		if (!rt || sched_rt_throttled(rq, now))
			entity = sched_fair_class.first(rq);
		if (!entity)
			entity = rt;
	}
	if (!entity)
		return rq->idle;
	rq->stats.aged += rq->aged;
	remove_locked(rq, entity);
	return thread_of(entity);
}

/* What becomes of the thread that gives up the CPU. True: it may go on if it is picked. */
static void put_previous_locked(struct run_queue *rq, struct thread *prev, uint64_t now)
{
	struct sched_entity *entity = &prev->sched;
	enum thread_state state = get_state(prev);

	if (prev == rq->idle) {
		set_state(prev, THREAD_READY);
		return;
	}
	if (state != THREAD_RUNNING) {
		account_add(&prev->account.switches_voluntary, 1);
		leave_locked(rq, entity);
		if (state == THREAD_DEAD)
			rq->dead = prev;
		return;
	}
	set_state(prev, THREAD_READY);
	entity->ready_since_ns = now;
	if (sched_may_run_on(entity, rq->cpu)) {
		insert_locked(rq, entity, !entity->slice_over && !rq->yielding);
		return;
	}
	leave_locked(rq, entity);
	rq->moving = prev;
}

static void set_current_locked(struct run_queue *rq, struct thread *next, uint64_t now)
{
	bool idle = next == rq->idle, was_idle = rq->current == rq->idle;

	if (was_idle && !idle)
		rq->stats.idle_ns += now - rq->idle_since_ns;
	if (idle && !was_idle)
		rq->idle_since_ns = now;
	rq->current = next;
	atomic_store_explicit(&rq->idling, idle, memory_order_relaxed);
	set_state(next, THREAD_RUNNING);
	next->sched.slice_over = false;
	next->sched.run_since_ns = now;
	if (!idle)
		account_add(&next->account.wait_ns, now - next->sched.ready_since_ns);
}

/* The end of each switch, in the context of the thread switched to: releases the lock, and does
 * what could not be done for the one before while its context was in use. Interrupts disabled. */
static void finish_switch(void)
{
	struct run_queue *rq = queue_this();
	struct thread *dead = rq->dead, *moving = rq->moving;

	rq->dead = rq->moving = NULL;
	spin_unlock(&rq->lock);
	if (moving)
		place_and_unlock(lock_queue_of(moving), moving);
	if (dead)
		thread_ended(dead);
}

/*
 * Gives the CPU to who should have it. Called with the lock of this CPU's queue held and interrupts
 * disabled before that; returns when this thread runs again, maybe on another CPU, without lock.
 */
static void switch_and_unlock(struct run_queue *rq)
{
	struct thread *prev = rq->current, *next;
	struct cpu *cpu = cpu_this();
	uint64_t now = hal_time_ns();

	charge_locked(rq, now);
	atomic_store(&cpu->reschedule, false);
	if (rq->yielding)
		sched_class_of(&prev->sched)->yield(rq, &prev->sched);
	put_previous_locked(rq, prev, now);
	rq->yielding = false;
	next = pick_locked(rq, now);
	set_current_locked(rq, next, now);
	set_tick_locked(rq, now);
	if (next == prev) {
		finish_switch();
		return;
	}
	if (get_state(prev) == THREAD_READY && prev != rq->idle)
		account_add(&prev->account.switches_forced, 1);
	rq->stats.switches++;
	thread_account_kernel(prev, now);
	next->account_since_ns = now;
	trace_event(TRACE_SWITCH, prev->id, next->id);
	cpu->thread = next;
	cpu->cause = next->sched.cause;
	hal_context_switch(&prev->context, &next->context);
	finish_switch();
}

/* Runs whoever should run, which may be this thread. */
static void reschedule(bool yielding)
{
	bool irq = hal_irq_disable();
	struct run_queue *rq = queue_this();

	lock_assert_none();
	spin_lock(&rq->lock);
	rq->yielding = yielding;
	rq->stats.preemptions += !yielding && rq->current != rq->idle;
	switch_and_unlock(rq);
	hal_irq_restore(irq);
}

void sched_sleep(bool (*stop)(void *arg), void *arg)
{
	bool irq = hal_irq_disable();
	struct run_queue *rq = queue_this();

	lock_assert_none();
	spin_lock(&rq->lock);
	if (stop(arg)) {
		spin_unlock(&rq->lock);
	} else {
		set_state(rq->current, THREAD_SLEEPING);
		switch_and_unlock(rq);
	}
	hal_irq_restore(irq);
}

void sched_exit(void)
{
	struct run_queue *rq;

	hal_irq_disable();
	lock_assert_none();
	rq = queue_this();
	spin_lock(&rq->lock);
	set_state(rq->current, THREAD_DEAD);
	switch_and_unlock(rq);
	panic("thread %u runs after its end", thread_this()->id);
}

void sched_start_thread(void)
{
	finish_switch();
	hal_irq_enable();
}

void sched_yield_now(void)
{
	sched_point();
	if (atomic_load_explicit(&queue_this()->ready, memory_order_relaxed))
		reschedule(true);
}

void sched_point(void)
{
	if (hal_irq_enabled() && hal_irq_pending())
		hal_irq_enable();
	if (sched_requested())
		reschedule(false);
}

bool sched_requested(void)
{
	return atomic_load_explicit(&cpu_this()->reschedule, memory_order_relaxed);
}

void sched_request(unsigned cpu)
{
	atomic_store(&cpu_get(cpu)->reschedule, true);
	if (cpu != hal_cpu_id())
		hal_cpu_kick(cpu);
}

void sched_kick_running(struct thread *thread)
{
	struct run_queue *rq = lock_queue_of(thread);

	if (rq->current == thread && rq->cpu != hal_cpu_id())
		hal_cpu_kick(rq->cpu);
	spin_unlock(&rq->lock);
}

/* ---- Interrupts ---- */

void sched_kick(void)
{
	struct run_queue *rq = queue_this();

	spin_lock(&rq->lock);
	if (rq->current)
		set_tick_locked(rq, hal_time_ns());
	spin_unlock(&rq->lock);
}

void sched_tick(uint64_t now_ns)
{
	struct run_queue *rq = queue_this();
	const struct sched_entity *oldest;

	spin_lock(&rq->lock);
	charge_locked(rq, now_ns);
	oldest = LIST_FIRST(&rq->age, struct sched_entity, age_link);
	if (oldest && !rq->aged && now_ns - oldest->ready_since_ns >= SCHED_AGING_NS)
		atomic_store(&cpu_get(rq->cpu)->reschedule, true);
	if (oldest && sched_is_rt(&rq->current->sched) && sched_rt_throttled(rq, now_ns))
		atomic_store(&cpu_get(rq->cpu)->reschedule, true);
	set_tick_locked(rq, now_ns);
	spin_unlock(&rq->lock);
	sched_push(now_ns);
}

/* ---- Parameters, statistics, start ---- */

static bool params_valid(const struct sched_params *params)
{
	uint64_t online = 0;

	for (unsigned i = 0; i < hal_cpu_count(); i++)
		online |= (uint64_t)atomic_load(&cpu_get(i)->online) << i;
	if (!(params->affinity & online))
		return false;
	switch (params->policy) {
	case SCHED_POLICY_FAIR:
	case SCHED_POLICY_IDLE:
		return params->nice >= SCHED_NICE_MIN && params->nice <= SCHED_NICE_MAX;
	case SCHED_POLICY_FIFO:
	case SCHED_POLICY_RR:
		return params->priority >= SCHED_RT_MIN && params->priority <= SCHED_RT_MAX;
	default:
		return false;
	}
}

static void set_params(struct sched_entity *entity, const struct sched_params *params)
{
	entity->params = *params;
	entity->weight = sched_is_rt(entity) ? 0 : sched_fair_weight(params);
}

void sched_init_entity(struct sched_entity *entity, const struct sched_params *params)
{
	*entity = (struct sched_entity){.cpu = hal_cpu_id()};
	list_init(&entity->link);
	list_init(&entity->age_link);
	set_params(entity, params);
}

int sched_set(struct thread *thread, const struct sched_params *params)
{
	struct sched_entity *entity = &thread->sched;
	struct run_queue *rq;
	bool queued, joined;

	if (!params_valid(params))
		return -EINVAL;
	rq = lock_queue_of(thread);
	queued = entity->queued;
	joined = entity->joined;
	if (rq->current == thread)
		charge_locked(rq, hal_time_ns());
	if (queued)
		remove_locked(rq, entity);
	leave_locked(rq, entity);
	set_params(entity, params);
	if (joined && !queued) {
		entity->joined = true;
		sched_class_of(entity)->join(rq, entity);
		sched_request(rq->cpu);
	}
	if (queued)
		place_and_unlock(rq, thread);
	else
		spin_unlock(&rq->lock);
	if (thread == thread_this())
		sched_point();
	return 0;
}

void sched_get(struct thread *thread, struct sched_params *params)
{
	struct run_queue *rq = lock_queue_of(thread);

	*params = thread->sched.params;
	spin_unlock(&rq->lock);
}

void sched_stats(unsigned cpu, struct sched_stats *stats)
{
	struct run_queue *rq = &kernel.sched.queues[cpu];
	uint64_t now = hal_time_ns();

	spin_lock(&rq->lock);
	*stats = rq->stats;
	if (rq->current == rq->idle)
		stats->idle_ns += now - rq->idle_since_ns;
	stats->busy_ns = now - rq->started_ns - stats->idle_ns;
	stats->ready = atomic_load_explicit(&rq->ready, memory_order_relaxed);
	spin_unlock(&rq->lock);
}

void sched_init(void)
{
	for (unsigned i = 0; i < HAL_CPUS_MAX; i++) {
		struct run_queue *rq = &kernel.sched.queues[i];

		spinlock_init(&rq->lock, LOCK_RANK_SCHED, "run queue");
		rq->cpu = i;
		list_init(&rq->age);
		sched_fair_init(&rq->fair);
		sched_rt_init(&rq->rt);
	}
}

void sched_init_idle(unsigned cpu, struct thread *idle)
{
	struct run_queue *rq = &kernel.sched.queues[cpu];

	idle->sched.cpu = cpu;
	set_state(idle, THREAD_RUNNING);
	rq->idle = rq->current = idle;
	atomic_store(&rq->idling, true);
	rq->started_ns = rq->idle_since_ns = hal_time_ns();
	idle->account_since_ns = rq->started_ns;
	cpu_get(cpu)->idle = cpu_get(cpu)->thread = idle;
}

void sched_cpu_main(void)
{
	struct run_queue *rq = queue_this();

	atomic_store(&cpu_this()->online, true);
	for (;;) {
		hal_irq_disable();
		if (!atomic_load_explicit(&rq->ready, memory_order_relaxed))
			sched_pull();
		if (atomic_load_explicit(&rq->ready, memory_order_relaxed)) {
			reschedule(false);
			continue;
		}
		atomic_store(&cpu_this()->reschedule, false);
		hal_cpu_idle();
		hal_irq_enable();
	}
}
