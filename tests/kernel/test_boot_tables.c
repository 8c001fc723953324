/*
 * What boot loaders leave, PVH and multiboot2, and the map of RAM: good tables are read, broken
 * ones are refused with a reason.
 */
#include "hal/common/multiboot2.h"
#include "hal/common/pvh.h"
#include "hal/common/ram.h"

#include "tests/kernel/ktest.h"

#define BASE 0x9000u /* the physical address of the image */
#define IMAGE_BYTES 8192u
#define PVH_MAGIC 0x336ec578u
#define PAGE HAL_PAGE_SIZE

/* Tests run one at a time. */
static struct {
	uint8_t image[IMAGE_BYTES];
	uint32_t used;
	size_t readable;
	struct boot_tables tables;
	struct ram_map map;
	const char *why;
} build;

static const void *read_image(void *arg, paddr_t addr, size_t bytes)
{
	(void)arg;
	if (addr < BASE || addr - BASE > build.readable || bytes > build.readable - (addr - BASE))
		return NULL;
	return build.image + (addr - BASE);
}

static const struct phys_reader reader = {read_image, NULL};

static void put(uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		build.image[build.used++] = (uint8_t)(value >> 8 * i);
}

static void put_text(const char *text)
{
	while (*text)
		put((uint8_t)*text++, 1);
	put(0, 1);
}

static void start(void)
{
	memset(&build, 0, sizeof(build));
	build.readable = IMAGE_BYTES;
}

/* ---- PVH ---- */

#define PVH_CMDLINE 0x100u
#define PVH_MODULE 0x200u
#define PVH_MEMORY 0x300u

static void build_pvh(uint32_t version, uint32_t entries)
{
	start();
	put(PVH_MAGIC, 4);
	put(version, 4);
	put(0, 4);
	put(1, 4);
	put(BASE + PVH_MODULE, 8);
	put(BASE + PVH_CMDLINE, 8);
	put(0xe0000, 8);
	put(BASE + PVH_MEMORY, 8);
	put(entries, 4);
	build.used = PVH_CMDLINE;
	put_text("quiet -- /bin/hello");
	build.used = PVH_MODULE;
	put(0x4000000, 8);
	put(0x1234, 8);
	build.used = PVH_MEMORY;
	for (uint32_t i = 0; i < entries; i++) {
		put(0x100000ull * i, 8);
		put(0x80000, 8);
		put(i % 2 ? 2 : 1, 4);
		put(0, 4);
	}
}

static int parse_pvh(void)
{
	return pvh_parse(&reader, BASE, &build.tables, &build.why);
}

static void test_pvh_is_read(void)
{
	build_pvh(1, 2);
	CHECK(pvh_probe(&reader, BASE));
	CHECK(!parse_pvh());
	CHECK(!str_compare(build.tables.cmdline, "quiet -- /bin/hello"));
	CHECK(build.tables.initrd == 0x4000000 && build.tables.initrd_bytes == 0x1234);
	CHECK(build.tables.rsdp == 0xe0000);
	CHECK(build.tables.region_count == 2);
	CHECK(build.tables.regions[0].ram && !build.tables.regions[1].ram);
	CHECK(build.tables.regions[1].base == 0x100000 && build.tables.regions[1].bytes == 0x80000);
}

static void test_pvh_without_memory_map_is_refused(void)
{
	build_pvh(0, 2);
	CHECK(parse_pvh() == -EINVAL && build.why);
	build_pvh(1, 0);
	CHECK(parse_pvh() == -EINVAL && build.why);
	build_pvh(1, 1);
	build.image[0] ^= 1;
	CHECK(!pvh_probe(&reader, BASE));
	CHECK(parse_pvh() == -EINVAL);
}

static void test_pvh_cut_off_anywhere_is_refused(void)
{
	build_pvh(1, 2);
	for (build.readable = 0; build.readable < PVH_MEMORY + 48; build.readable++)
		CHECK(parse_pvh() == -EINVAL && build.why);
	CHECK(!parse_pvh());
}

static void test_pvh_with_a_huge_memory_map_is_refused(void)
{
	build_pvh(1, 1);
	build.used = 48;
	put(0xffffffff, 4);
	CHECK(parse_pvh() == -EINVAL);
}

static void test_pvh_long_command_line_is_cut(void)
{
	build_pvh(1, 1);
	build.used = 24;
	put(BASE + 0x400, 8);
	memset(build.image + 0x400, 'x', HAL_CMDLINE_MAX + 100);
	CHECK(!parse_pvh());
	CHECK(str_length(build.tables.cmdline) == HAL_CMDLINE_MAX - 1);
	CHECK(build.tables.cmdline_cut);
}

/* ---- multiboot2 ---- */

static uint32_t begin_tag(uint32_t type)
{
	build.used = ALIGN_UP(build.used, 8u);
	put(type, 4);
	put(0, 4);
	return build.used - 8;
}

static void end_tag(uint32_t at)
{
	uint32_t end = build.used;

	build.used = at + 4;
	put(end - at, 4);
	build.used = end;
}

static void end_multiboot2(void)
{
	uint32_t end;

	end_tag(begin_tag(0));
	end = build.used;
	build.used = 0;
	put(end, 4);
	build.used = end;
	build.readable = end;
}

static void build_multiboot2(void)
{
	uint32_t tag;

	start();
	put(0, 8);
	tag = begin_tag(1);
	put_text("loglevel=7");
	end_tag(tag);
	tag = begin_tag(3);
	put(0x200000, 4);
	put(0x201000, 4);
	put_text("root.cpio");
	end_tag(tag);
	tag = begin_tag(6);
	put(24, 4);
	put(0, 4);
	put(0x100000, 8);
	put(0x7000000, 8);
	put(1, 4);
	put(0, 4);
	end_tag(tag);
	tag = begin_tag(8);
	put(0xfd000000, 8);
	put(3200, 4);
	put(800, 4);
	put(600, 4);
	put(0x000120, 4); /* 32 bits, RGB */
	put(0x080808081000 | 0x10, 6);
	end_tag(tag);
	tag = begin_tag(15);
	put_text("RSD PTR ");
	end_tag(tag);
}

static int parse_multiboot2(void)
{
	return multiboot2_parse(&reader, BASE, &build.tables, &build.why);
}

static void test_multiboot2_is_read(void)
{
	build_multiboot2();
	end_multiboot2();
	CHECK(!parse_multiboot2());
	CHECK(!str_compare(build.tables.cmdline, "loglevel=7"));
	CHECK(build.tables.initrd == 0x200000 && build.tables.initrd_bytes == 0x1000);
	CHECK(build.tables.region_count == 1 && build.tables.regions[0].ram);
	CHECK(build.tables.regions[0].base == 0x100000);
	CHECK(build.tables.framebuffer.addr == 0xfd000000);
	CHECK(build.tables.framebuffer.width == 800 && build.tables.framebuffer.height == 600);
	CHECK(build.tables.rsdp > BASE && !memcmp(build.image + (build.tables.rsdp - BASE),
						  "RSD PTR ", 8));
}

static void test_multiboot2_cut_off_anywhere_is_refused(void)
{
	build_multiboot2();
	end_multiboot2();
	for (uint32_t bytes = build.used; bytes-- > 0;) {
		build.readable = bytes;
		CHECK(parse_multiboot2() == -EINVAL && build.why);
	}
}

static void test_multiboot2_without_memory_map_is_refused(void)
{
	start();
	put(0, 8);
	end_multiboot2();
	CHECK(parse_multiboot2() == -EINVAL && build.why);
}

static void test_multiboot2_tag_longer_than_the_table_is_refused(void)
{
	build_multiboot2();
	end_multiboot2();
	build.used = 12;
	put(0xfffffff0, 4);
	CHECK(parse_multiboot2() == -EINVAL);
	build.used = 12;
	put(4, 4); /* shorter than its header: would never end */
	CHECK(parse_multiboot2() == -EINVAL);
}

/* ---- The map of RAM ---- */

static void test_ram_merges_what_touches(void)
{
	start();
	ram_map_add(&build.map, 4 * PAGE, 2 * PAGE);
	ram_map_add(&build.map, 8 * PAGE, PAGE);
	ram_map_add(&build.map, 6 * PAGE, 2 * PAGE);
	CHECK(build.map.count == 1);
	CHECK(build.map.ranges[0].base == 4 * PAGE && build.map.ranges[0].bytes == 5 * PAGE);
}

static void test_ram_holds_whole_pages_alone(void)
{
	start();
	ram_map_add(&build.map, 4 * PAGE + 1, 2 * PAGE);
	CHECK(build.map.count == 1);
	CHECK(build.map.ranges[0].base == 5 * PAGE && build.map.ranges[0].bytes == PAGE);
	ram_map_add(&build.map, 9 * PAGE + 1, PAGE);
	ram_map_add(&build.map, UINT64_MAX - 5, 100);
	CHECK(build.map.count == 1);
}

static void test_ram_removes_from_the_middle(void)
{
	start();
	ram_map_add(&build.map, 4 * PAGE, 8 * PAGE);
	ram_map_remove(&build.map, 6 * PAGE + 5, 1);
	CHECK(build.map.count == 2);
	CHECK(build.map.ranges[0].bytes == 2 * PAGE && build.map.ranges[1].base == 7 * PAGE);
	CHECK(ram_map_overlaps(&build.map, 5 * PAGE, 2 * PAGE));
	CHECK(!ram_map_overlaps(&build.map, 6 * PAGE, PAGE));
	CHECK(ram_map_covers(&build.map, 7 * PAGE, 5 * PAGE));
	CHECK(!ram_map_covers(&build.map, 5 * PAGE, 3 * PAGE));
	ram_map_remove(&build.map, 0, UINT64_MAX);
	CHECK(build.map.count == 0 && ram_map_bytes(&build.map) == 0);
}

static void test_ram_takes_from_the_top_below_a_limit(void)
{
	start();
	ram_map_add(&build.map, PAGE, 15 * PAGE);
	CHECK(ram_map_take(&build.map, PAGE, PAGE, 8 * PAGE) == 7 * PAGE);
	CHECK(ram_map_take(&build.map, 4 * PAGE, 4 * PAGE, UINT64_MAX) == 12 * PAGE);
	CHECK(ram_map_take(&build.map, 32 * PAGE, PAGE, UINT64_MAX) == 0);
	CHECK(ram_map_bytes(&build.map) == 10 * PAGE);
}

static void test_ram_drops_the_smallest_when_it_is_full(void)
{
	start();
	for (uint64_t i = 0; i < HAL_RAM_RANGES_MAX + 10; i++)
		ram_map_add(&build.map, 16 * i * PAGE, (i % 3 + 1) * PAGE);
	CHECK(build.map.count == HAL_RAM_RANGES_MAX);
	CHECK(build.map.dropped_bytes == 10 * PAGE);
	ram_map_remove(&build.map, 0, UINT64_MAX);
	CHECK(build.map.count == 0);
}

const struct ktest ktests_boot_tables[] = {
	KTEST(test_pvh_is_read),
	KTEST(test_pvh_without_memory_map_is_refused),
	KTEST(test_pvh_cut_off_anywhere_is_refused),
	KTEST(test_pvh_with_a_huge_memory_map_is_refused),
	KTEST(test_pvh_long_command_line_is_cut),
	KTEST(test_multiboot2_is_read),
	KTEST(test_multiboot2_cut_off_anywhere_is_refused),
	KTEST(test_multiboot2_without_memory_map_is_refused),
	KTEST(test_multiboot2_tag_longer_than_the_table_is_refused),
	KTEST(test_ram_merges_what_touches),
	KTEST(test_ram_holds_whole_pages_alone),
	KTEST(test_ram_removes_from_the_middle),
	KTEST(test_ram_takes_from_the_top_below_a_limit),
	KTEST(test_ram_drops_the_smallest_when_it_is_full),
	{0},
};
