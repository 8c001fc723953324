/*
 * Spin locks with ranks: one word that names the holder, 0 while the lock is free.
 *
 * Not fair, on purpose. Our CPUs are often threads of a host that has fewer cores (the simulator,
 * QEMU): in a queue of tickets everybody waits while the host does not run the next in line. The
 * stress tests ran 5 to 50 times as long with tickets on four CPUs over two cores.
 *
 * Which locks a CPU holds is kept in its struct cpu, not in the thread: a lock is held by a CPU,
 * and the run queue's goes from one thread to the next across hal_context_switch().
 *
 * Invariants:
 *   1. held_count > 0 implies that interrupts are disabled on that CPU.
 *   2. Only the CPU that lock->holder names writes it, but for 0 -> own id + 1.
 */
#include "core/lock.h"

#include "core/cpu.h"
#include "core/klib.h"
#include "core/panic.h"

void spinlock_init(struct spinlock *lock, enum lock_rank rank, const char *name)
{
	*lock = (struct spinlock)SPINLOCK_INIT(rank, name);
}

static uint32_t find_lowest_rank(const struct cpu *cpu)
{
	uint32_t lowest = UINT32_MAX;

	for (unsigned i = 0; i < cpu->held_count; i++)
		lowest = MIN(lowest, cpu->held[i]->rank);
	return lowest;
}

/* Enters a lock that is taken in the books of this CPU. */
static void note_taken(struct cpu *cpu, struct spinlock *lock, bool irq_was_enabled)
{
	if (!cpu->held_count)
		cpu->irq_restore = irq_was_enabled;
	if (cpu->held_count == CPU_LOCKS_HELD_MAX)
		panic("lock '%s': more than %d locks held", lock->name, CPU_LOCKS_HELD_MAX);
	cpu->held[cpu->held_count++] = lock;
}

static bool try_take(struct spinlock *lock, const struct cpu *cpu)
{
	uint32_t nobody = 0;

	return atomic_compare_exchange_strong_explicit(&lock->holder, &nobody, cpu->id + 1,
						       memory_order_acquire, memory_order_relaxed);
}

/* `lowest`: ranks from here on are out of order. */
static void take_below(struct spinlock *lock, uint32_t lowest)
{
	bool irq = hal_irq_disable();
	struct cpu *cpu = cpu_this();

	if (spin_held(lock))
		panic("lock '%s': taken twice by CPU %u", lock->name, cpu->id);
	if (lock->rank >= lowest)
		panic("lock '%s' of rank %u: taken under a lock of rank %u", lock->name,
		      lock->rank, find_lowest_rank(cpu));
	while (!try_take(lock, cpu)) {
		/* Only reads while it is taken: the line stays shared between those who wait. */
		while (atomic_load_explicit(&lock->holder, memory_order_relaxed))
			hal_cpu_relax();
	}
	note_taken(cpu, lock, irq);
}

void spin_lock(struct spinlock *lock)
{
	take_below(lock, find_lowest_rank(cpu_this()));
}

bool spin_try_lock(struct spinlock *lock)
{
	bool irq = hal_irq_disable();
	struct cpu *cpu = cpu_this();

	if (!try_take(lock, cpu)) {
		hal_irq_restore(irq);
		return false;
	}
	note_taken(cpu, lock, irq);
	return true;
}

void spin_unlock(struct spinlock *lock)
{
	struct cpu *cpu = cpu_this();
	unsigned i = cpu->held_count;

	while (i > 0 && cpu->held[i - 1] != lock)
		i--;
	if (!i)
		panic("lock '%s': released by CPU %u, which does not hold it", lock->name, cpu->id);
	for (; i < cpu->held_count; i++)
		cpu->held[i - 1] = cpu->held[i];
	cpu->held_count--;
	atomic_store_explicit(&lock->holder, 0, memory_order_release);
	if (!cpu->held_count)
		hal_irq_restore(cpu->irq_restore);
}

void spin_lock_two(struct spinlock *a, struct spinlock *b)
{
	struct spinlock *first = a < b ? a : b;
	struct spinlock *second = a < b ? b : a;

	spin_lock(first);
	if (first != second)
		take_below(second, first->rank + 1);
}

void spin_unlock_two(struct spinlock *a, struct spinlock *b)
{
	if (a != b)
		spin_unlock(a);
	spin_unlock(b);
}

bool spin_held(const struct spinlock *lock)
{
	return atomic_load_explicit(&lock->holder, memory_order_relaxed) == cpu_this()->id + 1;
}

void lock_assert_none(void)
{
	struct cpu *cpu = cpu_this();

	if (cpu->held_count)
		panic("lock '%s' is held where the thread may block",
		      cpu->held[cpu->held_count - 1]->name);
}
