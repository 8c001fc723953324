/*
 * A reader of ELF64 programs (elf(5)): pure, reads the file's bytes only, never writes. It checks
 * everything that the loader relies on, so that the loader can act without asking again.
 */
#ifndef SERVICES_LINUX_ELF_H
#define SERVICES_LINUX_ELF_H

#include "hal/types.h"

#define ELF_SEGMENTS_MAX 64	   /* PT_LOAD headers of one program */
#define ELF_HEADERS_BYTES_MAX 65536 /* of all program headers, as Linux bounds them */

#define ELF_MACHINE_X86_64 62
#define ELF_MACHINE_ARM64 183

/* What a reader accepts: the machine, and where user pages may lie. */
struct elf_limits {
	uint16_t machine; /* ELF_MACHINE_* */
	vaddr_t user_min, user_max;
};

/* A PT_LOAD header that passed. addr and offset are congruent modulo a page. */
struct elf_segment {
	vaddr_t addr;
	uint64_t memory_bytes; /* > 0, >= file_bytes */
	uint64_t offset;
	uint64_t file_bytes; /* [offset, offset + file_bytes) lies in the file */
	unsigned prot;	     /* HAL_PROT_* */
};

/* Addresses are as the file says; of a position-independent program they are offsets. */
struct elf_image {
	bool position_independent;
	bool stack_executable; /* PT_GNU_STACK asks for it */
	vaddr_t entry;
	vaddr_t headers_addr; /* of the program headers in memory; 0: they are not loaded */
	uint16_t headers_count;
	vaddr_t low, high; /* page-aligned bounds of all segments */
	unsigned segment_count;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/*
 * Reads the program in [file, file + bytes). 0, or -ENOEXEC with the reason in `why`. A segment
 * may overlap an earlier one, which it then replaces, as on Linux.
 */
HAL_USE_RESULT int elf_read(const void *file, size_t bytes, const struct elf_limits *limits,
			    struct elf_image *image, const char **why);

#endif
