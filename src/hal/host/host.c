/*
 * The machine as a whole: built from its options, run, and ended.
 *
 * Order of the building: memory, zygote (while there is one thread), devices and their thread,
 * CPUs, timer; then the process confines itself, and CPU 0, which is the first thread, runs the
 * kernel. Nothing is built after that.
 */
#include "hal/host/host_priv.h"

#include "hal/base.h"
#include "hal/host/device_priv.h"
#include "hal/host/terminal.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MEM_DEFAULT (256ull << 20)

struct host host = {
	.mem_fd = -1,
	.context_lock = PTHREAD_MUTEX_INITIALIZER,
	.line_lock = PTHREAD_MUTEX_INITIALIZER,
};

void host_options_default(struct host_options *options)
{
	cpu_set_t allowed;
	int cpus = 1;

	if (!sched_getaffinity(0, sizeof(allowed), &allowed))
		cpus = CPU_COUNT(&allowed) / 2;
	*options = (struct host_options){
		.mem_bytes = MEM_DEFAULT,
		.cpus = (unsigned)MIN(MAX(cpus, 1), HAL_CPUS_MAX),
		.cmdline = "",
	};
}

static void check_options(const struct host_options *options)
{
	if (options->mem_bytes < HOST_MEM_MIN || options->mem_bytes > HOST_MEM_MAX)
		host_refuse("a memory of %lu bytes is not possible; it can have from %llu MiB to "
			    "%llu GiB", options->mem_bytes, HOST_MEM_MIN >> 20,
			    HOST_MEM_MAX >> 30);
	if (!options->cpus || options->cpus > HAL_CPUS_MAX)
		host_refuse("%u CPUs are not possible; there can be from 1 to %d", options->cpus,
			    HAL_CPUS_MAX);
	if (options->seeded && options->cpus != 1)
		host_refuse("seeded mode has one CPU; leave --cpus out or give --cpus 1");
	if (strlen(options->cmdline) >= HAL_CMDLINE_MAX)
		host_refuse("the kernel command line has %zu bytes; it can have %d",
			    strlen(options->cmdline), HAL_CMDLINE_MAX - 1);
}

static void set_up(const struct host_options *options)
{
	struct timespec now;

	host.options = options;
	host.cpu_count = options->cpus;
	host.mem_bytes = ALIGN_DOWN(options->mem_bytes, HAL_PAGE_SIZE);
	host.seeded = options->seeded;
	host.boot.cmdline = options->cmdline;
	host.boot.loader = "cloudos-sim";
	host_random_seed(options->seed);
	host.start_ns = host_clock_monotonic_ns();
	clock_gettime(CLOCK_REALTIME, &now);
	host.epoch_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	if (host.seeded) /* 2024-01-01 and up to a year more, in whole seconds */
		host.epoch_ns = (1704067200u + host_random_below(31536000)) * 1000000000u;
	for (unsigned i = 0; i < HAL_CPUS_MAX; i++) {
		host.cpus[i].id = i;
		atomic_store(&host.cpus[i].deadline_ns, HAL_TIME_NEVER);
	}
}

void host_run(const struct host_options *options)
{
	int err;

	check_options(options);
	/* A heap for each thread, when it shrinks, makes glibc open a file of /proc, which the
	 * confined process may not. */
	mallopt(M_ARENA_MAX, 1);
	set_up(options);
	host_crash_prepare();
	host_ram_create();
	err = host_user_start();
	if (err)
		host_refuse("cannot start the process that user code runs in: %s", strerror(-err));
	device_create_all();
	for (unsigned i = 0; i < host.cpu_count; i++) {
		err = host_cpu_create(i);
		if (err)
			host_refuse("cannot make the thread of CPU %u: %s; try fewer --cpus", i,
				    strerror(-err));
	}
	err = host_clock_start();
	if (err)
		host_refuse("cannot make the timer's thread: %s", strerror(-err));
	if (options->console == HOST_CONSOLE_STDIO && !options->headless)
		terminal_make_raw();
	host_confine();
	up_boot();
}

const struct hal_boot *hal_boot_info(void)
{
	return &host.boot;
}

bool hal_has(enum hal_feature feature)
{
	return feature == HAL_HAS_SEED && host.seeded;
}

/* ---- The log ---- */

void hal_log_write(const char *text, size_t bytes)
{
	while (bytes) {
		ssize_t done = write(STDERR_FILENO, text, bytes);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd wait = {.fd = STDERR_FILENO, .events = POLLOUT};

			poll(&wait, 1, -1);
		} else if (done < 0 && errno != EINTR) {
			return; /* nobody can be told */
		} else if (done > 0) {
			text += done;
			bytes -= (size_t)done;
		}
	}
}

/* Nobody types at standard error. */
size_t hal_log_read(char *buf, size_t max)
{
	(void)buf;
	(void)max;
	return 0;
}

/* ---- Power ---- */

void hal_power_off(int status)
{
	device_stop_all();
	host_exit(status & 255);
}

void hal_power_reset(void)
{
	static const char text[] = "cloudos-sim: the kernel asked for a reset; the simulator ends "
				   "here and can be started again\n";

	hal_log_write(text, sizeof(text) - 1);
	hal_power_off(0);
}
