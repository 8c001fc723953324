/*
 * What a boot loader told us, in one form for all loaders. Filled by pure parsers (pvh.c,
 * multiboot2.c) that reach memory through a struct phys_reader only, so that they are tested and
 * fuzzed on any machine.
 */
#ifndef HAL_COMMON_BOOT_TABLES_H
#define HAL_COMMON_BOOT_TABLES_H

#include "hal/types.h"

#define BOOT_REGIONS_MAX 256

/* Physical memory, as far as a parser may read it. */
struct phys_reader {
	/* The bytes at [addr, addr + bytes), or NULL if they cannot be read. */
	const void *(*read)(void *arg, paddr_t addr, size_t bytes);
	void *arg;
};

struct boot_region {
	paddr_t base;
	uint64_t bytes;
	bool ram; /* else: something that must be left alone */
};

struct boot_framebuffer {
	paddr_t addr; /* 0: none */
	uint32_t pitch_bytes, width, height;
	uint8_t bits_per_pixel;
	uint8_t red_shift, green_shift, blue_shift;
};

struct boot_tables {
	const char *loader; /* for people */
	struct boot_region regions[BOOT_REGIONS_MAX];
	unsigned region_count;
	unsigned regions_dropped; /* had no room */
	char cmdline[4096];	  /* HAL_CMDLINE_MAX; cut if it was longer */
	bool cmdline_cut;
	paddr_t initrd; /* the first module */
	uint64_t initrd_bytes;
	paddr_t rsdp; /* of ACPI's first table; 0: not told */
	struct boot_framebuffer framebuffer;
};

/* For the parsers: a region that ends behind the address space is cut; one too many is counted. */
void boot_tables_add_region(struct boot_tables *tables, paddr_t base, uint64_t bytes, bool ram);

/* For the parsers: copies the command line up to its end or `max` bytes. */
void boot_tables_set_cmdline(struct boot_tables *tables, const char *text, size_t max);

#endif
