/*
 * The way into the Linux ABI: looks a call up in the architecture's table and runs it. Calls that
 * are missing give -ENOSYS and are counted, so that the log can say at the end what was missed.
 *
 * State: struct calls, atomic counters.
 */
#include "services/linux/linux_priv.h"

#include "core/log.h"

static struct {
	_Atomic uint32_t missing[LINUX_CALLS_MAX]; /* by number */
	_Atomic uint32_t unknown;		    /* numbers that Linux does not know either */
} calls;

int64_t linux_dispatch(uint64_t number, const uint64_t args[6])
{
	if (number >= linux_calls_count || !linux_calls[number].name) {
		atomic_fetch_add(&calls.unknown, 1);
		return -ENOSYS;
	}
	if (!linux_calls[number].handler) {
		atomic_fetch_add(&calls.missing[number], 1);
		return -ENOSYS;
	}
	return linux_calls[number].handler(args);
}

void linux_log_missing(void)
{
	for (unsigned i = 0; i < linux_calls_count; i++) {
		uint32_t count = atomic_load(&calls.missing[i]);

		if (count)
			log_write(LOG_DEBUG, "linux", "not there: %s (%u), called %u times",
				  linux_calls[i].name, i, count);
	}
	if (atomic_load(&calls.unknown))
		log_write(LOG_DEBUG, "linux", "calls by numbers that no Linux knows: %u",
			  atomic_load(&calls.unknown));
}
