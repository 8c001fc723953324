/*
 * Facts of spin locks.
 */
#include "core/cpu.h"
#include "core/lock.h"
#include "core/sched.h"
#include "core/task.h"
#include "tests/kernel/ktest.h"

#define THREADS 8
#define ROUNDS 2000

static void test_lock_disables_interrupts_until_the_last_release(void)
{
	struct spinlock outer = SPINLOCK_INIT(LOCK_RANK_SERVICE, "outer");
	struct spinlock inner = SPINLOCK_INIT(LOCK_RANK_DRIVER, "inner");
	bool before = hal_irq_enabled();

	spin_lock(&outer);
	EXPECT(!hal_irq_enabled());
	spin_lock(&inner);
	EXPECT(spin_held(&inner) && spin_held(&outer));
	spin_unlock(&outer);
	EXPECT(!hal_irq_enabled() && !spin_held(&outer));
	spin_unlock(&inner);
	EXPECT(hal_irq_enabled() == before);
	lock_assert_none();
}

static void test_lock_try_fails_while_held(void)
{
	struct spinlock lock = SPINLOCK_INIT(LOCK_RANK_SERVICE, "lock");

	CHECK(spin_try_lock(&lock));
	EXPECT(!spin_try_lock(&lock));
	spin_unlock(&lock);
	CHECK(spin_try_lock(&lock));
	spin_unlock(&lock);
}

static void test_lock_try_is_not_bound_by_rank(void)
{
	struct spinlock outer = SPINLOCK_INIT(LOCK_RANK_SERVICE, "outer");
	struct spinlock inner = SPINLOCK_INIT(LOCK_RANK_DRIVER, "inner");

	spin_lock(&inner);
	EXPECT(spin_try_lock(&outer));
	spin_unlock(&outer);
	spin_unlock(&inner);
}

static void test_lock_two_takes_both_in_either_order(void)
{
	struct spinlock locks[2] = {SPINLOCK_INIT(LOCK_RANK_SERVICE, "a"),
				    SPINLOCK_INIT(LOCK_RANK_SERVICE, "b")};

	for (unsigned i = 0; i < 2; i++) {
		spin_lock_two(&locks[i], &locks[1 - i]);
		EXPECT(spin_held(&locks[0]) && spin_held(&locks[1]));
		spin_unlock_two(&locks[i], &locks[1 - i]);
		EXPECT(!spin_held(&locks[0]) && !spin_held(&locks[1]));
	}
	spin_lock_two(&locks[0], &locks[0]);
	spin_unlock_two(&locks[0], &locks[0]);
	EXPECT(!spin_held(&locks[0]));
}

struct shared {
	struct spinlock lock;
	struct mutex mutex;
	uint64_t sum; /* Guarded by lock, or by mutex */
};

static void add_locked(void *arg)
{
	struct shared *shared = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		spin_lock(&shared->lock);
		shared->sum++;
		spin_unlock(&shared->lock);
		if (i % 64 == 0)
			sched_yield_now();
	}
}

static void add_mutexed(void *arg)
{
	struct shared *shared = arg;

	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		uint64_t sum;

		mutex_lock(&shared->mutex);
		sum = shared->sum;
		if (i % 16 == 0)
			sched_yield_now();
		shared->sum = sum + 1;
		mutex_unlock(&shared->mutex);
	}
}

static uint64_t run_on_all(void (*entry)(void *))
{
	struct shared shared = {.lock = SPINLOCK_INIT(LOCK_RANK_SERVICE, "shared")};
	struct thread *threads[THREADS];
	unsigned started = 0;

	mutex_init(&shared.mutex, "shared");
	while (started < THREADS &&
	       !thread_create_kernel(NULL, "adder", entry, &shared, &threads[started]))
		thread_start(threads[started++]);
	EXPECT(started == THREADS);
	while (started > 0) {
		thread_join(threads[--started]);
		thread_put(threads[started]);
	}
	return shared.sum;
}

static void test_lock_loses_no_update_on_all_cpus(void)
{
	CHECK(run_on_all(add_locked) == THREADS * ROUNDS);
}

static void test_mutex_loses_no_update_on_all_cpus(void)
{
	CHECK(run_on_all(add_mutexed) == THREADS * (ROUNDS / 4));
}

static void test_mutex_try_fails_while_held(void)
{
	struct mutex mutex;

	mutex_init(&mutex, "mutex");
	CHECK(mutex_try_lock(&mutex));
	EXPECT(!mutex_try_lock(&mutex));
	mutex_unlock(&mutex);
	CHECK(mutex_try_lock(&mutex));
	mutex_unlock(&mutex);
}

const struct ktest ktests_lock[] = {
	KTEST(test_lock_disables_interrupts_until_the_last_release),
	KTEST(test_lock_try_fails_while_held),
	KTEST(test_lock_try_is_not_bound_by_rank),
	KTEST(test_lock_two_takes_both_in_either_order),
	KTEST_MACHINE(test_lock_loses_no_update_on_all_cpus),
	KTEST_MACHINE(test_mutex_loses_no_update_on_all_cpus),
	KTEST_MACHINE(test_mutex_try_fails_while_held),
	{0},
};
