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

void trace_event(enum trace_id id, uint64_t a, uint64_t b);

/* Recording into the rings, off at boot unless the option `trace` is given. The hash is kept in
 * seeded mode whether recording is on or not. */
void trace_enable(bool on);
HAL_USE_RESULT int trace_init(void);

/* FNV-1a-64-like mix over the hashed events so far, and their count. */
uint64_t trace_hash(uint64_t *events);

/* Writes all rings as Chrome trace JSON (a track per CPU and per task) through `write`. */
void trace_export(void (*write)(void *arg, const char *text, size_t bytes), void *arg);

#endif
