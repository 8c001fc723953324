/*
 * From boot to shutdown: the order in which the core comes up, and how it goes down.
 *
 * The boot CPU builds everything that the first thread needs, and becomes its own idle thread. The
 * first thread ("boot") starts the services; what happens then is theirs, unless tests were asked
 * for.
 */
#include "core/main.h"

#include "core/log.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/slab.h"
#include "core/space.h"
#include "core/state.h"

#define CPU_START_NS (5ull * 1000 * 1000 * 1000) /* how long another CPU may take to come up */

bool kernel_wants_tests(void)
{
	return options_get("selftest") || options_get("bench");
}

void kernel_set_trace_sink(void (*write)(void *arg, const char *text, size_t bytes), void *arg)
{
	kernel.main.trace_arg = arg;
	kernel.main.trace_write = write;
}

static void report_replay(void)
{
	char line[LOG_LINE_MAX];
	uint64_t events;
	uint64_t hash = trace_hash(&events);
	size_t length;

	/* Past the log and its levels: tools look for this line. */
	length = str_format(line, sizeof(line), "replay: seed %lu hash 0x%016lx events %lu\n",
			    (unsigned long)hal_seed(), (unsigned long)hash, (unsigned long)events);
	hal_log_write(line, length);
}

void kernel_shutdown(int status)
{
	struct main_state *state = &kernel.main;
	struct wait_queue never;
	int err;

	if (atomic_exchange(&state->ending, true)) {
		wait_queue_init(&never, "shutdown");
		WAIT_UNTIL(err, &never, HAL_TIME_NEVER, 0, false);
		panic("the wait for the end ended: %d", err);
	}
	log_write(LOG_INFO, "core", "shutting down, status %d", status);
	if (state->trace_write && atomic_load(&kernel.trace.recording)) {
		trace_enable(false);
		trace_export(state->trace_write, state->trace_arg);
	}
	service_stop_all();
	if (hal_has(HAL_HAS_SEED))
		report_replay();
	hal_power_off(status);
}

static HAL_NORETURN void run_tests(void)
{
	const char *tests = options_get("selftest"), *benches = options_get("bench");
	int failures = 0;

	if (tests)
		failures += ktest_run_all(tests);
	if (benches)
		failures += kbench_run_all(benches);
	kernel_shutdown(failures ? 1 : 0);
}

static void run_boot(void *arg)
{
	int err;

	(void)arg;
	err = service_start_all();
	if (kernel_wants_tests())
		run_tests();
	if (err) {
		log_write(LOG_ERROR, "core", "a required service did not start: error %d", -err);
		kernel_shutdown(PANIC_STATUS);
	}
}

/* Starts the other CPUs and waits until each runs, so that all later code sees them all. */
static void start_cpus(void)
{
	for (unsigned i = 1; i < hal_cpu_count(); i++) {
		uint64_t until = hal_time_ns() + CPU_START_NS;
		int err;

		sched_init_idle(i, thread_create_idle(i));
		err = hal_cpu_start(i);
		while (!err && !atomic_load(&cpu_get(i)->online)) {
			hal_cpu_relax();
			if (hal_time_ns() > until)
				err = -ETIMEDOUT;
		}
		if (err)
			log_write(LOG_ERROR, "core", "CPU %u does not start (error %d): going on "
				  "without it", i, -err);
	}
}

static void set_log_level(void)
{
	uint64_t level = options_get("quiet") ? LOG_WARNING : LOG_INFO;

	level = options_get_u64("loglevel", level);
	log_set_level((enum log_level)MIN(level, (uint64_t)LOG_DEBUG));
}

static void init_memory(void)
{
	struct page_stats stats;
	int err = page_init();

	if (err)
		panic("too little memory to run in (error %d); give the machine more", -err);
	slab_init();
	memory_init();
	space_init();
	page_stats(&stats);
	log_write(LOG_INFO, "core", "%lu MiB of memory, %u CPUs, loaded by %s",
		  (unsigned long)(stats.total >> (20 - HAL_PAGE_SHIFT)), hal_cpu_count(),
		  hal_boot_info()->loader);
}

void up_boot(void)
{
	struct thread *boot;
	int err;

	state_init();
	options_init(hal_boot_info()->cmdline);
	set_log_level();
	log_write(LOG_INFO, "core", "CloudOS %s on %s", CLOUDOS_VERSION, HAL_MACHINE_NAME);
	init_memory();
	if (trace_init())
		log_write(LOG_WARNING, "core", "no memory for the trace");
	irq_init();
	clock_init();
	random_init();
	timer_start_cpu();
	sched_init();
	task_init();
	thread_init();
	sched_init_idle(0, thread_create_idle(0));
	thread_start_reaper();
	start_cpus();
	err = thread_create_kernel(NULL, "boot", run_boot, NULL, &boot);
	ASSERT(!err);
	thread_start(boot);
	thread_put(boot);
	sched_cpu_main();
}

void up_cpu_start(void)
{
	timer_start_cpu();
	sched_cpu_main();
}
