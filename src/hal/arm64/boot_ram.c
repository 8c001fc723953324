/*
 * What RAM there is, and what of it the kernel may use.
 *
 * /memory nodes give all RAM (arm64.ram). Taken out of what the kernel gets (arm64.free): frame 0,
 * the image, the device tree, the initial image, the memory reservation block and
 * /reserved-memory; what that marks "no-map" does not count as RAM at all.
 */
#include "hal/arm64/arm64_priv.h"

#define RAM_BYTES_MIN (8ull << 20)

static bool is_memory(uint32_t node)
{
	static const char memory[] = "memory";
	const char *type;
	unsigned i;

	if (fdt_get_string(&arm64.fdt, node, "device_type", &type) != 0)
		return false;
	for (i = 0; i < sizeof(memory); i++)
		if (type[i] != memory[i])
			return false;
	return fdt_enabled(&arm64.fdt, node);
}

static void find_memory_nodes(void)
{
	struct fdt_range range;
	uint32_t node = FDT_ROOT;
	unsigned i;

	while (fdt_next(&arm64.fdt, &node))
		for (i = 0; is_memory(node) && fdt_reg(&arm64.fdt, node, i, &range) == 0; i++) {
			if (range.base + range.bytes <= RAM_END_MAX)
				ram_map_add(&arm64.ram, range.base, range.bytes);
			else
				log_number("cloudos: ignored memory too high up, at ", range.base,
					   "\n");
		}
}

static void remove_reserved(void)
{
	struct fdt_range range;
	struct fdt_value value;
	uint32_t node;
	unsigned i;
	bool more;
	int err;

	for (i = 0; (err = fdt_reserved(&arm64.fdt, i, &range)) != -ENOENT; i++)
		if (err == 0)
			ram_map_remove(&arm64.free, range.base, range.bytes);
	if (fdt_find_path(&arm64.fdt, "/reserved-memory", &node) != 0)
		return;
	for (more = fdt_child(&arm64.fdt, node, &node); more;
	     more = fdt_sibling(&arm64.fdt, &node))
		for (i = 0; fdt_reg(&arm64.fdt, node, i, &range) == 0; i++) {
			ram_map_remove(&arm64.free, range.base, range.bytes);
			if (fdt_get(&arm64.fdt, node, "no-map", &value) == 0)
				ram_map_remove(&arm64.ram, range.base, range.bytes);
		}
}

/* Whether all of it is RAM. */
static bool is_ram(uint64_t base, uint64_t bytes)
{
	unsigned i;

	for (i = 0; i < arm64.ram.count; i++) {
		const struct hal_range *range = &arm64.ram.ranges[i];

		if (base >= range->base && base - range->base < range->bytes &&
		    bytes <= range->bytes - (base - range->base))
			return true;
	}
	return false;
}

static void find_initrd(void)
{
	uint64_t start, end;
	uint32_t chosen;

	if (fdt_find_path(&arm64.fdt, "/chosen", &chosen) != 0 ||
	    fdt_get_u64(&arm64.fdt, chosen, "linux,initrd-start", &start) != 0 ||
	    fdt_get_u64(&arm64.fdt, chosen, "linux,initrd-end", &end) != 0)
		return;
	if (end <= start || !is_ram(start, end - start)) {
		log_number("cloudos: ignored an initial image that is not in memory, at ", start,
			   "\n");
		return;
	}
	arm64.boot.initrd = (struct hal_range){start, end - start};
	ram_map_remove(&arm64.free, start, end - start);
}

void boot_ram_find(paddr_t fdt)
{
	uint64_t image_bytes = (uint64_t)(kernel_end - kernel_start);

	find_memory_nodes();
	if (ram_map_bytes(&arm64.ram) < RAM_BYTES_MIN)
		boot_fail("memory", "the device tree names less than 8 MiB of it");
	if (!is_ram(arm64.kernel_phys, image_bytes))
		boot_fail("memory", "the kernel does not lie in what the device tree names");
	arm64.free = arm64.ram;
	ram_map_remove(&arm64.free, 0, PAGE_BYTES);
	ram_map_remove(&arm64.free, arm64.kernel_phys, image_bytes);
	ram_map_remove(&arm64.free, fdt, arm64.fdt.bytes);
	find_initrd();
	remove_reserved();
}
