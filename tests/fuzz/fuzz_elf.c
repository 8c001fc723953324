/*
 * libFuzzer target: the ELF reader. What it accepts must keep the promises that the loader relies
 * on (the invariants of elf.c).
 */
#include "services/linux/elf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define USER_MIN 0x10000u
#define USER_MAX 0x7fffc0000000ull

static void check_segment(const struct elf_image *image, unsigned i, size_t bytes)
{
	const struct elf_segment *segment = &image->segments[i];
	uint64_t min = image->position_independent ? 0 : USER_MIN;

	if (segment->memory_bytes == 0 || segment->file_bytes > segment->memory_bytes ||
	    segment->offset > bytes || segment->file_bytes > bytes - segment->offset)
		abort();
	if (segment->addr < min || segment->addr >= USER_MAX ||
	    segment->memory_bytes > USER_MAX - segment->addr)
		abort();
	if ((segment->addr ^ segment->offset) & (HAL_PAGE_SIZE - 1))
		abort();
	if (segment->addr < image->low || segment->addr + segment->memory_bytes > image->high)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const uint16_t machines[] = {ELF_MACHINE_X86_64, ELF_MACHINE_ARM64};
	static struct elf_image image;

	for (unsigned m = 0; m < 2; m++) {
		const struct elf_limits limits = {machines[m], USER_MIN, USER_MAX};
		const char *why = NULL;
		int err = elf_read(data, bytes, &limits, &image, &why);

		if (err && (err != -ENOEXEC || !why))
			abort();
		if (err)
			continue;
		if (image.segment_count == 0 || image.segment_count > ELF_SEGMENTS_MAX)
			abort();
		for (unsigned i = 0; i < image.segment_count; i++)
			check_segment(&image, i, bytes);
	}
	return 0;
}
