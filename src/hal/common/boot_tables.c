/*
 * The loader-independent part of struct boot_tables. Pure; no lock.
 */
#include "hal/common/boot_tables.h"

_Static_assert(sizeof(((struct boot_tables *)0)->cmdline) == HAL_CMDLINE_MAX,
	       "the command line has the contract's size");

void boot_tables_add_region(struct boot_tables *tables, paddr_t base, uint64_t bytes, bool ram)
{
	struct boot_region *region;

	if (bytes > UINT64_MAX - base)
		bytes = UINT64_MAX - base;
	if (!bytes)
		return;
	if (tables->region_count == BOOT_REGIONS_MAX) {
		tables->regions_dropped++;
		return;
	}
	region = &tables->regions[tables->region_count++];
	region->base = base;
	region->bytes = bytes;
	region->ram = ram;
}

void boot_tables_set_cmdline(struct boot_tables *tables, const char *text, size_t max)
{
	size_t i;

	for (i = 0; i < max && i < HAL_CMDLINE_MAX - 1 && text[i]; i++)
		tables->cmdline[i] = text[i];
	tables->cmdline[i] = 0;
	tables->cmdline_cut = i == HAL_CMDLINE_MAX - 1 && i < max && text[i];
}
