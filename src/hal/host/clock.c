/*
 * Time and timers. In free mode time is CLOCK_MONOTONIC; in seeded mode it is host.virtual_ns,
 * which seeded.c moves.
 *
 * One thread fires the deadlines of all CPUs that run. A CPU that idles sleeps with its deadline
 * itself. The thread sleeps until host.timer_until_ns; who sets an earlier deadline wakes it by
 * changing its word. It says "never" there while it looks, so that a deadline set meanwhile makes
 * it look again.
 */
#include "hal/host/host_priv.h"

#include "hal/host/futex.h"
#include "hal/host/seeded.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t host_clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t hal_time_ns(void)
{
	return host.seeded ? seeded_read_time() : host_clock_monotonic_ns() - host.start_ns;
}

uint64_t hal_time_epoch_ns(void)
{
	return host.epoch_ns;
}

uint64_t hal_seed(void)
{
	return host.seeded ? host.options->seed : 0;
}

/* ---- Deadlines ---- */

bool host_clock_fire(struct host_cpu *cpu, uint64_t now_ns)
{
	uint64_t deadline_ns = atomic_load(&cpu->deadline_ns);

	if (deadline_ns > now_ns || deadline_ns == HAL_TIME_NEVER)
		return false;
	if (atomic_compare_exchange_strong(&cpu->deadline_ns, &deadline_ns, HAL_TIME_NEVER))
		host_irq_raise(cpu, HAL_IRQ_TIMER);
	return true;
}

/* The thread must look at a deadline that is earlier than it knows. */
static void tell_thread(uint64_t deadline_ns)
{
	if (deadline_ns >= atomic_load(&host.timer_until_ns))
		return;
	atomic_fetch_add(&host.timer_word, 1);
	futex_wake(&host.timer_word, 1);
}

void hal_timer_set(uint64_t deadline_ns)
{
	struct host_cpu *cpu = host_cpu_this();

	atomic_store(&cpu->deadline_ns, deadline_ns);
	if (deadline_ns == HAL_TIME_NEVER)
		return;
	if (host.seeded)
		host_clock_fire(cpu, atomic_load(&host.virtual_ns));
	else if (!host_clock_fire(cpu, hal_time_ns()))
		tell_thread(deadline_ns);
}

void host_clock_idle_end(struct host_cpu *cpu)
{
	uint64_t deadline_ns = atomic_load(&cpu->deadline_ns);

	if (deadline_ns != HAL_TIME_NEVER && !host_clock_fire(cpu, hal_time_ns()))
		tell_thread(deadline_ns);
}

/* Fires what is due. The next deadline of a CPU that does not look after it itself. */
static uint64_t fire_all(void)
{
	uint64_t next_ns = HAL_TIME_NEVER;
	uint64_t now_ns = hal_time_ns();

	for (unsigned i = 0; i < host.cpu_count; i++) {
		struct host_cpu *cpu = &host.cpus[i];
		uint64_t deadline_ns = atomic_load(&cpu->deadline_ns);

		if (atomic_load(&cpu->where) == HOST_IN_IDLE || host_clock_fire(cpu, now_ns))
			continue;
		if (deadline_ns < next_ns)
			next_ns = deadline_ns;
	}
	return next_ns;
}

static void run_timer(void)
{
	for (;;) {
		uint32_t word = atomic_load(&host.timer_word);
		uint64_t next_ns;

		atomic_store(&host.timer_until_ns, HAL_TIME_NEVER);
		next_ns = fire_all();
		atomic_store(&host.timer_until_ns, next_ns);
		futex_wait(&host.timer_word, word,
			   next_ns == HAL_TIME_NEVER ? UINT64_MAX : host.start_ns + next_ns);
	}
}

int host_clock_start(void)
{
	return host.seeded ? host_thread_start("watchdog", seeded_watch)
			   : host_thread_start("timer", run_timer);
}
