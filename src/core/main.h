/*
 * From boot to shutdown.
 */
#ifndef CORE_MAIN_H
#define CORE_MAIN_H

#include "hal/types.h"

#include <stdatomic.h>

/*
 * Ends the system: writes the trace to the sink, stops the services, in seeded mode writes the line
 *	replay: seed N hash 0x<16 digits> events M
 * on the log, and powers off with `status`. In a thread. Who calls it second waits for ever.
 */
HAL_NORETURN void kernel_shutdown(int status);

/* Where kernel_shutdown() writes the trace, as JSON, if it was recorded. May block. */
void kernel_set_trace_sink(void (*write)(void *arg, const char *text, size_t bytes), void *arg);

/* Whether selftest= or bench= is given: then the kernel runs those, and init runs no program. */
bool kernel_wants_tests(void);

/* Given by tests/kernel (a unit test: by itself). Run what begins with `prefix` ("1": all) and say
 * on the log what came of it. The number of failures. */
int ktest_run_all(const char *prefix);
int kbench_run_all(const char *prefix);

struct main_state {
	_Atomic bool ending;
	void (*trace_write)(void *arg, const char *text, size_t bytes);
	void *trace_arg;
};

#endif
