/*
 * Parser of ACPI's tables. Pure: reads physical memory through the reader alone, and trusts nothing
 * in it: lengths are bounded, checksums are checked, and a table that is damaged is left out and
 * told in info->problem. No lock.
 */
#include "hal/common/acpi.h"

#include "hal/base.h"

#define HEADER_BYTES 36u
#define TABLE_BYTES_MAX (16u << 20)
#define TABLES_MAX 256u
#define RSDP_BYTES 20u
#define RSDP_BYTES_V2 36u
#define MADT_ENTRIES 44u
#define MCFG_ENTRIES 44u
#define MCFG_ENTRY_BYTES 16u
#define FADT_RESET_SUPPORTED (1u << 10)
#define FADT_TIMER_32BIT (1u << 8)
#define AML_CRS_WINDOW 160u /* bytes behind a device's name in which its resources begin */

struct table {
	const uint8_t *data; /* with its header */
	uint32_t bytes;
};

struct parser {
	const struct phys_reader *reader;
	struct acpi_info *info;
	unsigned tables; /* read so far */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool checksum_ok(const uint8_t *p, size_t bytes)
{
	uint8_t sum = 0;

	while (bytes--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

static void add_problem(struct parser *parser, const char *problem)
{
	if (!parser->info->problem)
		parser->info->problem = problem;
	parser->info->problems++;
}

static bool read_table(struct parser *parser, paddr_t addr, struct table *table)
{
	const struct phys_reader *reader = parser->reader;
	const uint8_t *header = addr ? reader->read(reader->arg, addr, HEADER_BYTES) : NULL;

	if (++parser->tables > TABLES_MAX) {
		add_problem(parser, "more tables than any machine has");
		return false;
	}
	if (!header) {
		add_problem(parser, "a table lies where no memory is");
		return false;
	}
	table->bytes = get32(header + 4);
	if (table->bytes < HEADER_BYTES || table->bytes > TABLE_BYTES_MAX) {
		add_problem(parser, "a table has an impossible length");
		return false;
	}
	table->data = reader->read(reader->arg, addr, table->bytes);
	if (!table->data) {
		add_problem(parser, "a table is cut off");
		return false;
	}
	if (!checksum_ok(table->data, table->bytes)) {
		add_problem(parser, "a table has a wrong checksum");
		return false;
	}
	return true;
}

/* ---- MADT ---- */

static void add_cpu(struct acpi_info *info, uint32_t apic_id, uint32_t flags)
{
	if (!(flags & 1))
		return;
	for (unsigned i = 0; i < info->cpu_count; i++)
		if (info->apic_ids[i] == apic_id)
			return;
	if (info->cpu_count == HAL_CPUS_MAX)
		info->cpus_dropped++;
	else
		info->apic_ids[info->cpu_count++] = apic_id;
}

static void add_ioapic(struct acpi_info *info, paddr_t addr, uint32_t gsi_base)
{
	if (info->ioapic_count < ACPI_IOAPICS_MAX) {
		info->ioapics[info->ioapic_count].addr = addr;
		info->ioapics[info->ioapic_count++].gsi_base = gsi_base;
	}
}

static void override_isa_irq(struct acpi_info *info, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	if (irq >= ACPI_ISA_IRQS)
		return;
	info->isa_irqs[irq].gsi = gsi;
	info->isa_irqs[irq].active_low = (flags & 3) == 3;
	info->isa_irqs[irq].level = (flags >> 2 & 3) == 3;
}

static void parse_madt_entry(struct acpi_info *info, const uint8_t *p, unsigned bytes)
{
	if (p[0] == 0 && bytes >= 8)
		add_cpu(info, p[3], get32(p + 4));
	else if (p[0] == 1 && bytes >= 12)
		add_ioapic(info, get32(p + 4), get32(p + 8));
	else if (p[0] == 2 && bytes >= 10)
		override_isa_irq(info, p[3], get32(p + 4), get16(p + 8));
	else if (p[0] == 5 && bytes >= 12)
		info->lapic = get64(p + 4);
	else if (p[0] == 9 && bytes >= 16)
		add_cpu(info, get32(p + 4), get32(p + 8));
}

static void parse_madt(struct parser *parser, const struct table *table)
{
	uint32_t offset = MADT_ENTRIES;

	if (table->bytes < MADT_ENTRIES) {
		add_problem(parser, "the MADT is cut off");
		return;
	}
	parser->info->lapic = get32(table->data + 36);
	while (offset + 2 <= table->bytes) {
		unsigned bytes = table->data[offset + 1];

		if (bytes < 2 || bytes > table->bytes - offset) {
			add_problem(parser, "the MADT has a malformed entry");
			return;
		}
		parse_madt_entry(parser->info, table->data + offset, bytes);
		offset += bytes;
	}
}

/* ---- HPET, MCFG ---- */

static void parse_hpet(struct parser *parser, const struct table *table)
{
	if (table->bytes < 52 || table->data[40] != ACPI_SPACE_MEMORY)
		add_problem(parser, "the HPET table is malformed");
	else if (!parser->info->hpet)
		parser->info->hpet = get64(table->data + 44);
}

static void parse_mcfg(struct parser *parser, const struct table *table)
{
	struct acpi_info *info = parser->info;

	for (uint32_t at = MCFG_ENTRIES; at + MCFG_ENTRY_BYTES <= table->bytes &&
					 info->ecam_count < ACPI_ECAMS_MAX;
	     at += MCFG_ENTRY_BYTES) {
		const uint8_t *p = table->data + at;
		struct acpi_ecam *ecam = &info->ecams[info->ecam_count];

		if (p[11] < p[10]) {
			add_problem(parser, "the MCFG has a malformed entry");
			continue;
		}
		ecam->base = get64(p);
		ecam->segment = get16(p + 8);
		ecam->bus_first = p[10];
		ecam->bus_last = p[11];
		info->ecam_count++;
	}
}

/* ---- DSDT, by its byte patterns ---- */

static bool find_bytes(const struct table *table, uint32_t *at, const char *pattern, uint32_t bytes)
{
	for (uint32_t i = *at; i + bytes <= table->bytes; i++) {
		if (table->data[i] == (uint8_t)pattern[0] &&
		    !memcmp(table->data + i, pattern, bytes)) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* A constant of AML (20.2.3) at `*at`, which is moved behind it. */
static bool read_constant(const struct table *table, uint32_t *at, uint32_t *value)
{
	static const uint8_t bytes_of[] = {[0x0a] = 1, [0x0b] = 2, [0x0c] = 4};
	uint8_t op, bytes;

	if (*at >= table->bytes)
		return false;
	op = table->data[(*at)++];
	*value = op == 0xff ? 0xff : op;
	if (op == 0x00 || op == 0x01 || op == 0xff)
		return true;
	bytes = op < sizeof(bytes_of) ? bytes_of[op] : 0;
	if (!bytes || bytes > table->bytes - *at)
		return false;
	*value = 0;
	for (unsigned i = 0; i < bytes; i++)
		*value |= (uint32_t)table->data[*at + i] << 8 * i;
	*at += bytes;
	return true;
}

/* Name (_S5, Package () {type for PM1a, type for PM1b, ...}) */
static void find_s5(struct parser *parser, const struct table *table)
{
	struct acpi_info *info = parser->info;

	for (uint32_t at = HEADER_BYTES; find_bytes(table, &at, "_S5_", 4); at++) {
		uint32_t p = at + 4, a, b;

		if (p + 2 > table->bytes || table->data[p] != 0x12)
			continue;
		p += 2 + (table->data[p + 1] >> 6); /* operator, package length */
		if (p >= table->bytes || table->data[p] < 1)
			continue;
		p++; /* number of elements */
		if (!read_constant(table, &p, &a))
			continue;
		if (!read_constant(table, &p, &b))
			b = a;
		info->s5_known = true;
		info->s5_type_a = a & 7;
		info->s5_type_b = b & 7;
		return;
	}
	add_problem(parser, "the DSDT does not say how to power off (_S5)");
}

/* Memory32Fixed (6.4.3.4) and Extended Interrupt (6.4.3.6) near `from`. */
static bool read_virtio_resources(const struct table *table, uint32_t from,
				  struct acpi_virtio *device)
{
	uint32_t end = MIN(table->bytes, from + AML_CRS_WINDOW);
	const uint8_t *p;

	for (; from + 12 + 9 <= end; from++) {
		p = table->data + from;
		if (p[0] == 0x86 && p[1] == 9 && p[2] == 0)
			break;
	}
	if (from + 12 + 9 > end)
		return false;
	device->regs = get32(p + 4);
	device->bytes = get32(p + 8);
	p += 12;
	if (p[0] != 0x89 || p[4] < 1)
		return false;
	device->level = !(p[3] & 2);
	device->active_low = p[3] & 4;
	device->gsi = get32(p + 5);
	return true;
}

static void find_virtio(struct parser *parser, const struct table *table)
{
	struct acpi_info *info = parser->info;

	for (uint32_t at = HEADER_BYTES; find_bytes(table, &at, "LNRO0005", 8); at++) {
		struct acpi_virtio device = {0};

		if (info->virtio_count == ACPI_VIRTIO_MAX)
			return;
		if (read_virtio_resources(table, at, &device))
			info->virtio[info->virtio_count++] = device;
		else
			add_problem(parser, "a virtio device in the DSDT has odd resources");
	}
}

/* ---- FADT ---- */

static struct acpi_register read_register(const struct table *table, uint32_t extended,
					  uint32_t legacy)
{
	struct acpi_register reg = {ACPI_SPACE_IO, 0};

	if (extended + 12 <= table->bytes && get64(table->data + extended + 4)) {
		reg.space = table->data[extended];
		reg.addr = get64(table->data + extended + 4);
	} else if (legacy && legacy + 4 <= table->bytes) {
		reg.addr = get32(table->data + legacy);
	}
	return reg;
}

static void parse_fadt(struct parser *parser, const struct table *table)
{
	struct acpi_info *info = parser->info;
	struct table dsdt;
	uint32_t flags;
	uint64_t dsdt_addr;

	if (table->bytes < 116) {
		add_problem(parser, "the FADT is cut off");
		return;
	}
	flags = get32(table->data + 112);
	info->pm1a_control = read_register(table, 172, 64);
	info->pm1b_control = read_register(table, 184, 68);
	info->pm_timer = read_register(table, 208, 76);
	info->pm_timer_32bit = flags & FADT_TIMER_32BIT;
	info->sleep_control = read_register(table, 244, 0);
	info->smi_command = (uint16_t)get32(table->data + 48);
	info->smi_acpi_enable = table->data[52];
	if (flags & FADT_RESET_SUPPORTED && table->bytes >= 129) {
		info->reset = read_register(table, 116, 0);
		info->reset_value = table->data[128];
	}
	dsdt_addr = table->bytes >= 148 ? get64(table->data + 140) : 0;
	if (!dsdt_addr)
		dsdt_addr = get32(table->data + 40);
	if (read_table(parser, dsdt_addr, &dsdt)) {
		find_s5(parser, &dsdt);
		find_virtio(parser, &dsdt);
	}
}

/* ---- The root ---- */

static void parse_table(struct parser *parser, paddr_t addr)
{
	static const struct {
		char signature[5];
		void (*parse)(struct parser *parser, const struct table *table);
	} kinds[] = {
		{"APIC", parse_madt},
		{"FACP", parse_fadt},
		{"HPET", parse_hpet},
		{"MCFG", parse_mcfg},
	};
	struct table table;

	if (!read_table(parser, addr, &table))
		return;
	for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++)
		if (!memcmp(table.data, kinds[i].signature, 4))
			kinds[i].parse(parser, &table);
}

static const uint8_t *read_root(const struct phys_reader *reader, paddr_t addr)
{
	const uint8_t *root = reader->read(reader->arg, addr, RSDP_BYTES);

	if (!root || memcmp(root, "RSD PTR ", 8) || !checksum_ok(root, RSDP_BYTES))
		return NULL;
	return root;
}

paddr_t acpi_find_root(const struct phys_reader *reader, paddr_t start, size_t bytes)
{
	for (paddr_t at = ALIGN_UP(start, (paddr_t)16); at + RSDP_BYTES <= start + bytes; at += 16)
		if (read_root(reader, at))
			return at;
	return 0;
}

static void set_defaults(struct acpi_info *info)
{
	memset(info, 0, sizeof(*info));
	for (unsigned i = 0; i < ACPI_ISA_IRQS; i++)
		info->isa_irqs[i].gsi = i;
}

int acpi_parse(const struct phys_reader *reader, paddr_t rsdp, struct acpi_info *info)
{
	struct parser parser = {reader, info, 0};
	const uint8_t *root = read_root(reader, rsdp), *root_v2;
	paddr_t addr;
	unsigned entry_bytes = 4;
	struct table list;

	set_defaults(info);
	if (!root)
		return -EINVAL;
	addr = get32(root + 16);
	if (root[15] >= 2) {
		root_v2 = reader->read(reader->arg, rsdp, RSDP_BYTES_V2);
		if (root_v2 && checksum_ok(root_v2, RSDP_BYTES_V2) && get64(root_v2 + 24)) {
			addr = get64(root_v2 + 24);
			entry_bytes = 8;
		}
	}
	if (!read_table(&parser, addr, &list))
		return 0;
	if (memcmp(list.data, entry_bytes == 8 ? "XSDT" : "RSDT", 4)) {
		add_problem(&parser, "the root leads to no list of tables");
		return 0;
	}
	for (uint32_t at = HEADER_BYTES; at + entry_bytes <= list.bytes; at += entry_bytes)
		parse_table(&parser, entry_bytes == 8 ? get64(list.data + at)
						      : get32(list.data + at));
	return 0;
}
