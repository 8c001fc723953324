/*
 * Loads a program into an address space: its segments, its stack, the initial contents of the
 * stack. The file was checked by elf_read(); here nothing but a lack of memory can fail.
 *
 * No state; works on an address space in which nothing runs yet.
 */
#include "services/linux/linux_priv.h"

#include "core/random.h"
#include "core/slab.h"

/* auxv types, <elf.h> of Linux */
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_FLAGS 8
#define AT_ENTRY 9
#define AT_UID 11
#define AT_EUID 12
#define AT_GID 13
#define AT_EGID 14
#define AT_HWCAP 16
#define AT_CLKTCK 17
#define AT_SECURE 23
#define AT_HWCAP2 26

#define PROGRAM_HEADER_BYTES 56
#define CLOCK_TICKS 100 /* of times(2), a second */

/* Where position-independent programs go: two thirds up, as on Linux. */
#define PIE_BASE ALIGN_DOWN(HAL_USER_MAX / 3 * 2, (vaddr_t)0x10000)

static int map_anonymous(struct space *space, vaddr_t start, vaddr_t end, unsigned prot,
			 const char *name)
{
	const struct space_map map = {
		.addr = start,
		.bytes = end - start,
		.prot = prot,
		.flags = SPACE_PRIVATE | SPACE_FIXED,
		.name = name,
	};
	vaddr_t addr;

	return start < end ? space_map(space, &map, &addr) : 0;
}

/* The part of a segment that the file holds; the rest of its last page is zero. */
static int map_file_part(struct space *space, const struct elf_segment *segment, vaddr_t bias,
			 const void *file)
{
	uint64_t into_page = segment->addr & (PAGE_SIZE - 1);
	struct space_map map = {
		.addr = segment->addr + bias - into_page,
		.bytes = into_page + segment->file_bytes,
		.prot = segment->prot,
		.flags = SPACE_PRIVATE | SPACE_FIXED,
		.name = "program",
	};
	vaddr_t addr;
	int err = memory_create_fixed((const uint8_t *)file + segment->offset - into_page,
				      into_page + segment->file_bytes, &map.memory);

	if (err)
		return err;
	err = space_map(space, &map, &addr);
	memory_put(map.memory);
	return err;
}

static int load_segments(struct space *space, const struct elf_image *image, vaddr_t bias,
			 const void *file)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segments[i];
		vaddr_t start = ALIGN_DOWN(segment->addr, PAGE_SIZE);
		vaddr_t file_end = ALIGN_UP(segment->addr + segment->file_bytes, PAGE_SIZE);
		vaddr_t end = ALIGN_UP(segment->addr + segment->memory_bytes, PAGE_SIZE);
		int err = 0;

		if (segment->file_bytes)
			err = map_file_part(space, segment, bias, file);
		else
			file_end = start;
		if (!err)
			err = map_anonymous(space, file_end + bias, end + bias, segment->prot,
					    "bss");
		if (err)
			return err;
	}
	return 0;
}

static void add_auxv(struct linux_stack *stack, uint64_t type, uint64_t value)
{
	ASSERT(stack->auxv_count < LINUX_AUXV_MAX);
	stack->auxv[stack->auxv_count++] = (struct linux_auxv){type, value};
}

static void fill_auxv(struct linux_stack *stack, const struct elf_image *image, vaddr_t bias)
{
	add_auxv(stack, AT_HWCAP, linux_hwcap());
	add_auxv(stack, AT_PAGESZ, PAGE_SIZE);
	add_auxv(stack, AT_CLKTCK, CLOCK_TICKS);
	add_auxv(stack, AT_PHDR, image->headers_addr ? image->headers_addr + bias : 0);
	add_auxv(stack, AT_PHENT, PROGRAM_HEADER_BYTES);
	add_auxv(stack, AT_PHNUM, image->headers_count);
	add_auxv(stack, AT_BASE, 0);
	add_auxv(stack, AT_FLAGS, 0);
	add_auxv(stack, AT_ENTRY, image->entry + bias);
	add_auxv(stack, AT_UID, 0);
	add_auxv(stack, AT_EUID, 0);
	add_auxv(stack, AT_GID, 0);
	add_auxv(stack, AT_EGID, 0);
	add_auxv(stack, AT_SECURE, 0);
	add_auxv(stack, AT_HWCAP2, 0);
}

/* Writes the initial stack below `top`; its lowest address by `sp`. */
static int write_stack(struct space *space, const struct linux_stack *stack, vaddr_t top,
		       vaddr_t *sp)
{
	uint8_t *buf = kmalloc(LINUX_ARGS_BYTES_MAX);
	int64_t bytes;
	int err;

	if (!buf)
		return -ENOMEM;
	bytes = linux_stack_build(stack, top, buf, LINUX_ARGS_BYTES_MAX, sp);
	err = bytes < 0 ? (int)bytes
			: copy_out(space, *sp, buf + LINUX_ARGS_BYTES_MAX - bytes, (size_t)bytes);
	kfree(buf);
	return err;
}

/* The stack with an unreachable stretch below it, so that nothing is placed right under it. */
static int make_stack(struct space *space, const struct linux_program *program,
		      const struct elf_image *image, vaddr_t bias, vaddr_t *sp)
{
	vaddr_t top = HAL_USER_MAX - PAGE_SIZE;
	vaddr_t bottom = top - LINUX_STACK_BYTES;
	unsigned prot = HAL_PROT_READ | HAL_PROT_WRITE;
	struct linux_stack *stack;
	int err = map_anonymous(space, bottom - LINUX_STACK_GUARD_BYTES, bottom, HAL_PROT_NONE,
				"stack guard");

	if (image->stack_executable)
		prot |= HAL_PROT_EXEC;
	if (!err)
		err = map_anonymous(space, bottom, top, prot, "stack");
	if (err)
		return err;
	stack = kmalloc(sizeof(*stack));
	if (!stack)
		return -ENOMEM;
	stack->argv = program->argv;
	stack->envp = program->envp;
	stack->path = program->path;
	stack->platform = linux_platform;
	random_bytes(stack->random, sizeof(stack->random));
	fill_auxv(stack, image, bias);
	err = write_stack(space, stack, top, sp);
	kfree(stack);
	return err;
}

static int load_image(struct space *space, const struct linux_program *program,
		      const struct elf_image *image, struct linux_start *start)
{
	vaddr_t bias = image->position_independent ? PIE_BASE - image->low : 0;
	vaddr_t roof = HAL_USER_MAX - PAGE_SIZE - LINUX_STACK_BYTES - LINUX_STACK_GUARD_BYTES;
	int err;

	if (image->high + bias > roof || image->high + bias < image->low + bias)
		return -ENOMEM;
	err = load_segments(space, image, bias, program->file);
	if (!err)
		err = make_stack(space, program, image, bias, &start->sp);
	start->pc = image->entry + bias;
	start->brk = image->high + bias;
	return err;
}

int linux_load(struct space *space, const struct linux_program *program,
	       struct linux_start *start, const char **why)
{
	const struct elf_limits limits = {linux_elf_machine, HAL_USER_MIN, HAL_USER_MAX};
	struct elf_image *image = kmalloc(sizeof(*image));
	int err;

	if (!image)
		return -ENOMEM;
	err = elf_read(program->file, program->bytes, &limits, image, why);
	if (!err)
		err = load_image(space, program, image, start);
	if (err == -ENOMEM)
		*why = "it does not fit into memory";
	if (err == -E2BIG)
		*why = "its arguments and environment are too long";
	kfree(image);
	return err;
}
