/*
 * The trace: a ring of typed events on each CPU, always compiled in.
 *
 * Each event has an id, the thread, and the id of the event that caused it. In seeded mode a hash
 * is kept over all events that are TRACE_HASHED, in order: it names the run. Written on its own
 * CPU with interrupts disabled, so without a lock; read when the writers are stopped, or with the
 * risk of a torn last event, which the reader detects by its sequence number.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include "hal/types.h"

#include <stdatomic.h>

struct thread;

/*	name, hashed, text with the two arguments (JSON export; %u64 each) */
#define TRACE_EVENTS(X)                                                                            \
	X(SWITCH, true, "prev", "next")	    /* thread ids */                                       \
	X(WAKE, true, "thread", "cpu")                                                             \
	X(SYSCALL, true, "number", "arg0")                                                         \
	X(SYSRET, true, "number", "result")                                                        \
	X(FAULT, true, "addr", "access")                                                           \
	X(TRAP, true, "trap", "pc")                                                                \
	X(IRQ, true, "irq", "count")                                                               \
	X(TIMER, true, "deadline", "late")                                                         \
	X(THREAD_START, true, "thread", "task")                                                    \
	X(THREAD_EXIT, true, "thread", "task")                                                     \
	X(TASK_EXIT, true, "task", "status")                                                       \
	X(SERVICE, true, "index", "state")                                                         \
	X(BLOCK, true, "sector", "bytes")                                                          \
	X(LOG, false, "level", "bytes")                                                            \
	X(MARK, false, "a", "b")

enum trace_id {
#define X(name, hashed, a, b) TRACE_##name,
	TRACE_EVENTS(X)
#undef X
	TRACE_IDS_COUNT,
};

struct trace_event {
	uint64_t time_ns;
	uint32_t sequence; /* of this CPU */
	uint32_t thread;   /* id */
	uint32_t cause;	   /* sequence of the causing event, on cause_cpu; 0: none */
	uint8_t cause_cpu;
	uint8_t id; /* enum trace_id */
	uint16_t spare;
	uint64_t a, b;
};

_Static_assert(sizeof(struct trace_event) == 40, "trace events are 40 bytes");

/* Names an event of a CPU. sequence 0: none. */
struct trace_cause {
	uint32_t sequence;
	uint8_t cpu;
};

/* Writes an event and gives its name, none if nothing is recorded. */
struct trace_cause trace_event(enum trace_id id, uint64_t a, uint64_t b);

/* Writes an event and makes it the cause of what follows; gives the cause before, for the end. */
struct trace_cause trace_begin(enum trace_id id, uint64_t a, uint64_t b);
void trace_end(struct trace_cause before);

/* Recording into the rings, off at boot unless the option `trace` is given. The hash is kept in
 * seeded mode whether recording is on or not. */
void trace_enable(bool on);
bool trace_recording(void);
HAL_USE_RESULT int trace_init(void);

/* FNV-1a-64-like mix over the hashed events so far, and their count. */
uint64_t trace_hash(uint64_t *events);

/* Writes all rings as Chrome trace JSON (a track per CPU and per task) through `write`. */
void trace_export(void (*write)(void *arg, const char *text, size_t bytes), void *arg);

/* For the export: events of a CPU by index, from the oldest that is kept. False: there is none
 * (yet), or it has been overwritten. */
uint32_t trace_oldest(unsigned cpu);
bool trace_read(unsigned cpu, uint32_t index, struct trace_event *event);
const char *trace_name(enum trace_id id);
const char *trace_argument(enum trace_id id, unsigned argument); /* the name of a or b: 0 or 1 */

#define TRACE_RING_ORDER 8 /* of pages: the size of a CPU's ring */

struct trace_ring {
	struct trace_event *events;	/* NULL: no memory. Set once */
	_Atomic uint32_t written;	/* events so far. Written by its own CPU */
} __attribute__((aligned(64)));

/* Remembers who a thread is, for the export. Called in its context at its start. */
void trace_thread_name(const struct thread *thread);

#define TRACE_NAMES_MAX 512 /* threads: those that started last */
#define TRACE_NAME_BYTES 32

struct trace_thread {
	_Atomic uint32_t thread; /* id; written last. 0: none */
	uint32_t task;
	char thread_name[TRACE_NAME_BYTES], task_name[TRACE_NAME_BYTES];
};

struct trace_state {
	_Atomic bool recording;
	bool hashing;			/* seeded mode. Set once */
	uint32_t ring_events;		/* in each ring. Set once */
	uint64_t hash, hashed;		/* seeded mode has one CPU: its own */
	struct trace_ring rings[HAL_CPUS_MAX];
	_Atomic uint32_t thread_count;	/* threads started so far */
	struct trace_thread threads[TRACE_NAMES_MAX];
};

#endif
