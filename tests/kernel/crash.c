/*
 * Ways in which the kernel must end with a panic, each on request: selftest=crash:NAME. The script
 * tests/kernel/run-crashes runs them all on a machine and looks at what the panic says.
 */
#include "core/klib.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/object.h"
#include "core/panic.h"
#include "core/sched.h"
#include "core/slab.h"
#include "core/task.h"
#include "core/wait.h"
#include "hal/hal.h"
#include "tests/kernel/runner.h"

struct crash {
	const char *name;
	void (*run)(void);
};

static void crash_panic(void)
{
	panic("asked for: %s %d 0x%lx", "text", -5, 0xabcul);
}

static void crash_assert(void)
{
	volatile int two = 2;

	ASSERT(two + two == 5);
}

static void crash_lock_order(void)
{
	struct spinlock inner = SPINLOCK_INIT(LOCK_RANK_DRIVER, "inner");
	struct spinlock outer = SPINLOCK_INIT(LOCK_RANK_SERVICE, "outer");

	spin_lock(&inner);
	spin_lock(&outer);
}

static void crash_lock_twice(void)
{
	struct spinlock lock = SPINLOCK_INIT(LOCK_RANK_DRIVER, "twice");

	spin_lock(&lock);
	spin_lock(&lock);
}

static void crash_unlock(void)
{
	struct spinlock lock = SPINLOCK_INIT(LOCK_RANK_DRIVER, "free");

	spin_unlock(&lock);
}

static void crash_block(void)
{
	struct spinlock lock = SPINLOCK_INIT(LOCK_RANK_DRIVER, "held");
	struct mutex mutex;

	mutex_init(&mutex, "mutex");
	spin_lock(&lock);
	mutex_lock(&mutex);
}

static void destroy_nothing(struct object *object)
{
	(void)object;
}

static void crash_reference(void)
{
	struct object_type type = {.name = "crash", .destroy = destroy_nothing};
	struct object object;

	object_init(&object, &type);
	object_put(&object);
	object_put(&object);
}

static void crash_free(void)
{
	void *memory = kmalloc(100);
	void *volatile again = memory;

	kfree(memory);
	kfree(again);
}

/* The compiler may not see that it never ends. */
static uint64_t recurse(volatile uint64_t *depth)
{
	volatile uint64_t frame[32];

	frame[*depth % 32] = ++*depth;
	if (*depth == UINT64_MAX)
		return 0;
	return recurse(depth) + frame[*depth % 32];
}

static void crash_stack(void)
{
	volatile uint64_t depth = 0;

	log_write(LOG_INFO, "test", "%lu", (unsigned long)recurse(&depth));
}

static void crash_read(void)
{
	volatile uint64_t *volatile nowhere = (volatile uint64_t *)0x10;

	log_write(LOG_INFO, "test", "%lu", (unsigned long)*nowhere);
}

/* W^X: code is never written, ... */
static void crash_write_code(void)
{
	volatile uint32_t *volatile code = (volatile uint32_t *)(uintptr_t)crash_panic;

	*code = 0;
}

/* ...and data never run. */
static void crash_run_data(void)
{
	void *memory = kmalloc(64);
	void (*volatile function)(void) = (void (*)(void))(uintptr_t)memory;

	function();
}

static void panic_elsewhere(void *arg)
{
	(void)arg;
	panic("on CPU %u", hal_cpu_id());
}

/* The other CPUs are stopped whatever they do; here one computes with interrupts disabled. */
static void crash_other_cpu(void)
{
	const struct sched_params here = {.policy = SCHED_POLICY_FAIR, .affinity = 1};
	const struct sched_params there = {.policy = SCHED_POLICY_FAIR,
					   .affinity = 1ull << (hal_cpu_count() - 1)};
	struct thread *thread;

	if (thread_create_kernel(NULL, "crash", panic_elsewhere, NULL, &thread) ||
	    sched_set(thread_this(), &here) || sched_set(thread, &there))
		return;
	thread_start(thread);
	if (hal_cpu_count() == 1)
		thread_join(thread);
	hal_irq_disable();
	for (;;)
		hal_cpu_relax();
}

static const struct crash crashes[] = {
	{"panic", crash_panic},
	{"assert", crash_assert},
	{"lock-order", crash_lock_order},
	{"lock-twice", crash_lock_twice},
	{"unlock", crash_unlock},
	{"block", crash_block},
	{"reference", crash_reference},
	{"free", crash_free},
	{"stack", crash_stack},
	{"read", crash_read},
	{"write-code", crash_write_code},
	{"run-data", crash_run_data},
	{"other-cpu", crash_other_cpu},
	{0},
};

int crash_run(const char *name)
{
	for (const struct crash *crash = crashes; crash->name; crash++) {
		if (!str_compare(crash->name, name)) {
			crash->run();
			log_write(LOG_ERROR, "test", "FAIL crash %s did not end the kernel", name);
			return 1;
		}
	}
	log_write(LOG_ERROR, "test", "FAIL there is no crash '%s'", name);
	return 1;
}
