/*
 * Parser of multiboot2's boot information: a list of tags, each with a type and a size. Pure: reads
 * physical memory through the reader alone and trusts nothing in it. No lock.
 */
#include "hal/common/multiboot2.h"

#include "hal/base.h"

#define MULTIBOOT2_BYTES_MAX (1u << 20)
#define TAG_END 0
#define TAG_CMDLINE 1
#define TAG_MODULE 3
#define TAG_MEMORY_MAP 6
#define TAG_FRAMEBUFFER 8
#define TAG_RSDP_OLD 14
#define TAG_RSDP_NEW 15
#define TAG_HEADER_BYTES 8
#define MEMORY_RAM 1
#define FRAMEBUFFER_RGB 1

struct tag {
	uint32_t type, bytes; /* with this header */
	const uint8_t *data;  /* behind the header */
	paddr_t data_addr;
};

static uint32_t read32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static uint64_t read64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static void parse_module(const struct tag *tag, struct boot_tables *tables)
{
	uint32_t start, end;

	if (tag->bytes < TAG_HEADER_BYTES + 8 || tables->initrd_bytes)
		return;
	start = read32(tag->data);
	end = read32(tag->data + 4);
	if (end > start) {
		tables->initrd = start;
		tables->initrd_bytes = end - start;
	}
}

static bool parse_memory_map(const struct tag *tag, struct boot_tables *tables)
{
	uint32_t entry_bytes, offset = 8;

	if (tag->bytes < TAG_HEADER_BYTES + 8)
		return false;
	entry_bytes = read32(tag->data);
	if (entry_bytes < 24 || entry_bytes > 4096)
		return false;
	for (; offset + entry_bytes <= tag->bytes - TAG_HEADER_BYTES; offset += entry_bytes) {
		const uint8_t *entry = tag->data + offset;

		boot_tables_add_region(tables, read64(entry), read64(entry + 8),
				       read32(entry + 16) == MEMORY_RAM);
	}
	return true;
}

static void parse_framebuffer(const struct tag *tag, struct boot_framebuffer *fb)
{
	const uint8_t *p = tag->data;

	if (tag->bytes < TAG_HEADER_BYTES + 30 || p[21] != FRAMEBUFFER_RGB)
		return;
	fb->addr = read64(p);
	fb->pitch_bytes = read32(p + 8);
	fb->width = read32(p + 12);
	fb->height = read32(p + 16);
	fb->bits_per_pixel = p[20];
	fb->red_shift = p[24];
	fb->green_shift = p[26];
	fb->blue_shift = p[28];
}

static bool parse_tag(const struct tag *tag, struct boot_tables *tables)
{
	switch (tag->type) {
	case TAG_CMDLINE:
		boot_tables_set_cmdline(tables, (const char *)tag->data,
					tag->bytes - TAG_HEADER_BYTES);
		return true;
	case TAG_MODULE:
		parse_module(tag, tables);
		return true;
	case TAG_MEMORY_MAP:
		return parse_memory_map(tag, tables);
	case TAG_FRAMEBUFFER:
		parse_framebuffer(tag, &tables->framebuffer);
		return true;
	case TAG_RSDP_OLD:
		if (!tables->rsdp)
			tables->rsdp = tag->data_addr;
		return true;
	case TAG_RSDP_NEW:
		tables->rsdp = tag->data_addr;
		return true;
	default:
		return true;
	}
}

int multiboot2_parse(const struct phys_reader *reader, paddr_t addr, struct boot_tables *tables,
		     const char **why)
{
	const uint8_t *info = reader->read(reader->arg, addr, 8);
	uint32_t bytes, offset = 8;

	memset(tables, 0, sizeof(*tables));
	tables->loader = "multiboot2";
	*why = "multiboot2 information is cut off";
	if (!info)
		return -EINVAL;
	bytes = read32(info);
	if (bytes < 16 || bytes > MULTIBOOT2_BYTES_MAX)
		return -EINVAL;
	info = reader->read(reader->arg, addr, bytes);
	if (!info)
		return -EINVAL;
	*why = "multiboot2 tag is cut off or malformed";
	while (offset + TAG_HEADER_BYTES <= bytes) {
		struct tag tag = {read32(info + offset), read32(info + offset + 4),
				  info + offset + TAG_HEADER_BYTES,
				  addr + offset + TAG_HEADER_BYTES};

		if (tag.type == TAG_END)
			break;
		if (tag.bytes < TAG_HEADER_BYTES || tag.bytes > bytes - offset ||
		    !parse_tag(&tag, tables))
			return -EINVAL;
		offset += ALIGN_UP(tag.bytes, 8u);
	}
	*why = "multiboot2 information has no memory map";
	return tables->region_count ? 0 : -EINVAL;
}
