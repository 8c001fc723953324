/*
 * The trace: rings of events and, in seeded mode, the hash that names a run.
 *
 * A writer fills the slot, then moves `written` on (release). A reader copies a slot, then looks at
 * `written` again: a slot that was overtaken meanwhile is dropped.
 */
#include "core/trace.h"

#include "core/klib.h"
#include "core/options.h"
#include "core/page.h"
#include "core/state.h"
#include "core/task.h"

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

#define X(name, hashed, a, b) [TRACE_##name] = hashed,
static const bool is_hashed[] = {TRACE_EVENTS(X)};
#undef X

struct event_text {
	const char *name, *arguments[2];
};

#define X(name, hashed, a, b) [TRACE_##name] = {#name, {a, b}},
static const struct event_text texts[] = {TRACE_EVENTS(X)};
#undef X

const char *trace_name(enum trace_id id)
{
	return texts[id].name;
}

const char *trace_argument(enum trace_id id, unsigned argument)
{
	return texts[id].arguments[argument];
}

static void mix(uint64_t word)
{
	struct trace_state *trace = &kernel.trace;

	trace->hash = (trace->hash ^ word) * FNV_PRIME;
	trace->hash ^= trace->hash >> 29;
}

static void hash_event(const struct trace_event *event)
{
	mix(event->time_ns);
	mix((uint64_t)event->thread << 8 | event->id);
	mix(event->a);
	mix(event->b);
	kernel.trace.hashed++;
}

static struct trace_cause record(struct cpu *cpu, struct trace_event *event)
{
	struct trace_ring *ring = &kernel.trace.rings[cpu->id];
	uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);

	if (!ring->events)
		return (struct trace_cause){0};
	event->sequence = written + 1;
	ring->events[written % kernel.trace.ring_events] = *event;
	atomic_store_explicit(&ring->written, written + 1, memory_order_release);
	return (struct trace_cause){.sequence = written + 1, .cpu = (uint8_t)cpu->id};
}

struct trace_cause trace_event(enum trace_id id, uint64_t a, uint64_t b)
{
	bool recording = atomic_load_explicit(&kernel.trace.recording, memory_order_relaxed);
	struct trace_cause name = {0};
	struct trace_event event;
	struct cpu *cpu;
	bool irq;

	if (!recording && !kernel.trace.hashing)
		return name;
	irq = hal_irq_disable();
	cpu = cpu_this();
	event = (struct trace_event){
		.time_ns = hal_time_ns(),
		.thread = cpu->thread ? cpu->thread->id : 0,
		.cause = cpu->cause.sequence,
		.cause_cpu = cpu->cause.cpu,
		.id = (uint8_t)id,
		.a = a,
		.b = b,
	};
	if (kernel.trace.hashing && is_hashed[id])
		hash_event(&event);
	if (recording)
		name = record(cpu, &event);
	hal_irq_restore(irq);
	return name;
}

struct trace_cause trace_begin(enum trace_id id, uint64_t a, uint64_t b)
{
	struct trace_cause before = cpu_this()->cause;

	cpu_this()->cause = trace_event(id, a, b);
	return before;
}

void trace_end(struct trace_cause before)
{
	cpu_this()->cause = before;
}

void trace_thread_name(const struct thread *thread)
{
	uint32_t number = atomic_fetch_add(&kernel.trace.thread_count, 1);
	struct trace_thread *entry = &kernel.trace.threads[number % TRACE_NAMES_MAX];

	atomic_store_explicit(&entry->thread, 0, memory_order_relaxed);
	entry->task = thread->task->id;
	str_copy(entry->thread_name, sizeof(entry->thread_name), thread->name);
	spin_lock(&thread->task->lock);
	str_copy(entry->task_name, sizeof(entry->task_name), thread->task->name);
	spin_unlock(&thread->task->lock);
	atomic_store_explicit(&entry->thread, thread->id, memory_order_release);
}

/* Gives each CPU its ring, the first time. Without memory a CPU records nothing. */
static void alloc_rings(void)
{
	struct trace_state *trace = &kernel.trace;

	trace->ring_events =
		(uint32_t)((PAGE_SIZE << TRACE_RING_ORDER) / sizeof(struct trace_event));
	for (unsigned i = 0; i < hal_cpu_count(); i++) {
		struct page *page;

		if (trace->rings[i].events)
			continue;
		page = page_alloc(TRACE_RING_ORDER);
		if (page)
			trace->rings[i].events = page_to_virt(page);
	}
}

void trace_enable(bool on)
{
	if (on)
		alloc_rings();
	atomic_store(&kernel.trace.recording, on);
}

bool trace_recording(void)
{
	return atomic_load(&kernel.trace.recording);
}

int trace_init(void)
{
	kernel.trace.hash = FNV_BASIS;
	kernel.trace.hashing = hal_has(HAL_HAS_SEED);
	if (!options_get("trace"))
		return 0;
	trace_enable(true);
	return kernel.trace.rings[0].events ? 0 : -ENOMEM;
}

uint64_t trace_hash(uint64_t *events)
{
	*events = kernel.trace.hashed;
	return kernel.trace.hash;
}

uint32_t trace_oldest(unsigned cpu)
{
	uint32_t written = atomic_load_explicit(&kernel.trace.rings[cpu].written,
						memory_order_acquire);

	return written > kernel.trace.ring_events ? written - kernel.trace.ring_events : 0;
}

bool trace_read(unsigned cpu, uint32_t index, struct trace_event *event)
{
	struct trace_ring *ring = &kernel.trace.rings[cpu];

	if (!ring->events ||
	    index >= atomic_load_explicit(&ring->written, memory_order_acquire))
		return false;
	*event = ring->events[index % kernel.trace.ring_events];
	return event->sequence == index + 1;
}
