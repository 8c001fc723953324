/*
 * Parser of the PVH start info. Pure: reads physical memory through the reader alone and trusts
 * nothing in it. No lock.
 */
#include "hal/common/pvh.h"

#include "hal/base.h"

#define PVH_MAGIC 0x336ec578u
#define PVH_MEMORY_RAM 1
#define PVH_MEMORY_MAX 4096u /* entries; more are no map of a real machine */

struct pvh_start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp;
	/* From version 1 on. */
	uint64_t memory;
	uint32_t memory_count, reserved;
};

struct pvh_module {
	uint64_t addr, bytes, cmdline, reserved;
};

struct pvh_memory {
	uint64_t base, bytes;
	uint32_t type, reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "PVH start info, version 1");
_Static_assert(sizeof(struct pvh_module) == 32 && sizeof(struct pvh_memory) == 24, "PVH tables");

bool pvh_probe(const struct phys_reader *reader, paddr_t addr)
{
	const uint32_t *magic = reader->read(reader->arg, addr, sizeof(*magic));
	uint32_t value;

	if (!magic)
		return false;
	memcpy(&value, magic, sizeof(value));
	return value == PVH_MAGIC;
}

/* The command line is a C string whose length nobody tells. */
static void read_cmdline(const struct phys_reader *reader, paddr_t addr, struct boot_tables *tables)
{
	const char *c;
	size_t length = 0;

	while (length < HAL_CMDLINE_MAX && (c = reader->read(reader->arg, addr + length, 1)) && *c)
		length++;
	c = length ? reader->read(reader->arg, addr, length) : NULL;
	if (c)
		boot_tables_set_cmdline(tables, c, length);
}

static int read_memory(const struct phys_reader *reader, const struct pvh_start_info *info,
		       struct boot_tables *tables, const char **why)
{
	struct pvh_memory entry;

	if (info->memory_count > PVH_MEMORY_MAX) {
		*why = "PVH memory map has too many entries";
		return -EINVAL;
	}
	for (uint32_t i = 0; i < info->memory_count; i++) {
		const void *p = reader->read(reader->arg, info->memory + i * sizeof(entry),
					     sizeof(entry));

		if (!p) {
			*why = "PVH memory map is cut off";
			return -EINVAL;
		}
		memcpy(&entry, p, sizeof(entry));
		boot_tables_add_region(tables, entry.base, entry.bytes,
				       entry.type == PVH_MEMORY_RAM);
	}
	return 0;
}

int pvh_parse(const struct phys_reader *reader, paddr_t addr, struct boot_tables *tables,
	      const char **why)
{
	struct pvh_start_info info;
	struct pvh_module module;
	const void *p = reader->read(reader->arg, addr, sizeof(info));

	memset(tables, 0, sizeof(*tables));
	tables->loader = "PVH";
	*why = "PVH start info is cut off";
	if (!p)
		return -EINVAL;
	memcpy(&info, p, sizeof(info));
	*why = "PVH start info has no memory map (version 0)";
	if (info.magic != PVH_MAGIC || info.version < 1 || !info.memory_count)
		return -EINVAL;
	if (info.cmdline)
		read_cmdline(reader, info.cmdline, tables);
	tables->rsdp = info.rsdp;
	if (info.module_count && info.modules) {
		p = reader->read(reader->arg, info.modules, sizeof(module));
		*why = "PVH module list is cut off";
		if (!p)
			return -EINVAL;
		memcpy(&module, p, sizeof(module));
		tables->initrd = module.addr;
		tables->initrd_bytes = module.bytes;
	}
	return read_memory(reader, &info, tables, why);
}
