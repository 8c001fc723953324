/*
 * Balancing: where a thread that becomes READY should run, and evening out between CPUs.
 *
 * The load of a CPU is the number of threads that are READY or running there, read without locks as
 * a hint. Three occasions: placing (an idle CPU if there is one, its last one first), an idle CPU
 * pulls, and a CPU with several threads pushes one to a CPU that has two fewer. With one CPU none
 * of this does anything.
 */
#include "core/cpu.h"
#include "core/sched_priv.h"
#include "core/state.h"
#include "core/task.h"

static struct run_queue *queue_of(unsigned cpu)
{
	return &kernel.sched.queues[cpu];
}

static unsigned read_load(unsigned cpu)
{
	struct run_queue *rq = queue_of(cpu);

	return atomic_load_explicit(&rq->ready, memory_order_relaxed) +
	       !atomic_load_explicit(&rq->idling, memory_order_relaxed);
}

static bool is_online(unsigned cpu)
{
	return atomic_load_explicit(&cpu_get(cpu)->online, memory_order_acquire);
}

unsigned sched_choose_cpu(const struct thread *thread)
{
	unsigned last = atomic_load(&thread->sched.cpu);
	unsigned best = last, best_load = UINT32_MAX;

	if (sched_may_run_on(&thread->sched, last) && is_online(last)) {
		best_load = read_load(last);
		if (!best_load)
			return last;
	}
	for (unsigned i = 0; i < hal_cpu_count(); i++) {
		unsigned load = read_load(i);

		if (load < best_load && is_online(i) && sched_may_run_on(&thread->sched, i)) {
			best = i;
			best_load = load;
		}
	}
	return best;
}

/* The longest waiting thread that may run on `cpu`. */
static struct thread *find_movable_locked(struct run_queue *rq, unsigned cpu)
{
	struct sched_entity *entity;

	LIST_FOR_EACH (entity, &rq->age, age_link) {
		if (sched_may_run_on(entity, cpu))
			return CONTAINER_OF(entity, struct thread, sched);
	}
	return NULL;
}

/* Moves one READY thread. False if there is none that may move. */
static bool move_one(struct run_queue *from, struct run_queue *to)
{
	struct thread *thread;

	spin_lock_two(&from->lock, &to->lock);
	thread = find_movable_locked(from, to->cpu);
	if (thread) {
		sched_dequeue_locked(from, thread);
		atomic_store(&thread->sched.cpu, to->cpu);
		to->stats.migrations++;
		sched_enqueue_locked(to, thread, hal_time_ns());
	}
	spin_unlock_two(&from->lock, &to->lock);
	return thread != NULL;
}

void sched_pull(void)
{
	struct run_queue *mine = queue_of(hal_cpu_id());

	for (unsigned i = 1; i < hal_cpu_count(); i++) {
		unsigned cpu = (mine->cpu + i) % hal_cpu_count();

		if (!is_online(cpu) ||
		    !atomic_load_explicit(&queue_of(cpu)->ready, memory_order_relaxed))
			continue;
		if (move_one(queue_of(cpu), mine))
			return;
	}
}

void sched_push(uint64_t now_ns)
{
	struct run_queue *mine = queue_of(hal_cpu_id());
	unsigned load = read_load(mine->cpu), least = load, target = mine->cpu;

	if (now_ns - mine->balanced_ns < BALANCE_NS)
		return;
	mine->balanced_ns = now_ns;
	for (unsigned i = 0; i < hal_cpu_count(); i++) {
		if (is_online(i) && read_load(i) < least) {
			least = read_load(i);
			target = i;
		}
	}
	if (least + 1 < load)
		move_one(mine, queue_of(target));
}
