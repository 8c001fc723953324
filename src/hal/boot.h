/*
 * What was booted, what the machine can do, the log line out, and the end.
 */
#ifndef HAL_BOOT_H
#define HAL_BOOT_H

#include "hal/types.h"

#include "hal/machine.h"

struct hal_range {
	paddr_t base;
	uint64_t bytes;
};

struct hal_boot {
	/* RAM that the kernel may use, page-aligned, ascending, without its own image and without
	 * what the machine keeps. The initial image lies outside of it. */
	struct hal_range ram[HAL_RAM_RANGES_MAX];
	unsigned ram_count;
	struct hal_range initrd; /* the initial image; bytes == 0: none. Reachable by direct map */
	const char *cmdline;	 /* at most HAL_CMDLINE_MAX - 1 bytes; "" if none */
	const char *loader;	 /* who booted it, for people: "PVH", "multiboot2", "cloudos-sim" */
};

/* Set once before up_boot(); valid for ever. */
const struct hal_boot *hal_boot_info(void);

enum hal_feature {
	HAL_HAS_PCI,
	HAL_HAS_SEED,	  /* runs in seeded mode: time is virtual, one CPU */
	HAL_HAS_DISPLAY,  /* a text screen that hal_log_write() also writes to */
	HAL_HAS_FEATURES, /* their count */
};

/* Whether the machine has an optional power. The kernel never asks for the machine's name. */
bool hal_has(enum hal_feature feature);

/* The seed of seeded mode, or 0. */
uint64_t hal_seed(void);

/*
 * Writes to the machine's log output (serial port, standard error). Works from up_boot() on and in
 * a panic; waits for the device by polling. Not an end-user console.
 */
void hal_log_write(const char *text, size_t bytes);

/*
 * Up to `max` bytes typed at the machine's log output since the last call; never waits. The
 * console of last resort where no console device is found.
 */
size_t hal_log_read(char *buf, size_t max);

/* Ends the machine. `status` (0..255) becomes the exit status where somebody can see it. */
HAL_NORETURN void hal_power_off(int status);
HAL_NORETURN void hal_power_reset(void);

#endif
