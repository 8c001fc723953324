/*
 * The trace as JSON in Chrome's trace event format, which Perfetto opens.
 *
 * Two kinds of processes: "CPUs", with a track for each CPU that shows the thread that runs there,
 * and one for each task, with a track for each of its threads that shows when it runs, its system
 * calls and what happened to it. A slice is an X event (ts and dur in us), all else an instant.
 */
#include "core/klib.h"
#include "core/state.h"
#include "core/task.h"
#include "core/trace.h"

#define CPUS_PID (TASK_ID_KERNEL - 1) /* no task lives to have this id */

struct output {
	void (*write)(void *arg, const char *text, size_t bytes);
	void *arg;
	bool comma;
};

/* What runs on the CPU that is being written. */
struct track {
	struct output *out;
	unsigned cpu;
	uint64_t since_ns; /* when `thread` began to run */
	uint32_t thread;
	bool idle;
};

static void __attribute__((format(printf, 2, 3)))
put_entry(struct output *out, const char *format, ...)
{
	char line[512];
	size_t length;
	va_list args;

	if (out->comma)
		out->write(out->arg, ",\n", 2);
	out->comma = true;
	va_start(args, format);
	length = str_format_list(line, sizeof(line), format, args);
	va_end(args);
	out->write(out->arg, line, MIN(length, sizeof(line) - 1));
	sched_point();
}

/* Names may hold anything: what JSON would have to escape becomes '?'. */
static void clean_name(char *to, size_t size, const char *from)
{
	str_copy(to, size, from);
	for (; *to; to++) {
		if (*to < ' ' || *to == '"' || *to == '\\' || *to == 0x7f)
			*to = '?';
	}
}

static void put_name(struct output *out, const char *what, const uint32_t ids[2], const char *name)
{
	char clean[TASK_NAME_MAX];

	clean_name(clean, sizeof(clean), name);
	put_entry(out,
		  "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":\"%s\"}}",
		  what, ids[0], ids[1], clean);
}

/* What is known of a thread, NULL if its start was forgotten or it is an idle thread. */
static const struct trace_thread *find_thread(uint32_t thread)
{
	for (unsigned i = 0; i < TRACE_NAMES_MAX; i++) {
		const struct trace_thread *entry = &kernel.trace.threads[i];

		if (thread &&
		    atomic_load_explicit(&entry->thread, memory_order_acquire) == thread)
			return entry;
	}
	return NULL;
}

static void put_slice_on(const struct track *track, uint64_t until_ns, const uint32_t ids[2],
			 const char *name)
{
	uint64_t ns = until_ns - track->since_ns;
	char clean[TRACE_NAME_BYTES];

	clean_name(clean, sizeof(clean), name);
	put_entry(track->out,
		  "{\"ph\":\"X\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,"
		  "\"ts\":%lu.%03lu,\"dur\":%lu.%03lu,\"args\":{\"cpu\":%u,\"thread\":%u}}",
		  clean, ids[0], ids[1], (unsigned long)(track->since_ns / 1000),
		  (unsigned long)(track->since_ns % 1000), (unsigned long)(ns / 1000),
		  (unsigned long)(ns % 1000), track->cpu, track->thread);
}

/* A slice from track->since_ns on, on the track of the CPU and on that of the thread. */
static void put_slice(const struct track *track, uint64_t until_ns)
{
	const struct trace_thread *thread = find_thread(track->thread);

	if (track->idle)
		return;
	put_slice_on(track, until_ns, (const uint32_t[2]){CPUS_PID, track->cpu},
		     thread ? thread->thread_name : "thread");
	if (thread)
		put_slice_on(track, until_ns, (const uint32_t[2]){thread->task, track->thread},
			     "running");
}

/* Interrupts and switches belong to the CPU, all else to the thread if there is one. */
static void put_instant(const struct track *track, const struct trace_event *event)
{
	enum trace_id id = (enum trace_id)event->id;
	bool of_cpu = id == TRACE_IRQ || id == TRACE_TIMER || id == TRACE_SWITCH;
	const struct trace_thread *thread = of_cpu ? NULL : find_thread(event->thread);
	uint32_t pid = thread ? thread->task : CPUS_PID;
	uint32_t tid = thread ? event->thread : track->cpu;

	put_entry(track->out,
		  "{\"ph\":\"i\",\"s\":\"t\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,"
		  "\"ts\":%lu.%03lu,\"args\":{\"%s\":%lu,\"%s\":%lu,\"id\":\"%u.%u\","
		  "\"cause\":\"%u.%u\"}}",
		  trace_name(id), pid, tid, (unsigned long)(event->time_ns / 1000),
		  (unsigned long)(event->time_ns % 1000), trace_argument(id, 0),
		  (unsigned long)event->a, trace_argument(id, 1), (unsigned long)event->b,
		  track->cpu, event->sequence, event->cause_cpu, event->cause);
}

static bool is_idle_thread(uint32_t id)
{
	for (unsigned i = 0; i < hal_cpu_count(); i++) {
		const struct thread *idle = cpu_get(i)->idle;

		if (idle && idle->id == id)
			return true;
	}
	return false;
}

static void start_slice(struct track *track, uint64_t time_ns, uint32_t thread)
{
	track->since_ns = time_ns;
	track->thread = thread;
	track->idle = is_idle_thread(thread);
}

static void export_cpu(struct output *out, unsigned cpu)
{
	struct track track = {.out = out, .cpu = cpu, .idle = true};
	struct trace_event event;
	bool first = true;

	for (uint32_t i = trace_oldest(cpu); trace_read(cpu, i, &event); i++) {
		if (first)
			start_slice(&track, event.time_ns, event.thread);
		first = false;
		put_instant(&track, &event);
		if (event.id == TRACE_SWITCH) {
			put_slice(&track, event.time_ns);
			start_slice(&track, event.time_ns, (uint32_t)event.b);
		}
	}
	if (!first)
		put_slice(&track, hal_time_ns());
}

static void export_names(struct output *out)
{
	char name[TASK_NAME_MAX];

	put_name(out, "process_name", (const uint32_t[2]){CPUS_PID, 0}, "CPUs");
	for (unsigned i = 0; i < hal_cpu_count(); i++) {
		str_format(name, sizeof(name), "CPU %u", i);
		put_name(out, "thread_name", (const uint32_t[2]){CPUS_PID, i}, name);
	}
	for (unsigned i = 0; i < TRACE_NAMES_MAX; i++) {
		const struct trace_thread *entry = &kernel.trace.threads[i];
		uint32_t thread = atomic_load_explicit(&entry->thread, memory_order_acquire);

		if (!thread)
			continue;
		put_name(out, "process_name", (const uint32_t[2]){entry->task, 0},
			 entry->task_name);
		put_name(out, "thread_name", (const uint32_t[2]){entry->task, thread},
			 entry->thread_name);
	}
}

void trace_export(void (*write)(void *arg, const char *text, size_t bytes), void *arg)
{
	struct output out = {.write = write, .arg = arg};
	static const char head[] = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
	static const char tail[] = "\n]}\n";

	write(arg, head, sizeof(head) - 1);
	export_names(&out);
	for (unsigned i = 0; i < hal_cpu_count(); i++)
		export_cpu(&out, i);
	write(arg, tail, sizeof(tail) - 1);
}
