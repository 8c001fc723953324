/*
 * The ELF reader, on files that are made here byte by byte.
 */
#include "services/linux/elf.h"

#include "tests/kernel/ktest.h"

#define FILE_BYTES 4096
#define USER_MIN 0x10000u
#define USER_MAX 0x800000000000ull

static const struct elf_limits limits = {ELF_MACHINE_X86_64, USER_MIN, USER_MAX};

/* Where the fields of the headers lie, elf(5). */
enum field {
	TYPE = 16,
	MACHINE = 18,
	ENTRY = 24,
	HEADERS = 32,
	HEADER_BYTES = 54,
	HEADERS_COUNT = 56,
	FIRST = 64, /* program header */
};
enum program_field { P_FLAGS = 4, P_OFFSET = 8, P_ADDR = 16, P_FILE = 32, P_MEMORY = 40 };
#define PROGRAM_BYTES 56

struct sample {
	uint8_t bytes[FILE_BYTES];
	struct elf_image image;
	const char *why;
};
static struct sample sample;

static void put(size_t offset, uint64_t value, size_t bytes)
{
	memcpy(sample.bytes + offset, &value, bytes);
}

static void put_segment(unsigned i, uint32_t type, uint32_t flags, uint64_t offset)
{
	size_t at = FIRST + i * PROGRAM_BYTES;

	put(at, type, 4);
	put(at + P_FLAGS, flags, 4);
	put(at + P_OFFSET, offset, 8);
	put(at + P_ADDR, 0x400000 + offset, 8);
	put(at + P_FILE, 0x200, 8);
	put(at + P_MEMORY, 0x200, 8);
}

/* One executable segment with the headers in it, and one for data with 0x2000 bytes of BSS. */
static void make_sample(void)
{
	memset(&sample, 0, sizeof(sample));
	memcpy(sample.bytes, "\177ELF\2\1\1", 7);
	put(TYPE, 2, 2);
	put(MACHINE, ELF_MACHINE_X86_64, 2);
	put(ENTRY, 0x400100, 8);
	put(HEADERS, FIRST, 8);
	put(HEADER_BYTES, PROGRAM_BYTES, 2);
	put(HEADERS_COUNT, 2, 2);
	put_segment(0, 1, 5, 0);
	put_segment(1, 1, 6, 0x800);
	put(FIRST + PROGRAM_BYTES + P_ADDR, 0x401800, 8);
	put(FIRST + PROGRAM_BYTES + P_MEMORY, 0x2200, 8);
}

static int read_bytes(size_t bytes)
{
	return elf_read(sample.bytes, bytes, &limits, &sample.image, &sample.why);
}

static void test_elf_reads_segments(void)
{
	make_sample();
	CHECK(read_bytes(FILE_BYTES) == 0);
	CHECK(!sample.image.position_independent && sample.image.segment_count == 2);
	CHECK(sample.image.entry == 0x400100);
	CHECK(sample.image.headers_addr == 0x400040 && sample.image.headers_count == 2);
	CHECK(sample.image.low == 0x400000 && sample.image.high == 0x404000);
	CHECK(sample.image.segments[0].prot == (HAL_PROT_READ | HAL_PROT_EXEC));
	CHECK(sample.image.segments[1].prot == (HAL_PROT_READ | HAL_PROT_WRITE));
	CHECK(sample.image.segments[1].memory_bytes == 0x2200);
	CHECK(!sample.image.stack_executable);
}

static void test_elf_reads_position_independent(void)
{
	make_sample();
	put(TYPE, 3, 2);
	put(ENTRY, 0x100, 8);
	put(FIRST + P_ADDR, 0, 8);
	CHECK(read_bytes(FILE_BYTES) == 0);
	CHECK(sample.image.position_independent && sample.image.low == 0);
}

static void test_elf_reads_stack_flag(void)
{
	make_sample();
	put(HEADERS_COUNT, 3, 2);
	put_segment(2, 0x6474e551, 7, 0);
	CHECK(read_bytes(FILE_BYTES) == 0 && sample.image.stack_executable);
	put_segment(2, 0x6474e551, 6, 0);
	CHECK(read_bytes(FILE_BYTES) == 0 && !sample.image.stack_executable);
}

/* Every cut ends in an error; none is read beyond (AddressSanitizer sees that under Check). */
static void test_elf_refuses_every_truncation(void)
{
	make_sample();
	for (size_t bytes = 0; bytes < 0xa00; bytes++)
		CHECK(read_bytes(bytes) == -ENOEXEC && sample.why);
	CHECK(read_bytes(0xa00) == 0);
}

struct change {
	size_t offset;
	uint64_t value;
	size_t bytes;
};

static void test_elf_refuses_wrong_headers(void)
{
	static const struct change changes[] = {
		{0, 0x46, 1},			 /* magic */
		{4, 1, 1},			 /* 32 bits */
		{5, 2, 1},			 /* big endian */
		{6, 9, 1},			 /* version */
		{TYPE, 1, 2},			 /* object file */
		{TYPE, 4, 2},			 /* core dump */
		{MACHINE, ELF_MACHINE_ARM64, 2}, /* another machine */
		{HEADER_BYTES, 55, 2},
		{HEADERS_COUNT, 0, 2},
		{HEADERS_COUNT, 0xffff, 2},
		{HEADERS, UINT64_MAX, 8},
		{HEADERS, FILE_BYTES - 8, 8},
		{ENTRY, 0x401800, 8}, /* data */
		{ENTRY, 0, 8},
	};

	for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
		make_sample();
		put(changes[i].offset, changes[i].value, changes[i].bytes);
		sample.why = NULL;
		CHECK(read_bytes(FILE_BYTES) == -ENOEXEC && sample.why);
	}
}

static void test_elf_refuses_wrong_segments(void)
{
	static const struct change changes[] = {
		{P_OFFSET, UINT64_MAX - 0xfff, 8},
		{P_OFFSET, FILE_BYTES, 8},
		{P_ADDR, 0, 8},				/* below user addresses */
		{P_ADDR, USER_MAX, 8},			/* above them */
		{P_ADDR, 0xffffffff80000000ull, 8},	/* the kernel's */
		{P_ADDR, 0x400001, 8},			/* not as in the file */
		{P_FILE, UINT64_MAX, 8},
		{P_FILE, 0x201, 8},			/* more than in memory */
		{P_MEMORY, UINT64_MAX, 8},
		{P_MEMORY, UINT64_MAX - 0x400000 + 1, 8}, /* wraps around to 0 */
		{P_MEMORY, USER_MAX, 8},
		{P_MEMORY, 0, 8},
		{0, 3, 4}, /* an interpreter */
	};

	for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
		make_sample();
		put(FIRST + changes[i].offset, changes[i].value, changes[i].bytes);
		sample.why = NULL;
		CHECK(read_bytes(FILE_BYTES) == -ENOEXEC && sample.why);
	}
}

static void test_elf_refuses_too_many_segments(void)
{
	make_sample();
	put(HEADERS_COUNT, ELF_SEGMENTS_MAX + 1, 2);
	for (unsigned i = 0; i <= ELF_SEGMENTS_MAX; i++)
		put_segment(i, 1, 5, 0);
	CHECK(read_bytes(FILE_BYTES) == -ENOEXEC);
	put(HEADERS_COUNT, ELF_SEGMENTS_MAX, 2);
	CHECK(read_bytes(FILE_BYTES) == 0);
}

static void test_elf_takes_overlapping_segments(void)
{
	make_sample();
	put_segment(1, 1, 6, 0);
	CHECK(read_bytes(FILE_BYTES) == 0 && sample.image.segment_count == 2);
}

const struct ktest ktests_elf[] = {
	KTEST(test_elf_reads_segments),
	KTEST(test_elf_reads_position_independent),
	KTEST(test_elf_reads_stack_flag),
	KTEST(test_elf_refuses_every_truncation),
	KTEST(test_elf_refuses_wrong_headers),
	KTEST(test_elf_refuses_wrong_segments),
	KTEST(test_elf_refuses_too_many_segments),
	KTEST(test_elf_takes_overlapping_segments),
	{0},
};
