/*
 * Seeded mode: everything that happens is a function of the seed and the inputs.
 *
 * Virtual time moves only here: with each event of user code and each reading of the clock by a
 * drawn amount, with each hal_cpu_relax(), and when the CPU idles to the next deadline or device
 * completion. Devices do their work when its completion falls due, on the CPU's own thread, so
 * that neither the host's clock nor its scheduling has a say.
 *
 * Two things cannot be foreseen and mark the run as not exact: a user loop without any event,
 * which a watchdog stops after WATCH_NS of the host's time, and input that a person types.
 */
#include "hal/host/seeded.h"

#include "hal/host/input.h"

#include <stdio.h>
#include <time.h>

#define WATCH_NS 10000000000ull
#define EVENT_LEAST_NS 300	/* of an event of user code */
#define EVENT_SPREAD_NS 1700
#define READ_SPREAD_NS 60	/* of a reading of the clock, at least 1 */
#define RELAX_SPREAD_NS 400
#define INPUT_LEAST_NS 1000000	/* between two looks at the input */
#define INPUT_SPREAD_NS 9000000

struct completion {
	uint64_t due_ns;
	uint64_t order; /* of those that are due at once */
	void (*complete)(void *arg);
	void *arg;
};

/* Own CPU only. */
static struct {
	struct completion events[SEEDED_EVENTS_MAX];
	unsigned count;
	uint64_t order;
	uint64_t input_ns; /* when to look at the input next */
} queue;

void seeded_complete_later(uint64_t least_ns, uint64_t spread_ns, void (*complete)(void *arg),
			   void *arg)
{
	if (queue.count == SEEDED_EVENTS_MAX)
		host_fatal("seeded mode: more than %d device completions at once",
			   SEEDED_EVENTS_MAX);
	queue.events[queue.count++] = (struct completion){
		.due_ns = atomic_load(&host.virtual_ns) + least_ns + host_random_below(spread_ns),
		.order = queue.order++,
		.complete = complete,
		.arg = arg,
	};
}

void seeded_forget(const void *arg)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < queue.count; i++)
		if (queue.events[i].arg != arg)
			queue.events[kept++] = queue.events[i];
	queue.count = kept;
}

/* The event that comes first, or SEEDED_EVENTS_MAX. */
static unsigned find_first(void)
{
	unsigned first = SEEDED_EVENTS_MAX;

	for (unsigned i = 0; i < queue.count; i++) {
		const struct completion *a = &queue.events[i], *b = &queue.events[first];

		if (first == SEEDED_EVENTS_MAX || a->due_ns < b->due_ns ||
		    (a->due_ns == b->due_ns && a->order < b->order))
			first = i;
	}
	return first;
}

/* Lets happen all that is due now. */
static void run_due(void)
{
	uint64_t now_ns = atomic_load(&host.virtual_ns);

	for (unsigned i = find_first(); i < queue.count && queue.events[i].due_ns <= now_ns;
	     i = find_first()) {
		struct completion event = queue.events[i];

		queue.events[i] = queue.events[--queue.count];
		event.complete(event.arg);
	}
	host_clock_fire(&host.cpus[0], now_ns);
}

void seeded_finish(void)
{
	for (unsigned left = SEEDED_EVENTS_MAX; queue.count && left; left--) {
		struct completion event = queue.events[find_first()];

		seeded_forget(event.arg);
		event.complete(event.arg);
	}
}

static void move_on(uint64_t ns)
{
	atomic_fetch_add(&host.virtual_ns, ns);
	run_due();
}

uint64_t seeded_read_time(void)
{
	if (host_cpu_this())
		move_on(1 + host_random_below(READ_SPREAD_NS));
	return atomic_load(&host.virtual_ns);
}

void seeded_relax(void)
{
	move_on(1 + host_random_below(RELAX_SPREAD_NS));
}

void host_time_advance_event(void)
{
	uint64_t now_ns = atomic_load(&host.virtual_ns);
	uint64_t deadline_ns = atomic_load(&host.cpus[0].deadline_ns);

	if (!host.seeded)
		return;
	if (atomic_exchange(&host.overdue, false) && deadline_ns != HAL_TIME_NEVER &&
	    deadline_ns > now_ns)
		move_on(deadline_ns - now_ns);
	else
		move_on(EVENT_LEAST_NS + host_random_below(EVENT_SPREAD_NS));
}

/* The input is looked at when the CPU has nothing to do, at drawn times. */
static void look_at_input(uint64_t now_ns, bool wait)
{
	if (!wait && now_ns < queue.input_ns)
		return;
	queue.input_ns = now_ns + INPUT_LEAST_NS + host_random_below(INPUT_SPREAD_NS);
	if (!input_read_seeded(wait) && wait)
		host_fatal("seeded mode: the kernel waits, but nothing can happen any more: no "
			   "timer, no device request, and the input has ended.\n"
			   "  Look at what the program waits for; --trace shows how it came here");
}

void seeded_idle(struct host_cpu *cpu)
{
	while (!host_irq_pending(cpu)) {
		unsigned first = find_first();
		uint64_t next_ns = atomic_load(&cpu->deadline_ns);
		uint64_t now_ns = atomic_load(&host.virtual_ns);

		if (first < queue.count && queue.events[first].due_ns < next_ns)
			next_ns = queue.events[first].due_ns;
		look_at_input(now_ns, next_ns == HAL_TIME_NEVER);
		if (next_ns != HAL_TIME_NEVER)
			move_on(next_ns > now_ns ? next_ns - now_ns : 0);
	}
}

/* ---- The watchdog ---- */

void seeded_watch(void)
{
	struct host_cpu *cpu = &host.cpus[0];
	struct timespec pause = {.tv_sec = 1};
	uint32_t events = 0;
	uint64_t since_ns = host_clock_monotonic_ns();

	for (;;) {
		uint32_t now = atomic_load(&cpu->events);

		nanosleep(&pause, NULL);
		if (atomic_load(&cpu->where) != HOST_IN_USER || now != events) {
			events = now;
			since_ns = host_clock_monotonic_ns();
			continue;
		}
		if (host_clock_monotonic_ns() - since_ns < WATCH_NS)
			continue;
		if (!atomic_exchange(&host.inexact, true))
			fprintf(stderr,
				"cloudos-sim: a program has run for 10 s without a system call or "
				"fault. Seeded mode can only stop it by the host's clock, so this "
				"run may differ from others with the same seed.\n");
		since_ns = host_clock_monotonic_ns();
		atomic_store(&host.overdue, true);
		host_irq_raise(cpu, HAL_IRQ_TIMER);
	}
}
