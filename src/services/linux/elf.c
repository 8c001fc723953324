/*
 * The ELF reader: file header, program headers, and the rules of Linux's loader for static
 * programs (ET_EXEC, and ET_DYN without an interpreter).
 *
 * No state, no lock. Invariants of an image that was accepted:
 *   1. Each segment's file bytes lie in the file and its memory in the bounds for user pages.
 *   2. No sum of an address and a size wraps around.
 *   3. The entry point lies in a segment that may be executed.
 */
#include "services/linux/elf.h"

#include "core/klib.h"

struct file_header {
	uint8_t magic[4];
	uint8_t class, data, version, abi;
	uint8_t pad[8];
	uint16_t type, machine;
	uint32_t version_word;
	uint64_t entry, headers_offset, sections_offset;
	uint32_t flags;
	uint16_t header_bytes, headers_entry_bytes, headers_count;
	uint16_t sections_entry_bytes, sections_count, sections_names;
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, addr, physical;
	uint64_t file_bytes, memory_bytes, align;
};

_Static_assert(sizeof(struct file_header) == 64, "ELF64 header");
_Static_assert(sizeof(struct program_header) == 56, "ELF64 program header");

#define CLASS_64 2
#define DATA_LITTLE 1
#define VERSION_CURRENT 1
#define TYPE_EXEC 2
#define TYPE_DYN 3
#define SEGMENT_LOAD 1
#define SEGMENT_INTERPRETER 3
#define SEGMENT_GNU_STACK 0x6474e551u
#define FLAG_EXEC 1u
#define FLAG_WRITE 2u
#define FLAG_READ 4u

struct reader {
	const uint8_t *file;
	size_t bytes;
	const struct elf_limits *limits;
	struct elf_image *image;
	const char **why;
};

static int refuse(const struct reader *reader, const char *why)
{
	*reader->why = why;
	return -ENOEXEC;
}

static int check_file_header(const struct reader *reader, const struct file_header *header)
{
	if (memcmp(header->magic, "\177ELF", 4) != 0)
		return refuse(reader, "it is no ELF file");
	if (header->class != CLASS_64 || header->data != DATA_LITTLE)
		return refuse(reader, "it is not a 64-bit little-endian ELF file");
	if (header->version != VERSION_CURRENT)
		return refuse(reader, "its ELF version is not known");
	if (header->machine != reader->limits->machine)
		return refuse(reader, "it is for another machine");
	if (header->type != TYPE_EXEC && header->type != TYPE_DYN)
		return refuse(reader, "it is no program (an object file, a core dump?)");
	if (header->headers_entry_bytes != sizeof(struct program_header))
		return refuse(reader, "its program headers have another size");
	if (header->headers_count == 0 ||
	    header->headers_count > ELF_HEADERS_BYTES_MAX / sizeof(struct program_header))
		return refuse(reader, "it has no program headers, or too many");
	if (header->headers_offset > reader->bytes ||
	    header->headers_count * sizeof(struct program_header) >
		    reader->bytes - header->headers_offset)
		return refuse(reader, "it ends within its program headers");
	return 0;
}

static unsigned prot_of_flags(uint32_t flags)
{
	return (flags & FLAG_READ ? HAL_PROT_READ : 0) | (flags & FLAG_WRITE ? HAL_PROT_WRITE : 0) |
	       (flags & FLAG_EXEC ? HAL_PROT_EXEC : 0);
}

/* Invariants 1 and 2. A position-independent program is placed later: it must leave room. */
static int check_segment(const struct reader *reader, const struct program_header *header)
{
	const struct elf_limits *limits = reader->limits;
	vaddr_t min = reader->image->position_independent ? 0 : limits->user_min;
	uint64_t room = limits->user_max - min;

	if (header->file_bytes > header->memory_bytes)
		return refuse(reader, "a segment is larger in the file than in memory");
	if (header->offset > reader->bytes || header->file_bytes > reader->bytes - header->offset)
		return refuse(reader, "it ends within a segment");
	if (header->addr < min || header->addr - min >= room ||
	    header->memory_bytes > room - (header->addr - min))
		return refuse(reader, "a segment lies outside the addresses of user programs");
	if ((header->addr ^ header->offset) & (HAL_PAGE_SIZE - 1))
		return refuse(reader, "a segment is not aligned to a page as it is in the file");
	return 0;
}

static int add_segment(const struct reader *reader, const struct program_header *header)
{
	struct elf_image *image = reader->image;
	struct elf_segment *segment = &image->segments[image->segment_count];
	int err;

	if (header->memory_bytes == 0 && header->file_bytes == 0)
		return 0;
	if (image->segment_count == ELF_SEGMENTS_MAX)
		return refuse(reader, "it has too many segments");
	err = check_segment(reader, header);
	if (err)
		return err;
	segment->addr = header->addr;
	segment->memory_bytes = header->memory_bytes;
	segment->offset = header->offset;
	segment->file_bytes = header->file_bytes;
	segment->prot = prot_of_flags(header->flags);
	image->low = MIN(image->low, ALIGN_DOWN(header->addr, HAL_PAGE_SIZE));
	image->high = MAX(image->high,
			  ALIGN_UP(header->addr + header->memory_bytes, HAL_PAGE_SIZE));
	image->segment_count++;
	return 0;
}

static int read_program_header(const struct reader *reader, const struct program_header *header)
{
	switch (header->type) {
	case SEGMENT_LOAD:
		return add_segment(reader, header);
	case SEGMENT_INTERPRETER:
		return refuse(reader, "it needs a dynamic linker; link it with -static");
	case SEGMENT_GNU_STACK:
		reader->image->stack_executable = header->flags & FLAG_EXEC;
		return 0;
	default:
		return 0;
	}
}

/* Invariant 3, and where the program headers lie in memory (AT_PHDR). */
static int place_entry(const struct reader *reader, const struct file_header *header)
{
	struct elf_image *image = reader->image;
	uint64_t headers_bytes = header->headers_count * sizeof(struct program_header);
	bool found = false;

	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segments[i];
		uint64_t into = header->headers_offset - segment->offset;

		if (header->entry >= segment->addr &&
		    header->entry - segment->addr < segment->memory_bytes &&
		    segment->prot & HAL_PROT_EXEC)
			found = true;
		if (header->headers_offset >= segment->offset && into <= segment->file_bytes &&
		    headers_bytes <= segment->file_bytes - into)
			image->headers_addr = segment->addr + into;
	}
	if (!found)
		return refuse(reader, "its entry point lies in no executable segment");
	image->entry = header->entry;
	image->headers_count = header->headers_count;
	return 0;
}

int elf_read(const void *file, size_t bytes, const struct elf_limits *limits,
	     struct elf_image *image, const char **why)
{
	const struct reader reader = {file, bytes, limits, image, why};
	struct program_header program;
	struct file_header header;
	int err;

	memset(image, 0, sizeof(*image));
	image->low = UINT64_MAX;
	if (bytes < sizeof(header))
		return refuse(&reader, "it is too short for an ELF file");
	memcpy(&header, file, sizeof(header));
	err = check_file_header(&reader, &header);
	if (err)
		return err;
	image->position_independent = header.type == TYPE_DYN;
	for (unsigned i = 0; i < header.headers_count; i++) {
		memcpy(&program, reader.file + header.headers_offset + i * sizeof(program),
		       sizeof(program));
		err = read_program_header(&reader, &program);
		if (err)
			return err;
	}
	if (image->segment_count == 0)
		return refuse(&reader, "it has nothing to load");
	return place_entry(&reader, &header);
}
