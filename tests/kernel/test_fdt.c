/*
 * The flattened device tree parser, over trees that a small builder makes: what it reads of good
 * ones, and that it refuses broken ones.
 */
#include "hal/common/fdt.h"

#include "tests/kernel/ktest.h"

#define BLOB_BYTES 4096u
#define HEADER_BYTES 40u
#define RESERVED_AT HEADER_BYTES
#define NODES_AT 96u
#define STRINGS_AT 3072u

/* Tests run one at a time. */
static struct build {
	uint8_t blob[BLOB_BYTES] __attribute__((aligned(8)));
	uint32_t nodes;	  /* bytes written of the structure block */
	uint32_t strings; /* of the strings block */
	struct fdt fdt;
} build;

static void put_at(uint32_t at, uint32_t value)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		build.blob[at + i] = (uint8_t)(value >> (24 - 8 * i));
}

static void put(uint32_t value)
{
	put_at(NODES_AT + build.nodes, value);
	build.nodes += 4;
}

static void put_bytes(const void *data, uint32_t bytes)
{
	memcpy(build.blob + NODES_AT + build.nodes, data, bytes);
	build.nodes += ALIGN_UP(bytes, 4u);
}

static void start(void)
{
	memset(&build, 0, sizeof(build));
}

static void begin(const char *name)
{
	put(1);
	put_bytes(name, (uint32_t)str_length(name) + 1);
}

static void end(void)
{
	put(2);
}

static void prop(const char *name, const void *data, uint32_t bytes)
{
	uint32_t length = (uint32_t)str_length(name) + 1;

	put(3);
	put(bytes);
	put(build.strings);
	memcpy(build.blob + STRINGS_AT + build.strings, name, length);
	build.strings += length;
	put_bytes(data, bytes);
}

static void prop_text(const char *name, const char *text)
{
	prop(name, text, (uint32_t)str_length(text) + 1);
}

static void prop_cells(const char *name, const uint32_t *cells, uint32_t count)
{
	uint8_t raw[80];
	uint32_t i;

	for (i = 0; i < count * 4; i++)
		raw[i] = (uint8_t)(cells[i / 4] >> (24 - 8 * (i % 4)));
	prop(name, raw, count * 4);
}

#define PROP(name, ...)                                                                            \
	prop_cells(name, (const uint32_t[]){__VA_ARGS__},                                          \
		   sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static int finish(void)
{
	put(9);
	put_at(0, 0xd00dfeed);
	put_at(4, BLOB_BYTES);
	put_at(8, NODES_AT);
	put_at(12, STRINGS_AT);
	put_at(16, RESERVED_AT);
	put_at(20, 17);
	put_at(24, 16);
	put_at(32, build.strings);
	put_at(36, build.nodes);
	return fdt_open(&build.fdt, build.blob, BLOB_BYTES);
}

/* A root with an interrupt controller, a bus that translates, two devices and a PCI bridge. */
static int make_machine(void)
{
	start();
	begin("");
	PROP("#address-cells", 2);
	PROP("#size-cells", 2);
	PROP("interrupt-parent", 7);
	begin("aliases");
	prop_text("serial0", "/bus/uart@100");
	end();
	begin("memory@80000000");
	prop_text("device_type", "memory");
	PROP("reg", 0, 0x80000000, 0, 0x1000000, 1, 0, 0, 0x2000000);
	end();
	begin("gic");
	PROP("phandle", 7);
	PROP("#interrupt-cells", 3);
	PROP("#address-cells", 0);
	end();
	begin("bus");
	PROP("#address-cells", 1);
	PROP("#size-cells", 1);
	PROP("ranges", 0x100, 0, 0x9000000, 0x1000);
	begin("uart@100");
	prop("compatible", "arm,pl011\0arm,primecell", 24);
	PROP("reg", 0x180, 0x80, 0x5000, 0x10);
	PROP("interrupts", 0, 5, 4, 0, 6, 1);
	end();
	begin("off@200");
	prop_text("status", "disabled");
	end();
	end();
	begin("pcie");
	PROP("#address-cells", 3);
	PROP("#size-cells", 2);
	PROP("ranges", 0x2000000, 0, 0x10000000, 0, 0x10000000, 0, 0x1000);
	PROP("interrupt-map-mask", 0x1800, 0, 0, 7);
	PROP("interrupt-map", 0, 0, 0, 1, 7, 0, 3, 4, 0x800, 0, 0, 1, 7, 0, 4, 4);
	end();
	end();
	return finish();
}

static uint32_t node_at(const char *path)
{
	uint32_t node = UINT32_MAX;

	EXPECT(fdt_find_path(&build.fdt, path, &node) == 0);
	return node;
}

/* ---- Good trees ---- */

static void test_fdt_finds_nodes_by_path_and_alias(void)
{
	uint32_t node;

	CHECK(make_machine() == 0);
	CHECK(str_compare(fdt_name(&build.fdt, node_at("/bus/uart@100")), "uart@100") == 0);
	CHECK(node_at("/bus/uart") == node_at("/bus/uart@100"));
	CHECK(node_at("serial0") == node_at("/bus/uart"));
	CHECK(node_at("serial0:115200n8") == node_at("/bus/uart"));
	CHECK(node_at("/") == FDT_ROOT);
	CHECK(fdt_find_path(&build.fdt, "/bus/uart@10", &node) == -ENOENT);
	CHECK(fdt_find_path(&build.fdt, "/uart", &node) == -ENOENT);
	CHECK(fdt_find_path(&build.fdt, "serial1", &node) == -ENOENT);
}

static void test_fdt_walks_children_siblings_parents(void)
{
	uint32_t node, parent, count = 1;

	CHECK(make_machine() == 0);
	CHECK(fdt_child(&build.fdt, FDT_ROOT, &node) && node == node_at("/aliases"));
	CHECK(fdt_sibling(&build.fdt, &node) && node == node_at("/memory"));
	node = node_at("/bus/off");
	CHECK(fdt_parent(&build.fdt, node, &parent) && parent == node_at("/bus"));
	CHECK(!fdt_sibling(&build.fdt, &node));
	CHECK(!fdt_child(&build.fdt, node_at("/gic"), &node));
	CHECK(!fdt_parent(&build.fdt, FDT_ROOT, &parent));
	for (node = FDT_ROOT; fdt_next(&build.fdt, &node);)
		count++;
	CHECK(count == 8);
}

static void test_fdt_reads_properties(void)
{
	uint32_t uart, value;
	const char *text;

	CHECK(make_machine() == 0);
	uart = node_at("/bus/uart");
	CHECK(fdt_compatible(&build.fdt, uart, "arm,pl011"));
	CHECK(fdt_compatible(&build.fdt, uart, "arm,primecell"));
	CHECK(!fdt_compatible(&build.fdt, uart, "arm"));
	CHECK(fdt_enabled(&build.fdt, uart) && !fdt_enabled(&build.fdt, node_at("/bus/off")));
	CHECK(fdt_get_u32(&build.fdt, node_at("/gic"), "phandle", &value) == 0 && value == 7);
	CHECK(fdt_get_u32(&build.fdt, uart, "reg", &value) == -EINVAL);
	CHECK(fdt_get_u32(&build.fdt, uart, "none", &value) == -ENOENT);
	CHECK(fdt_get_string(&build.fdt, uart, "compatible", &text) == 0);
	CHECK(str_compare(text, "arm,pl011") == 0);
}

static void test_fdt_reg_is_translated_through_ranges(void)
{
	struct fdt_range range;

	CHECK(make_machine() == 0);
	CHECK(fdt_reg(&build.fdt, node_at("/bus/uart"), 0, &range) == 0);
	CHECK(range.base == 0x9000080 && range.bytes == 0x80);
	CHECK(fdt_reg(&build.fdt, node_at("/bus/uart"), 1, &range) == -ENXIO);
	CHECK(fdt_reg(&build.fdt, node_at("/bus/uart"), 2, &range) == -ENOENT);
	CHECK(fdt_reg(&build.fdt, node_at("/memory"), 1, &range) == 0);
	CHECK(range.base == 0x100000000ull && range.bytes == 0x2000000);
}

static void test_fdt_reads_interrupts(void)
{
	struct fdt_interrupt interrupt;

	CHECK(make_machine() == 0);
	CHECK(fdt_interrupt(&build.fdt, node_at("/bus/uart"), 1, &interrupt) == 0);
	CHECK(interrupt.controller == node_at("/gic") && interrupt.count == 3);
	CHECK(interrupt.cells[1] == 6 && interrupt.cells[2] == 1);
	CHECK(fdt_interrupt(&build.fdt, node_at("/bus/uart"), 2, &interrupt) == -ENOENT);
	CHECK(fdt_interrupt(&build.fdt, node_at("/memory"), 0, &interrupt) == -ENOENT);
}

static void test_fdt_interrupt_map_finds_the_pin(void)
{
	struct fdt_interrupt interrupt;
	uint32_t pcie;

	CHECK(make_machine() == 0);
	pcie = node_at("/pcie");
	CHECK(fdt_interrupt_map(&build.fdt, pcie, 5 << 11, 1, &interrupt) == 0);
	CHECK(interrupt.cells[1] == 4);
	CHECK(fdt_interrupt_map(&build.fdt, pcie, 4 << 11, 1, &interrupt) == 0);
	CHECK(interrupt.cells[1] == 3);
	CHECK(fdt_interrupt_map(&build.fdt, pcie, 0, 2, &interrupt) == -ENOENT);
}

static void test_fdt_reads_windows_of_a_pci_bridge(void)
{
	struct fdt_window window;

	CHECK(make_machine() == 0);
	CHECK(fdt_window(&build.fdt, node_at("/pcie"), 0, &window) == 0);
	CHECK(window.flags == 0x2000000 && window.child == 0x10000000);
	CHECK(window.parent == 0x10000000 && window.bytes == 0x1000);
	CHECK(fdt_window(&build.fdt, node_at("/pcie"), 1, &window) == -ENOENT);
}

static void test_fdt_lists_reserved_memory(void)
{
	struct fdt_range range;

	start();
	put_at(RESERVED_AT + 4, 0x4000);
	put_at(RESERVED_AT + 12, 0x1000);
	begin("");
	end();
	CHECK(finish() == 0);
	CHECK(fdt_reserved(&build.fdt, 0, &range) == 0);
	CHECK(range.base == 0x4000 && range.bytes == 0x1000);
	CHECK(fdt_reserved(&build.fdt, 1, &range) == -ENOENT);
}

static void test_fdt_skips_nops(void)
{
	uint32_t value;

	start();
	begin("");
	put(4);
	PROP("one", 1);
	put(4);
	PROP("two", 2);
	begin("child");
	put(4);
	end();
	put(4);
	end();
	put(4);
	CHECK(finish() == 0);
	CHECK(fdt_get_u32(&build.fdt, FDT_ROOT, "two", &value) == 0 && value == 2);
	CHECK(node_at("/child") != FDT_ROOT);
}

/* ---- Broken trees ---- */

static void test_fdt_refuses_a_broken_header(void)
{
	static const struct {
		uint32_t at, value;
	} broken[] = {
		{0, 0xd00dfeec},	/* magic */
		{4, BLOB_BYTES + 1},	/* longer than the buffer */
		{4, 39},		/* shorter than the header */
		{8, BLOB_BYTES},	/* structure block at the end */
		{8, 0xfffffff0},	/* far outside */
		{8, NODES_AT + 2},	/* not aligned */
		{12, 0xffffffff},	/* strings block outside */
		{16, BLOB_BYTES - 8},	/* reservations run over the end */
		{20, 15},		/* too old */
		{24, 18},		/* too new */
		{32, BLOB_BYTES},	/* strings block too long */
		{36, 0xffffffff},	/* structure block too long */
	};
	unsigned i;

	for (i = 0; i < ARRAY_COUNT(broken); i++) {
		CHECK(make_machine() == 0);
		put_at(broken[i].at, broken[i].value);
		CHECK(fdt_open(&build.fdt, build.blob, BLOB_BYTES) == -EINVAL);
	}
}

static void test_fdt_refuses_every_truncation(void)
{
	uint32_t bytes;

	CHECK(make_machine() == 0);
	for (bytes = 0; bytes < BLOB_BYTES; bytes++)
		CHECK(fdt_open(&build.fdt, build.blob, bytes) == -EINVAL);
	for (bytes = 0; bytes < build.nodes; bytes++) {
		put_at(36, bytes);
		CHECK(fdt_open(&build.fdt, build.blob, BLOB_BYTES) == -EINVAL);
	}
}

static void test_fdt_refuses_broken_nesting(void)
{
	unsigned i;

	start();
	begin("");
	CHECK(finish() == -EINVAL); /* not ended */
	start();
	begin("");
	end();
	end();
	CHECK(finish() == -EINVAL); /* ended twice */
	start();
	begin("");
	end();
	begin("");
	end();
	CHECK(finish() == -EINVAL); /* two roots */
	start();
	begin("");
	begin("child");
	end();
	PROP("late", 1);
	end();
	CHECK(finish() == -EINVAL); /* a property behind a child */
	start();
	begin("");
	put(17);
	end();
	CHECK(finish() == -EINVAL); /* no such token */
	start();
	for (i = 0; i <= FDT_DEPTH_MAX; i++)
		begin(i == 0 ? "" : "n");
	for (i = 0; i <= FDT_DEPTH_MAX; i++)
		end();
	CHECK(finish() == -EINVAL); /* too deep */
}

static void test_fdt_refuses_a_broken_property(void)
{
	uint32_t at;

	start();
	begin("");
	at = NODES_AT + build.nodes;
	PROP("cells", 1);
	end();
	CHECK(finish() == 0);
	put_at(at + 4, 0xfffffff8); /* longer than the block */
	CHECK(fdt_open(&build.fdt, build.blob, BLOB_BYTES) == -EINVAL);
	put_at(at + 4, 4);
	put_at(at + 8, build.strings); /* a name outside of the strings */
	CHECK(fdt_open(&build.fdt, build.blob, BLOB_BYTES) == -EINVAL);
	put_at(at + 8, 0);
	put_at(32, build.strings - 1); /* a name that does not end */
	CHECK(fdt_open(&build.fdt, build.blob, BLOB_BYTES) == -EINVAL);
}

static void test_fdt_walks_a_broken_tree_up_to_the_break(void)
{
	uint32_t node;

	CHECK(make_machine() == 0);
	put_at(NODES_AT + node_at("/pcie"), 17); /* no such token */
	CHECK(fdt_open(&build.fdt, build.blob, BLOB_BYTES) == -EINVAL);
	CHECK(fdt_compatible(&build.fdt, node_at("/bus/uart"), "arm,pl011"));
	CHECK(fdt_find_path(&build.fdt, "/pcie", &node) == -ENOENT);
	put_at(0, 0); /* and not at all without a header */
	CHECK(fdt_open(&build.fdt, build.blob, BLOB_BYTES) == -EINVAL);
	CHECK(fdt_find_path(&build.fdt, "/bus", &node) == -ENOENT);
}

static void test_fdt_refuses_values_that_make_no_sense(void)
{
	struct fdt_interrupt interrupt;
	struct fdt_window window;
	struct fdt_range range;

	start();
	begin("");
	PROP("#address-cells", 2);
	PROP("#size-cells", 2);
	begin("wraps");
	PROP("reg", 0xffffffff, 0xfffff000, 0, 0x2000);
	end();
	begin("odd");
	PROP("reg", 1, 2, 3);
	PROP("interrupts", 1, 2, 3);
	end();
	begin("cells");
	PROP("#address-cells", 9);
	PROP("ranges", 1, 2, 3);
	PROP("interrupt-parent", 99);
	begin("below");
	PROP("reg", 1, 2);
	PROP("interrupts", 1);
	end();
	end();
	end();
	CHECK(finish() == 0);
	CHECK(fdt_reg(&build.fdt, node_at("/wraps"), 0, &range) == -EINVAL);
	CHECK(fdt_reg(&build.fdt, node_at("/odd"), 0, &range) == -EINVAL);
	CHECK(fdt_reg(&build.fdt, node_at("/cells/below"), 0, &range) == -EINVAL);
	CHECK(fdt_window(&build.fdt, node_at("/cells"), 0, &window) == -EINVAL);
	CHECK(fdt_interrupt(&build.fdt, node_at("/odd"), 0, &interrupt) == -EINVAL);
	CHECK(fdt_interrupt(&build.fdt, node_at("/cells/below"), 0, &interrupt) == -EINVAL);
}

static void test_fdt_refuses_an_interrupt_map_cut_off(void)
{
	struct fdt_interrupt interrupt;

	start();
	begin("");
	begin("gic");
	PROP("phandle", 7);
	PROP("#interrupt-cells", 3);
	end();
	begin("pcie");
	PROP("interrupt-map-mask", 0, 0, 0, 7);
	PROP("interrupt-map", 0, 0, 0, 1, 7, 0, 3);
	end();
	end();
	CHECK(finish() == 0);
	CHECK(fdt_interrupt_map(&build.fdt, node_at("/pcie"), 0, 1, &interrupt) == -EINVAL);
}

const struct ktest ktests_fdt[] = {
	KTEST(test_fdt_finds_nodes_by_path_and_alias),
	KTEST(test_fdt_walks_children_siblings_parents),
	KTEST(test_fdt_reads_properties),
	KTEST(test_fdt_reg_is_translated_through_ranges),
	KTEST(test_fdt_reads_interrupts),
	KTEST(test_fdt_interrupt_map_finds_the_pin),
	KTEST(test_fdt_reads_windows_of_a_pci_bridge),
	KTEST(test_fdt_lists_reserved_memory),
	KTEST(test_fdt_skips_nops),
	KTEST(test_fdt_refuses_a_broken_header),
	KTEST(test_fdt_refuses_every_truncation),
	KTEST(test_fdt_refuses_broken_nesting),
	KTEST(test_fdt_refuses_a_broken_property),
	KTEST(test_fdt_walks_a_broken_tree_up_to_the_break),
	KTEST(test_fdt_refuses_values_that_make_no_sense),
	KTEST(test_fdt_refuses_an_interrupt_map_cut_off),
	{0},
};
