/*
 * libFuzzer target: the ACPI parser. The input is the memory of a machine at MEMORY_AT, with the
 * root pointer at its start. Checksums are made right first, or nearly every input would end there.
 */
#include "hal/common/acpi.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_AT 0x1000u
#define TABLES_MAX 64u
#define HEADER_BYTES 36u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct memory {
	uint8_t *data;
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

static void seal(uint8_t *start, size_t bytes, size_t sum_at)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + (i == sum_at ? 0 : start[i]));
	start[sum_at] = (uint8_t)-sum;
}

/* Anything that begins with four capitals and a length that fits is taken for a table. */
static void seal_tables(struct memory *memory)
{
	unsigned tables = 0;

	for (size_t at = 0; at + HEADER_BYTES <= memory->bytes && tables < TABLES_MAX; at += 4) {
		uint8_t *p = memory->data + at;
		uint32_t length;

		memcpy(&length, p + 4, sizeof(length));
		if (p[0] < 'A' || p[0] > 'Z' || p[3] < 'A' || p[3] > 'Z' || length < HEADER_BYTES ||
		    length > memory->bytes - at)
			continue;
		seal(p, length, 9);
		tables++;
	}
	if (memory->bytes >= 20)
		seal(memory->data, 20, 8);
	if (memory->bytes >= 36)
		seal(memory->data, 36, 32);
}

static void check(const struct acpi_info *info)
{
	if (info->cpu_count > HAL_CPUS_MAX || info->ioapic_count > ACPI_IOAPICS_MAX ||
	    info->ecam_count > ACPI_ECAMS_MAX || info->virtio_count > ACPI_VIRTIO_MAX ||
	    !info->problem != !info->problems || info->s5_type_a > 7 || info->s5_type_b > 7)
		abort();
	for (unsigned i = 0; i < info->ecam_count; i++)
		if (info->ecams[i].bus_last < info->ecams[i].bus_first)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct memory memory = {malloc(bytes ? bytes : 1), bytes};
	const struct phys_reader reader = {read_memory, &memory};
	struct acpi_info info;

	if (!memory.data)
		return 0;
	memcpy(memory.data, data, bytes);
	(void)!acpi_parse(&reader, MEMORY_AT, &info);
	check(&info);
	(void)acpi_find_root(&reader, MEMORY_AT, bytes);
	seal_tables(&memory);
	(void)!acpi_parse(&reader, MEMORY_AT, &info);
	check(&info);
	free(memory.data);
	return 0;
}
