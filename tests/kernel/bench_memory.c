/*
 * Benches of pages, kernel memory and address spaces.
 */
#include "core/memory.h"
#include "core/page.h"
#include "core/slab.h"
#include "core/space.h"
#include "tests/kernel/bench.h"

#define RW (HAL_PROT_READ | HAL_PROT_WRITE)
#define CLONE_BYTES (16ull << 20)
#define WINDOW_BYTES (1ull << 20)
#define COPY_BYTES 65536

static void bench_page(uint64_t count)
{
	while (count--)
		page_free(page_alloc(0), 0);
}

static void bench_kmalloc_64(uint64_t count)
{
	while (count--)
		kfree(kmalloc(64));
}

static void bench_kmalloc_2048(uint64_t count)
{
	while (count--)
		kfree(kmalloc(2048));
}

/* A space with `bytes` of private memory, or NULL. */
static struct space *create_space(uint64_t bytes, vaddr_t *addr)
{
	const struct space_map map = {.bytes = bytes, .prot = RW, .flags = SPACE_PRIVATE};
	struct space *space;

	if (space_create(&space))
		return NULL;
	if (!space_map(space, &map, addr))
		return space;
	space_put(space);
	return NULL;
}

static int remap(struct space *space, vaddr_t addr)
{
	const struct space_map map = {.addr = addr, .bytes = WINDOW_BYTES, .prot = RW,
				      .flags = SPACE_PRIVATE | SPACE_FIXED};

	return space_map(space, &map, &addr);
}

/* Touches a range in order, again and again; an operation is a page. Faults where user code would,
 * behind each window that the last fault has mapped. */
static void bench_touch_in_order(uint64_t count)
{
	const uint64_t pages = WINDOW_BYTES / PAGE_SIZE;
	uint64_t next = 0;
	vaddr_t addr;
	struct space *space = create_space(WINDOW_BYTES, &addr);

	for (uint64_t i = 0; space && i < count; i++) {
		uint64_t at = i % pages;

		if (at == 0) {
			if (space_unmap(space, addr, WINDOW_BYTES) || remap(space, addr))
				break;
			next = 0;
		}
		if (at != next)
			continue;
		if (space_fault(space, addr + at * PAGE_SIZE, HAL_PROT_WRITE))
			break;
		next += at ? 64 : 16;
	}
	space_put(space);
}

static void bench_map_touch_unmap(uint64_t count)
{
	const struct space_map map = {.bytes = PAGE_SIZE, .prot = RW, .flags = SPACE_PRIVATE};
	struct space *space;
	vaddr_t addr;

	if (space_create(&space))
		return;
	while (count--)
		if (space_map(space, &map, &addr) || space_fault(space, addr, HAL_PROT_WRITE) ||
		    space_unmap(space, addr, PAGE_SIZE))
			break;
	space_put(space);
}

static void bench_clone_16_mib(uint64_t count)
{
	vaddr_t addr;
	struct space *space = create_space(CLONE_BYTES, &addr), *copy;

	if (space && !copy_zero(space, addr, CLONE_BYTES))
		while (count-- && !space_clone(space, &copy))
			space_put(copy);
	space_put(space);
}

static void bench_copy_out_64_kib(uint64_t count)
{
	vaddr_t addr;
	struct space *space = create_space(COPY_BYTES, &addr);
	void *bytes = kmalloc(COPY_BYTES);

	while (space && bytes && count--)
		if (copy_out(space, addr, bytes, COPY_BYTES))
			break;
	kfree(bytes);
	space_put(space);
}

static void bench_copy_in_8(uint64_t count)
{
	vaddr_t addr;
	struct space *space = create_space(PAGE_SIZE, &addr);
	uint64_t word;

	while (space && count--)
		if (copy_in(space, &word, addr, sizeof(word)))
			break;
	space_put(space);
}

const struct kbench kbenches_memory[] = {
	{"page_alloc_free", bench_page},
	{"kmalloc_64", bench_kmalloc_64},
	{"kmalloc_2048", bench_kmalloc_2048},
	{"touch_page_in_order", bench_touch_in_order},
	{"map_touch_unmap", bench_map_touch_unmap},
	{"clone_16_mib", bench_clone_16_mib},
	{"copy_out_64_kib", bench_copy_out_64_kib},
	{"copy_in_8", bench_copy_in_8},
	{0},
};
