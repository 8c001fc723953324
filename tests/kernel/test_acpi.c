/*
 * The ACPI parser, over tables that a small builder makes: what it reads of good ones, and that it
 * leaves out broken ones and says so.
 */
#include "hal/common/acpi.h"

#include "tests/kernel/ktest.h"

#define BASE 0x80000u /* the physical address of the image */
#define ROOT_AT 0u
#define LIST_AT 64u
#define MADT_AT 256u
#define FADT_AT 512u
#define DSDT_AT 1024u
#define OTHER_AT 1536u
#define IMAGE_BYTES 2048u

/* Tests run one at a time. */
static struct {
	uint8_t image[IMAGE_BYTES];
	uint32_t listed; /* tables in the list */
	struct acpi_info info;
} build;

static const void *read_image(void *arg, paddr_t addr, size_t bytes)
{
	(void)arg;
	if (addr < BASE || addr - BASE > IMAGE_BYTES || bytes > IMAGE_BYTES - (addr - BASE))
		return NULL;
	return build.image + (addr - BASE);
}

static const struct phys_reader reader = {read_image, NULL};

static void put(uint32_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		build.image[at + i] = (uint8_t)(value >> 8 * i);
}

static void seal(uint32_t at, uint32_t bytes, uint32_t sum_at)
{
	uint8_t sum = 0;

	build.image[at + sum_at] = 0;
	for (uint32_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + build.image[at + i]);
	build.image[at + sum_at] = (uint8_t)-sum;
}

static void end_table(uint32_t at, const char *signature, uint32_t bytes)
{
	memcpy(build.image + at, signature, 4);
	put(at + 4, bytes, 4);
	seal(at, bytes, 9);
}

static void list_table(uint32_t at)
{
	put(LIST_AT + 36 + 8 * build.listed++, BASE + at, 8);
	end_table(LIST_AT, "XSDT", 36 + 8 * build.listed);
}

static void start(void)
{
	memset(&build, 0, sizeof(build));
	memcpy(build.image + ROOT_AT, "RSD PTR ", 8);
	put(ROOT_AT + 15, 2, 1);
	put(ROOT_AT + 20, 36, 4);
	put(ROOT_AT + 24, BASE + LIST_AT, 8);
	seal(ROOT_AT, 20, 8);
	seal(ROOT_AT, 36, 32);
	end_table(LIST_AT, "XSDT", 36);
}

static int parse(void)
{
	return acpi_parse(&reader, BASE + ROOT_AT, &build.info);
}

/* ---- MADT ---- */

static const uint8_t madt_entries[] = {
	0, 8, 0, 0, 1, 0, 0, 0,				/* CPU 0 */
	0, 8, 1, 4, 1, 0, 0, 0,				/* CPU 1, APIC 4 */
	0, 8, 2, 5, 0, 0, 0, 0,				/* one that is turned off */
	9, 16, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, /* x2APIC 300 */
	1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0,	/* IO-APIC from GSI 24 on */
	2, 10, 0, 9, 20, 0, 0, 0, 0x0f, 0,		/* ISA 9 is GSI 20, level, low */
};

static void add_madt(uint32_t bytes)
{
	put(MADT_AT + 36, 0xfee00000, 4);
	memcpy(build.image + MADT_AT + 44, madt_entries, sizeof(madt_entries));
	end_table(MADT_AT, "APIC", bytes);
	list_table(MADT_AT);
}

static void test_acpi_reads_cpus_and_controllers(void)
{
	start();
	add_madt(44 + sizeof(madt_entries));
	CHECK(!parse());
	CHECK(!build.info.problems);
	CHECK(build.info.lapic == 0xfee00000);
	CHECK(build.info.cpu_count == 3);
	CHECK(build.info.apic_ids[1] == 4 && build.info.apic_ids[2] == 300);
	CHECK(build.info.ioapic_count == 1);
	CHECK(build.info.ioapics[0].addr == 0xfec00000 && build.info.ioapics[0].gsi_base == 24);
}

static void test_acpi_reads_overrides_of_isa_interrupts(void)
{
	start();
	add_madt(44 + sizeof(madt_entries));
	CHECK(!parse());
	CHECK(build.info.isa_irqs[9].gsi == 20);
	CHECK(build.info.isa_irqs[9].level && build.info.isa_irqs[9].active_low);
	CHECK(build.info.isa_irqs[4].gsi == 4 && !build.info.isa_irqs[4].level);
}

static void test_acpi_stops_at_a_malformed_madt_entry(void)
{
	start();
	add_madt(44 + sizeof(madt_entries));
	build.image[MADT_AT + 44 + 9] = 0; /* the length of the second entry */
	end_table(MADT_AT, "APIC", 44 + sizeof(madt_entries));
	CHECK(!parse());
	CHECK(build.info.cpu_count == 1);
	CHECK(build.info.problems == 1);
}

static void test_acpi_counts_more_cpus_than_fit(void)
{
	start();
	for (uint32_t i = 0; i < HAL_CPUS_MAX + 6; i++) {
		put(OTHER_AT - 512 + 44 + 8 * i, 0x0800, 2);
		put(OTHER_AT - 512 + 44 + 8 * i + 3, i, 1);
		put(OTHER_AT - 512 + 44 + 8 * i + 4, 1, 4);
	}
	end_table(OTHER_AT - 512, "APIC", 44 + 8 * (HAL_CPUS_MAX + 6));
	list_table(OTHER_AT - 512);
	CHECK(!parse());
	CHECK(build.info.cpu_count == HAL_CPUS_MAX && build.info.cpus_dropped == 6);
}

/* ---- FADT and DSDT ---- */

static const uint8_t dsdt_code[] = {
	0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x01, 0x00, 0x00, /* types 5, 1 */
	0x08, '_', 'H', 'I', 'D', 0x0d, 'L', 'N', 'R', 'O', '0', '0', '0', '5', 0,
	0x08, '_', 'C', 'R', 'S', 0x11, 0x1a, 0x0a, 0x17,
	0x86, 0x09, 0x00, 0x01, 0x00, 0x00, 0xb0, 0xfe, 0x00, 0x02, 0x00, 0x00, /* 0xfeb00000 */
	0x89, 0x06, 0x00, 0x03, 0x01, 0x05, 0x00, 0x00, 0x00,		       /* GSI 5, edge */
	0x79, 0x00,
};

static void add_fadt(void)
{
	uint32_t dsdt_bytes = 36 + sizeof(dsdt_code);

	memcpy(build.image + DSDT_AT + 36, dsdt_code, sizeof(dsdt_code));
	end_table(DSDT_AT, "DSDT", dsdt_bytes);
	put(FADT_AT + 40, BASE + DSDT_AT, 4);
	put(FADT_AT + 48, 0xb2, 4);
	put(FADT_AT + 52, 0xf1, 1);
	put(FADT_AT + 64, 0x604, 4);
	put(FADT_AT + 76, 0x608, 4);
	put(FADT_AT + 112, 1u << 10 | 1u << 8, 4);
	put(FADT_AT + 116, ACPI_SPACE_IO, 1);
	put(FADT_AT + 120, 0xcf9, 8);
	put(FADT_AT + 128, 0x0f, 1);
	end_table(FADT_AT, "FACP", 244);
	list_table(FADT_AT);
}

static void test_acpi_reads_how_to_power_off_and_reset(void)
{
	start();
	add_fadt();
	CHECK(!parse());
	CHECK(!build.info.problems);
	CHECK(build.info.pm1a_control.addr == 0x604 && build.info.pm1b_control.addr == 0);
	CHECK(build.info.s5_known && build.info.s5_type_a == 5 && build.info.s5_type_b == 1);
	CHECK(build.info.reset.addr == 0xcf9 && build.info.reset_value == 0x0f);
	CHECK(build.info.smi_command == 0xb2 && build.info.smi_acpi_enable == 0xf1);
	CHECK(build.info.pm_timer.addr == 0x608 && build.info.pm_timer_32bit);
	CHECK(!build.info.sleep_control.addr);
}

static void test_acpi_prefers_the_extended_registers(void)
{
	start();
	add_fadt();
	put(FADT_AT + 172, ACPI_SPACE_MEMORY, 1);
	put(FADT_AT + 176, 0xfed00604, 8);
	end_table(FADT_AT, "FACP", 244);
	CHECK(!parse());
	CHECK(build.info.pm1a_control.space == ACPI_SPACE_MEMORY);
	CHECK(build.info.pm1a_control.addr == 0xfed00604);
}

static void test_acpi_finds_virtio_devices(void)
{
	start();
	add_fadt();
	CHECK(!parse());
	CHECK(build.info.virtio_count == 1);
	CHECK(build.info.virtio[0].regs == 0xfeb00000 && build.info.virtio[0].bytes == 512);
	CHECK(build.info.virtio[0].gsi == 5 && !build.info.virtio[0].level);
}

static void test_acpi_says_when_power_off_is_not_described(void)
{
	start();
	add_fadt();
	build.image[DSDT_AT + 37] = 'X';
	end_table(DSDT_AT, "DSDT", 36 + sizeof(dsdt_code));
	CHECK(!parse());
	CHECK(!build.info.s5_known && build.info.problems == 1);
}

/* A package that is cut off by the end of the table, at each of its bytes. */
static void test_acpi_survives_a_cut_off_dsdt(void)
{
	for (uint32_t bytes = 0; bytes < sizeof(dsdt_code); bytes++) {
		start();
		add_fadt();
		end_table(DSDT_AT, "DSDT", 36 + bytes);
		CHECK(!parse());
		CHECK(build.info.virtio_count == 0 || bytes >= sizeof(dsdt_code) - 2);
	}
}

/* ---- HPET, MCFG ---- */

static void test_acpi_reads_timer_and_config_space(void)
{
	start();
	put(MADT_AT + 44, 0xfed00000, 8);
	end_table(MADT_AT, "HPET", 56);
	list_table(MADT_AT);
	put(OTHER_AT + 44, 0xb0000000, 8);
	put(OTHER_AT + 54, 0, 1);
	put(OTHER_AT + 55, 0xff, 1);
	end_table(OTHER_AT, "MCFG", 60);
	list_table(OTHER_AT);
	CHECK(!parse());
	CHECK(build.info.hpet == 0xfed00000);
	CHECK(build.info.ecam_count == 1 && build.info.ecams[0].base == 0xb0000000);
	CHECK(build.info.ecams[0].bus_first == 0 && build.info.ecams[0].bus_last == 255);
}

/* ---- The root ---- */

static void test_acpi_refuses_a_damaged_root(void)
{
	start();
	build.image[ROOT_AT + 16] ^= 1;
	CHECK(parse() == -EINVAL);
	CHECK(build.info.cpu_count == 0 && build.info.isa_irqs[3].gsi == 3);
	CHECK(acpi_parse(&reader, 0, &build.info) == -EINVAL);
	CHECK(acpi_parse(&reader, UINT64_MAX - 8, &build.info) == -EINVAL);
}

static void test_acpi_uses_the_old_list_where_there_is_no_new_one(void)
{
	start();
	add_madt(44 + sizeof(madt_entries));
	put(ROOT_AT + 15, 0, 1);
	put(ROOT_AT + 16, BASE + OTHER_AT, 4);
	seal(ROOT_AT, 20, 8);
	put(OTHER_AT + 36, BASE + MADT_AT, 4);
	end_table(OTHER_AT, "RSDT", 40);
	CHECK(!parse());
	CHECK(build.info.cpu_count == 3);
}

static void test_acpi_leaves_out_damaged_tables(void)
{
	start();
	add_fadt();
	add_madt(44 + sizeof(madt_entries));
	build.image[MADT_AT + 50] ^= 1;
	CHECK(!parse());
	CHECK(build.info.cpu_count == 0 && build.info.problem);
	CHECK(build.info.s5_known);
	put(MADT_AT + 4, 1u << 30, 4);
	CHECK(!parse() && build.info.problems == 1);
	put(MADT_AT + 4, 7, 4);
	CHECK(!parse() && build.info.problems == 1);
	list_table(0xffffff); /* a table where no memory is */
	CHECK(!parse() && build.info.problems == 2);
}

static void test_acpi_finds_the_root_on_a_boundary(void)
{
	start();
	memmove(build.image + 48, build.image + ROOT_AT, 36);
	memset(build.image, 0, 48);
	CHECK(acpi_find_root(&reader, BASE, 256) == BASE + 48);
	CHECK(acpi_find_root(&reader, BASE + 49, 256) == 0);
	CHECK(acpi_find_root(&reader, BASE, 60) == 0);
	CHECK(acpi_find_root(&reader, 0, 256) == 0);
}

const struct ktest ktests_acpi[] = {
	KTEST(test_acpi_reads_cpus_and_controllers),
	KTEST(test_acpi_reads_overrides_of_isa_interrupts),
	KTEST(test_acpi_stops_at_a_malformed_madt_entry),
	KTEST(test_acpi_counts_more_cpus_than_fit),
	KTEST(test_acpi_reads_how_to_power_off_and_reset),
	KTEST(test_acpi_prefers_the_extended_registers),
	KTEST(test_acpi_finds_virtio_devices),
	KTEST(test_acpi_says_when_power_off_is_not_described),
	KTEST(test_acpi_survives_a_cut_off_dsdt),
	KTEST(test_acpi_reads_timer_and_config_space),
	KTEST(test_acpi_refuses_a_damaged_root),
	KTEST(test_acpi_uses_the_old_list_where_there_is_no_new_one),
	KTEST(test_acpi_leaves_out_damaged_tables),
	KTEST(test_acpi_finds_the_root_on_a_boundary),
	{0},
};
