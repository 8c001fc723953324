/*
 * libFuzzer target: the parser of multiboot2's boot tables. The input is the memory of a machine at
 * MEMORY_AT, with the table at its start. The map of RAM is made of what it says.
 */
#include "hal/common/multiboot2.h"
#include "hal/common/ram.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_AT 0x1000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct memory {
	const uint8_t *data;
	size_t bytes;
};

static const void *read_memory(void *arg, paddr_t addr, size_t bytes)
{
	const struct memory *memory = arg;

	if (addr < MEMORY_AT || addr - MEMORY_AT > memory->bytes ||
	    bytes > memory->bytes - (addr - MEMORY_AT))
		return NULL;
	return memory->data + (addr - MEMORY_AT);
}

/* The ranges are page-aligned, not empty, ascending, and none touches the next. */
static void check_map(const struct ram_map *map)
{
	paddr_t end = 0;

	for (unsigned i = 0; i < map->count; i++) {
		const struct hal_range *range = &map->ranges[i];

		if (!range->bytes || (range->base | range->bytes) & (HAL_PAGE_SIZE - 1) ||
		    range->bytes > UINT64_MAX - range->base || (i && range->base <= end))
			abort();
		end = range->base + range->bytes;
	}
}

static void build_map(const struct boot_tables *tables)
{
	struct ram_map map = {.count = 0};
	paddr_t page;

	for (unsigned i = 0; i < tables->region_count; i++) {
		if (tables->regions[i].ram)
			ram_map_add(&map, tables->regions[i].base, tables->regions[i].bytes);
		else
			ram_map_remove(&map, tables->regions[i].base, tables->regions[i].bytes);
		check_map(&map);
	}
	ram_map_remove(&map, tables->initrd, tables->initrd_bytes);
	check_map(&map);
	page = ram_map_take(&map, HAL_PAGE_SIZE, HAL_PAGE_SIZE, UINT64_MAX);
	if (page && ram_map_overlaps(&map, page, HAL_PAGE_SIZE))
		abort();
	check_map(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct memory memory = {data, bytes};
	const struct phys_reader reader = {read_memory, &memory};
	struct boot_tables tables;
	const char *why = NULL;

	if (multiboot2_parse(&reader, MEMORY_AT, &tables, &why)) {
		if (!why)
			abort();
		return 0;
	}
	if (tables.region_count > BOOT_REGIONS_MAX ||
	    strnlen(tables.cmdline, sizeof(tables.cmdline)) == sizeof(tables.cmdline))
		abort();
	build_map(&tables);
	return 0;
}
