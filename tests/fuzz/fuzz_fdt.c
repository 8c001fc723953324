/*
 * libFuzzer target: the device tree parser. What fdt_open() accepts, and the sound part of what it
 * refuses, is walked and asked all that the machine asks, of each node.
 */
#include "hal/common/fdt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void ask_properties(const struct fdt *fdt, uint32_t node)
{
	struct fdt_value value;
	const char *text;
	uint64_t wide;
	uint32_t word;

	(void)!fdt_get(fdt, node, "reg", &value);
	(void)!fdt_get_u32(fdt, node, "phandle", &word);
	(void)!fdt_get_u64(fdt, node, "linux,initrd-start", &wide);
	if (fdt_get_string(fdt, node, "stdout-path", &text) == 0)
		(void)!fdt_find_path(fdt, text, &word);
	(void)fdt_compatible(fdt, node, "arm,pl011");
	(void)fdt_enabled(fdt, node);
	(void)strlen(fdt_name(fdt, node));
}

static void ask_addresses(const struct fdt *fdt, uint32_t node)
{
	struct fdt_interrupt interrupt;
	struct fdt_window window;
	struct fdt_range range;
	unsigned i;

	for (i = 0; i < 4; i++) {
		(void)!fdt_reg(fdt, node, i, &range);
		(void)!fdt_window(fdt, node, i, &window);
		(void)!fdt_interrupt(fdt, node, i, &interrupt);
		(void)!fdt_interrupt_map(fdt, node, i << 11, i + 1, &interrupt);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint32_t node = FDT_ROOT, other;
	struct fdt_range range;
	struct fdt fdt;
	bool sound = fdt_open(&fdt, data, bytes) == 0;
	unsigned i;

	for (i = 0; fdt_reserved(&fdt, i, &range) != -ENOENT;)
		i++;
	if (i != fdt.reserved_count)
		abort();
	do {
		ask_properties(&fdt, node);
		ask_addresses(&fdt, node);
		if (fdt_child(&fdt, node, &other) &&
		    (!fdt_parent(&fdt, other, &other) || other != node) && sound)
			abort();
		other = node;
		(void)fdt_sibling(&fdt, &other);
	} while (fdt_next(&fdt, &node));
	return 0;
}
