/*
 * futex(2), private: FUTEX_WAIT and FUTEX_WAKE with their BITSET forms.
 *
 * Waiters hang in buckets by address space and address. A waiter enters its bucket before it looks
 * at the word, so that a wake-up between look and sleep is not lost.
 *
 * State: struct futexes. Lock: of a bucket (LOCK_RANK_SERVICE), never held while it sleeps or
 * reads user memory.
 */
#include "services/linux/linux_priv.h"

#include "core/list.h"
#include "services/linux/call_priv.h"

#define FUTEX_WAIT 0u
#define FUTEX_WAKE 1u
#define FUTEX_WAIT_BITSET 9u
#define FUTEX_WAKE_BITSET 10u
#define FUTEX_PRIVATE_FLAG 128u
#define FUTEX_CLOCK_REALTIME 256u
#define FUTEX_ANY_BIT UINT32_MAX

#define BUCKETS_COUNT 64u

struct bucket {
	struct spinlock lock;
	struct list waiters; /* struct waiter.link. Guarded by lock; prev NULL: never used */
};

struct waiter {
	struct list link;	/* Guarded by the bucket's lock */
	struct space *space;	/* Set once */
	vaddr_t addr;		/* Set once */
	uint32_t bits;		/* Set once */
	_Atomic bool woken;	/* Set under the bucket's lock */
	struct wait_queue queue;
};

static struct {
	struct bucket buckets[BUCKETS_COUNT];
} futexes = {
	.buckets = {[0 ... BUCKETS_COUNT - 1] = {.lock = SPINLOCK_INIT(LOCK_RANK_SERVICE,
								       "futex")}},
};

/* The bucket, locked and ready for use. */
static struct bucket *lock_bucket(const struct space *space, vaddr_t addr)
{
	uint64_t mix = ((uintptr_t)space >> 4 ^ addr >> 2) * 0x9e3779b97f4a7c15ull;
	struct bucket *bucket = &futexes.buckets[mix >> 58];

	spin_lock(&bucket->lock);
	if (!bucket->waiters.next)
		list_init(&bucket->waiters);
	return bucket;
}

static int64_t wake(vaddr_t addr, uint32_t max, uint32_t bits)
{
	struct bucket *bucket = lock_bucket(space_this(), addr);
	struct waiter *waiter, *after;
	uint32_t count = 0;

	LIST_FOR_EACH_SAFE(waiter, after, &bucket->waiters, link)
	{
		if (count == max)
			break;
		if (waiter->space != space_this() || waiter->addr != addr || !(waiter->bits & bits))
			continue;
		list_remove(&waiter->link);
		/* It cannot go away before the bucket is unlocked: it must lock it to leave. */
		atomic_store(&waiter->woken, true);
		wake_up_all(&waiter->queue);
		count++;
	}
	spin_unlock(&bucket->lock);
	return count;
}

/* Sleeps as long as the word has `value`. 0, -EAGAIN, -ETIMEDOUT, -EINTR, -EFAULT. */
static int64_t wait(vaddr_t addr, uint32_t value, uint64_t deadline_ns, uint32_t bits)
{
	struct waiter waiter = {.space = space_this(), .addr = addr, .bits = bits};
	struct bucket *bucket;
	uint32_t word;
	int err;

	wait_queue_init(&waiter.queue, "futex");
	bucket = lock_bucket(waiter.space, addr);
	list_add_last(&bucket->waiters, &waiter.link);
	spin_unlock(&bucket->lock);
	err = copy_in(waiter.space, &word, addr, sizeof(word));
	if (!err && word != value)
		err = -EAGAIN;
	if (!err)
		WAIT_UNTIL(err, &waiter.queue, deadline_ns, WAIT_INTERRUPTIBLE,
			   atomic_load(&waiter.woken));
	spin_lock(&bucket->lock);
	list_remove(&waiter.link);
	spin_unlock(&bucket->lock);
	return atomic_load(&waiter.woken) ? 0 : err;
}

/* The deadline of a wait: relative for FUTEX_WAIT, absolute for FUTEX_WAIT_BITSET. */
static int read_deadline(vaddr_t timeout, uint32_t operation, uint64_t *deadline_ns)
{
	bool absolute = (operation & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)) != FUTEX_WAIT;
	unsigned clock = operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	uint64_t ns;
	int err;

	*deadline_ns = HAL_TIME_NEVER;
	if (!timeout)
		return 0;
	err = linux_copy_in_time(timeout, &ns);
	if (!err)
		*deadline_ns = linux_deadline(clock, ns, absolute);
	return err;
}

/* futex(2). With one thread in each process, a futex that is not private has no other user. */
int64_t linux_futex(const uint64_t args[6])
{
	uint32_t operation = (uint32_t)args[1];
	uint32_t command = operation & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	uint32_t bits = FUTEX_ANY_BIT;
	uint64_t deadline_ns;
	int err;

	if (args[0] & 3)
		return -EINVAL;
	if (args[0] >= HAL_USER_MAX)
		return -EFAULT;
	if (command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET)
		bits = (uint32_t)args[5];
	switch (command) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		err = read_deadline(args[3], operation, &deadline_ns);
		if (err)
			return err;
		return bits ? wait(args[0], (uint32_t)args[2], deadline_ns, bits) : -EINVAL;
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		if (operation & FUTEX_CLOCK_REALTIME)
			return -ENOSYS;
		return bits ? wake(args[0], (uint32_t)args[2], bits) : -EINVAL;
	default:
		return -ENOSYS;
	}
}
