/*
 * The host machine as its front end sees it: what it is made of, and the call that runs it.
 */
#ifndef HAL_HOST_HOST_H
#define HAL_HOST_HOST_H

#include "hal/types.h"

#define HOST_DISKS_MAX 16
#define HOST_MEM_MIN (16ull << 20)
#define HOST_MEM_MAX (128ull << 30)

struct host_disk {
	const char *path;
	bool read_only;
	uint64_t fail; /* the number of the request that fails, from 1; 0: none */
};

enum host_console {
	HOST_CONSOLE_STDIO, /* standard input and output; a terminal is put into raw mode */
	HOST_CONSOLE_FILE,  /* output into a file, no input */
	HOST_CONSOLE_NONE,
};

struct host_options {
	uint64_t mem_bytes; /* whole pages, HOST_MEM_MIN..HOST_MEM_MAX */
	unsigned cpus;	    /* 1..HAL_CPUS_MAX */
	bool pin;	    /* each CPU's threads stay on one CPU of the host */
	bool headless;	    /* standard input is not read, the terminal not touched */
	bool verbose;
	bool seeded;
	uint64_t seed; /* if seeded; not 0 */
	const char *initrd;  /* path, or NULL */
	const char *cmdline; /* the whole kernel command line */
	enum host_console console;
	const char *console_path; /* HOST_CONSOLE_FILE */
	const char *trace_path;	  /* where the trace channel goes, or NULL: there is none */
	struct host_disk disks[HOST_DISKS_MAX];
	unsigned disk_count;
};

/* As without options: 256 MiB, half of the host's CPUs, the console on standard input/output. */
void host_options_default(struct host_options *options);

/*
 * Builds the machine, runs the kernel that is linked with it, and ends the process with the status
 * that the kernel gave to hal_power_off(). `options` and what it points at must stay valid. What
 * cannot be built is said on standard error, and the process ends with status 2.
 */
HAL_NORETURN void host_run(const struct host_options *options);

#endif
