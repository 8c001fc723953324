/*
 * Address spaces: regions, faults, copy-on-write, copies between kernel and user memory. User code
 * is played by copy_in and copy_out, and by space_fault() itself.
 */
#include "core/space_priv.h"

#include "core/slab.h"
#include "tests/kernel/stress.h"

#define RW (HAL_PROT_READ | HAL_PROT_WRITE)
#define BASE ((vaddr_t)0x10000000)
#define MODEL_PAGES 64
#define MODEL_ROUNDS 6000
#define POOL_ORDER 6
#define SPARSE_STEP (5ull << 30)
#define SPARSE_MAX 300

static int map_at(struct space *space, vaddr_t addr, uint64_t pages, unsigned prot)
{
	const struct space_map map = {.addr = addr,
				      .bytes = pages * PAGE_SIZE,
				      .prot = prot,
				      .flags = SPACE_PRIVATE | SPACE_FIXED};
	vaddr_t at;

	return space_map(space, &map, &at);
}

static unsigned count_regions(struct space *space)
{
	struct space_region_info info = {0};
	unsigned count = 0;

	while (!space_region_next(space, info.end, &info))
		count++;
	return count;
}

static bool is_mapped(struct space *space, vaddr_t addr, unsigned rights)
{
	paddr_t phys;
	unsigned prot;

	return ktest_mmu_find(space_mmu(space), addr, &phys, &prot) && (prot & rights) == rights;
}

static void test_space_fresh_memory_is_zero(void)
{
	const struct space_map map = {.bytes = 3 * PAGE_SIZE - 5, .prot = RW,
				      .flags = SPACE_PRIVATE};
	struct space_region_info info;
	struct space *space;
	uint64_t word = 1;
	vaddr_t addr;

	CHECK(!space_create(&space));
	CHECK(!space_map(space, &map, &addr));
	CHECK(!(addr & (PAGE_SIZE - 1)) && addr + 3 * PAGE_SIZE <= HAL_USER_MAX);
	CHECK(!copy_in(space, &word, addr + PAGE_SIZE, sizeof(word)) && !word);
	CHECK(!space_region_next(space, 0, &info));
	CHECK(info.start == addr && info.end == addr + 3 * PAGE_SIZE && info.prot == RW);
	CHECK(space_region_next(space, info.end, &info) == -ENOENT);
	region_check(space);
	space_put(space);
}

static void test_space_copies_go_across_pages(void)
{
	char from[300], to[300] = {0};
	struct space *space;

	CHECK(!space_create(&space) && !map_at(space, BASE, 2, RW));
	for (unsigned i = 0; i < sizeof(from); i++)
		from[i] = (char)(i * 7 + 1);
	CHECK(!copy_out(space, BASE + PAGE_SIZE - 100, from, sizeof(from)));
	CHECK(!copy_in(space, to, BASE + PAGE_SIZE - 100, sizeof(to)));
	CHECK(!memcmp(from, to, sizeof(to)));
	CHECK(!copy_zero(space, BASE + PAGE_SIZE - 50, 100));
	CHECK(!copy_in(space, to, BASE + PAGE_SIZE - 100, sizeof(to)));
	CHECK(to[49] == from[49] && !to[50] && !to[149] && to[150] == from[150]);
	space_put(space);
}

static void test_space_copies_refuse_bad_ranges(void)
{
	struct space *space;
	char byte = 0;

	CHECK(!space_create(&space));
	CHECK(!map_at(space, BASE, 1, HAL_PROT_READ) && !map_at(space, BASE + PAGE_SIZE, 1, RW));
	CHECK(!map_at(space, BASE + 2 * PAGE_SIZE, 1, HAL_PROT_NONE));
	CHECK(copy_out(space, BASE, &byte, 1) == -EFAULT);
	CHECK(copy_in(space, &byte, BASE + 2 * PAGE_SIZE, 1) == -EFAULT);
	CHECK(copy_in(space, &byte, BASE - 1, 1) == -EFAULT);
	CHECK(copy_zero(space, BASE + 2 * PAGE_SIZE - 10, 20) == -EFAULT);
	CHECK(copy_in(space, &byte, 0, 1) == -EFAULT);
	CHECK(copy_in(space, &byte, HAL_USER_MAX, 1) == -EFAULT);
	CHECK(copy_in(space, &byte, HAL_USER_MAX - 1, 2) == -EFAULT);
	CHECK(copy_in(space, &byte, UINT64_MAX, 2) == -EFAULT);
	CHECK(copy_in(space, &byte, BASE, SIZE_MAX) == -EFAULT);
	CHECK(copy_out(space, HAL_DIRECT_MAP_BASE, &byte, 1) == -EFAULT);
	CHECK(!copy_in(space, &byte, BASE, 0));
	space_put(space);
}

static void test_space_copy_in_string_finds_its_end(void)
{
	struct space *space;
	char text[16];

	CHECK(!space_create(&space) && !map_at(space, BASE, 2, RW));
	CHECK(!copy_out(space, BASE + PAGE_SIZE - 3, "hello", 6));
	CHECK(copy_in_string(space, text, BASE + PAGE_SIZE - 3, sizeof(text)) == 5);
	CHECK(!str_compare(text, "hello"));
	CHECK(copy_in_string(space, text, BASE + PAGE_SIZE - 3, 6) == 5);
	CHECK(copy_in_string(space, text, BASE + PAGE_SIZE - 3, 5) == -ENAMETOOLONG);
	CHECK(!copy_out(space, BASE + 2 * PAGE_SIZE - 2, "ab", 2));
	CHECK(copy_in_string(space, text, BASE + 2 * PAGE_SIZE - 2, 16) == -EFAULT);
	CHECK(copy_in_string(space, text, HAL_USER_MAX, 16) == -EFAULT);
	CHECK(copy_in_string(space, text, 0, 16) == -EFAULT);
	space_put(space);
}

static void test_space_map_refuses_bad_arguments(void)
{
	static const struct space_map bad[] = {
		{.bytes = 0, .prot = RW, .flags = SPACE_PRIVATE},
		{.bytes = UINT64_MAX, .prot = RW, .flags = SPACE_PRIVATE},
		{.bytes = 1, .prot = 8, .flags = SPACE_PRIVATE},
		{.bytes = 1, .prot = RW, .flags = 1},
		{.bytes = 1, .prot = RW, .flags = SPACE_GROWS_DOWN},
		{.bytes = 1, .prot = RW, .flags = SPACE_PRIVATE, .offset = 1},
		{.bytes = 1, .addr = BASE + 1, .flags = SPACE_PRIVATE | SPACE_FIXED},
		{.bytes = 1, .addr = 0, .flags = SPACE_PRIVATE | SPACE_FIXED},
		{.bytes = 2 * PAGE_SIZE, .addr = HAL_USER_MAX - PAGE_SIZE,
		 .flags = SPACE_PRIVATE | SPACE_FIXED},
		{.bytes = 1, .addr = ALIGN_DOWN(UINT64_MAX, PAGE_SIZE),
		 .flags = SPACE_PRIVATE | SPACE_FIXED},
	};
	struct space *space;
	vaddr_t addr;

	CHECK(!space_create(&space));
	for (unsigned i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK(space_map(space, &bad[i], &addr) == -EINVAL);
	CHECK(space_unmap(space, BASE + 1, PAGE_SIZE) == -EINVAL);
	CHECK(space_unmap(space, BASE, 0) == -EINVAL);
	CHECK(space_unmap(space, 0, PAGE_SIZE) == -EINVAL);
	CHECK(space_protect(space, BASE, PAGE_SIZE, 8) == -EINVAL);
	CHECK(space_protect(space, BASE, PAGE_SIZE, RW) == -ENOMEM);
	CHECK(count_regions(space) == 0);
	space_put(space);
}

static void test_space_fixed_replaces_unless_told_not_to(void)
{
	struct space_map map = {.addr = BASE + PAGE_SIZE,
				.bytes = PAGE_SIZE,
				.prot = RW,
				.flags = SPACE_PRIVATE | SPACE_FIXED | SPACE_NO_REPLACE};
	struct space *space;
	char byte = 1;
	vaddr_t addr;

	CHECK(!space_create(&space) && !map_at(space, BASE, 3, RW));
	CHECK(!copy_out(space, BASE + PAGE_SIZE, &byte, 1));
	CHECK(space_map(space, &map, &addr) == -EEXIST);
	map.flags &= ~SPACE_NO_REPLACE;
	CHECK(!space_map(space, &map, &addr) && addr == map.addr);
	CHECK(!copy_in(space, &byte, BASE + PAGE_SIZE, 1) && !byte);
	CHECK(count_regions(space) == 1); /* it is like its neighbours */
	region_check(space);
	space_put(space);
}

static void test_space_places_regions_from_the_top_down(void)
{
	struct space_map map = {.bytes = 16 * PAGE_SIZE, .flags = SPACE_PRIVATE};
	struct space *space;
	vaddr_t first, second, third;

	CHECK(!space_create(&space));
	CHECK(!space_map(space, &map, &first) && first == HAL_USER_MAX - map.bytes);
	CHECK(!space_map(space, &map, &second) && second == first - map.bytes);
	CHECK(!space_unmap(space, first, map.bytes));
	CHECK(!space_map(space, &map, &third) && third == first);
	map.addr = BASE + 5; /* a hint is rounded, and taken while it is free */
	CHECK(!space_map(space, &map, &third) && third == BASE);
	CHECK(!space_map(space, &map, &third) && third == second - map.bytes);
	map.bytes = HAL_USER_MAX - HAL_USER_MIN;
	CHECK(space_map(space, &map, &third) == -ENOMEM);
	region_check(space);
	space_put(space);
}

static void test_space_unmap_cuts_a_hole(void)
{
	struct space_stats stats;
	struct space *space;
	char byte = 3;

	CHECK(!space_create(&space) && !map_at(space, BASE, 8, RW));
	for (unsigned i = 0; i < 8; i++)
		CHECK(!copy_out(space, BASE + i * PAGE_SIZE, &byte, 1));
	CHECK(!space_unmap(space, BASE + 2 * PAGE_SIZE, 3 * PAGE_SIZE));
	CHECK(count_regions(space) == 2);
	CHECK(copy_in(space, &byte, BASE + 2 * PAGE_SIZE, 1) == -EFAULT);
	CHECK(!copy_in(space, &byte, BASE + 5 * PAGE_SIZE, 1) && byte == 3);
	space_stats(space, &stats);
	CHECK(stats.mapped_bytes == 5 * PAGE_SIZE && stats.resident_pages == 5);
	CHECK(!space_unmap(space, BASE, 100 * PAGE_SIZE) && count_regions(space) == 0);
	CHECK(!space_unmap(space, BASE, PAGE_SIZE)); /* nothing there is no error */
	region_check(space);
	space_put(space);
}

static void test_space_protect_splits_and_joins(void)
{
	struct space *space;
	char byte = 9;

	CHECK(!space_create(&space) && !map_at(space, BASE, 4, RW));
	CHECK(!copy_out(space, BASE + PAGE_SIZE, &byte, 1));
	CHECK(!space_protect(space, BASE + PAGE_SIZE, PAGE_SIZE, HAL_PROT_READ));
	CHECK(count_regions(space) == 3);
	CHECK(copy_out(space, BASE + PAGE_SIZE, &byte, 1) == -EFAULT);
	CHECK(!copy_in(space, &byte, BASE + PAGE_SIZE, 1) && byte == 9);
	CHECK(!space_protect(space, BASE, 4 * PAGE_SIZE, RW) && count_regions(space) == 1);
	CHECK(!copy_out(space, BASE + PAGE_SIZE, &byte, 1));
	CHECK(!space_unmap(space, BASE + PAGE_SIZE, PAGE_SIZE));
	CHECK(space_protect(space, BASE, 4 * PAGE_SIZE, HAL_PROT_READ) == -ENOMEM);
	CHECK(!copy_out(space, BASE, &byte, 1)); /* nothing has changed */
	region_check(space);
	space_put(space);
}

static void test_space_clone_copies_on_write(void)
{
	struct space *space, *copy;
	struct space_stats before, after;
	char byte = 1;

	CHECK(!space_create(&space) && !map_at(space, BASE, 2, RW));
	CHECK(!copy_out(space, BASE, &byte, 1));
	CHECK(!space_clone(space, &copy));
	CHECK(!copy_in(copy, &byte, BASE, 1) && byte == 1);
	byte = 2;
	CHECK(!copy_out(copy, BASE, &byte, 1));
	CHECK(!copy_in(space, &byte, BASE, 1) && byte == 1);
	byte = 3;
	space_stats(space, &before);
	CHECK(!copy_out(space, BASE, &byte, 1)); /* its page is its own again */
	space_stats(space, &after);
	CHECK(after.faults_copy == before.faults_copy);
	CHECK(!copy_in(copy, &byte, BASE, 1) && byte == 2);
	space_stats(copy, &after);
	CHECK(after.faults_copy == 1);
	region_check(copy);
	space_put(space);
	CHECK(!copy_in(copy, &byte, BASE, 1) && byte == 2);
	space_put(copy);
}

static void test_space_clone_of_a_clone_keeps_its_bytes(void)
{
	struct space *spaces[8];
	char byte;

	CHECK(!space_create(&spaces[0]) && !map_at(spaces[0], BASE, 8, RW));
	for (unsigned i = 1; i < 8; i++) {
		byte = (char)i;
		CHECK(!copy_out(spaces[i - 1], BASE + i * PAGE_SIZE, &byte, 1));
		CHECK(!space_clone(spaces[i - 1], &spaces[i]));
	}
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned j = 1; j < 8; j++) {
			EXPECT(!copy_in(spaces[i], &byte, BASE + j * PAGE_SIZE, 1));
			EXPECT(byte == (j <= i + 1 ? (char)j : 0));
		}
		space_put(spaces[i]);
	}
}

static void test_space_private_region_leaves_its_object_alone(void)
{
	struct page *source = page_alloc_zeroed(0);
	struct space_map map = {.addr = BASE, .bytes = PAGE_SIZE, .prot = RW,
				.flags = SPACE_PRIVATE | SPACE_FIXED};
	struct space *space;
	vaddr_t addr;
	char byte = 0;

	CHECK(source && !space_create(&space));
	*(char *)page_to_virt(source) = 5;
	CHECK(!memory_create_fixed(page_to_virt(source), PAGE_SIZE, &map.memory));
	CHECK(!space_map(space, &map, &addr));
	CHECK(!copy_in(space, &byte, BASE, 1) && byte == 5);
	byte = 6;
	CHECK(!copy_out(space, BASE, &byte, 1) && *(char *)page_to_virt(source) == 5);
	CHECK(!copy_in(space, &byte, BASE, 1) && byte == 6);
	map.flags = SPACE_FIXED;
	CHECK(space_map(space, &map, &addr) == -EACCES);
	map.prot = HAL_PROT_READ;
	CHECK(!space_map(space, &map, &addr));
	CHECK(space_protect(space, BASE, PAGE_SIZE, RW) == -EACCES);
	CHECK(!copy_in(space, &byte, BASE, 1) && byte == 5);
	memory_put(map.memory);
	space_put(space);
	CHECK(page_refs(source) == 1);
	page_put(source);
}

static void test_space_shared_memory_is_seen_by_all(void)
{
	struct space_map map = {.addr = BASE, .bytes = 2 * PAGE_SIZE, .prot = RW,
				.flags = SPACE_FIXED};
	struct space *space, *other, *copy;
	char byte = 4;
	vaddr_t addr;

	CHECK(!space_create(&space) && !space_create(&other));
	CHECK(!memory_create_anonymous(2 * PAGE_SIZE, &map.memory));
	CHECK(!space_map(space, &map, &addr));
	map.offset = PAGE_SIZE;
	map.bytes = PAGE_SIZE;
	CHECK(!space_map(other, &map, &addr));
	memory_put(map.memory);
	CHECK(!copy_out(space, BASE + PAGE_SIZE, &byte, 1));
	CHECK(!copy_in(other, &byte, BASE, 1) && byte == 4);
	CHECK(!space_clone(other, &copy));
	byte = 5;
	CHECK(!copy_out(copy, BASE, &byte, 1));
	CHECK(!copy_in(space, &byte, BASE + PAGE_SIZE, 1) && byte == 5);
	space_put(space);
	space_put(other);
	space_put(copy);
}

static void test_space_fault_says_why_not(void)
{
	struct space_map map = {.addr = BASE, .bytes = 2 * PAGE_SIZE, .prot = RW,
				.flags = SPACE_FIXED};
	struct space_stats stats;
	struct space *space;
	vaddr_t addr;

	CHECK(!space_create(&space) && !memory_create_anonymous(10, &map.memory));
	CHECK(!space_map(space, &map, &addr));
	memory_put(map.memory);
	CHECK(!space_fault(space, BASE + 7, HAL_PROT_WRITE));
	CHECK(space_fault(space, BASE, HAL_PROT_EXEC) == -EACCES);
	CHECK(space_fault(space, BASE + PAGE_SIZE, HAL_PROT_READ) == -EIO);
	CHECK(space_fault(space, BASE - 1, HAL_PROT_READ) == -EFAULT);
	CHECK(space_fault(space, 0, HAL_PROT_READ) == -EFAULT);
	CHECK(space_fault(space, UINT64_MAX, HAL_PROT_READ) == -EFAULT);
	space_stats(space, &stats);
	CHECK(stats.faults_minor == 1 && stats.faults_refused == 4);
	space_put(space);
}

static void test_space_stack_grows_to_its_limit(void)
{
	struct space_map map = {.bytes = 2 * PAGE_SIZE, .prot = RW,
				.flags = SPACE_PRIVATE | SPACE_GROWS_DOWN};
	struct space_region_info info;
	struct space *space;
	vaddr_t stack, low;

	CHECK(!space_create(&space) && !space_map(space, &map, &stack));
	CHECK(!space_fault(space, stack - 1, HAL_PROT_WRITE));
	CHECK(!space_fault(space, stack - 40 * PAGE_SIZE, HAL_PROT_WRITE));
	CHECK(!space_region_next(space, 0, &info) && info.start <= stack - 40 * PAGE_SIZE);
	CHECK(!space_fault(space, info.end - SPACE_STACK_MAX, HAL_PROT_WRITE));
	CHECK(space_fault(space, info.end - SPACE_STACK_MAX - 1, HAL_PROT_WRITE) == -EFAULT);
	map.flags = SPACE_PRIVATE;
	CHECK(!space_map(space, &map, &low)); /* leaves the gap free */
	CHECK(low + map.bytes == info.end - SPACE_STACK_MAX - SPACE_STACK_GAP);
	region_check(space);
	space_put(space);
}

static void test_space_stack_keeps_off_its_neighbour(void)
{
	struct space_map map = {.addr = BASE + SPACE_STACK_MAX, .bytes = PAGE_SIZE, .prot = RW,
				.flags = SPACE_PRIVATE | SPACE_GROWS_DOWN | SPACE_FIXED};
	vaddr_t addr, below = map.addr - 4 * SPACE_STACK_GAP;
	struct space *space;

	CHECK(!space_create(&space) && !space_map(space, &map, &addr));
	CHECK(!map_at(space, below, 1, RW));
	CHECK(space_fault(space, below + SPACE_STACK_GAP, HAL_PROT_WRITE) == -EFAULT);
	CHECK(!space_fault(space, below + SPACE_STACK_GAP + PAGE_SIZE, HAL_PROT_WRITE));
	region_check(space);
	space_put(space);
}

static void test_space_faults_map_windows(void)
{
	struct space *space;

	if (!ktest_mmu_find) {
		ktest_skip("this machine does not tell what is mapped");
		return;
	}
	CHECK(!space_create(&space) && !map_at(space, BASE, 256, RW));
	CHECK(!space_fault(space, BASE + 5 * PAGE_SIZE, HAL_PROT_READ));
	CHECK(is_mapped(space, BASE, RW) && is_mapped(space, BASE + 15 * PAGE_SIZE, RW));
	CHECK(!is_mapped(space, BASE + 16 * PAGE_SIZE, 0));
	CHECK(!space_fault(space, BASE + 16 * PAGE_SIZE, HAL_PROT_READ)); /* goes on in sequence */
	CHECK(is_mapped(space, BASE + 79 * PAGE_SIZE, RW));
	CHECK(!is_mapped(space, BASE + 80 * PAGE_SIZE, 0));
	CHECK(!space_protect(space, BASE, 8 * PAGE_SIZE, HAL_PROT_READ));
	CHECK(is_mapped(space, BASE, HAL_PROT_READ) && !is_mapped(space, BASE, HAL_PROT_WRITE));
	CHECK(!space_unmap(space, BASE, 8 * PAGE_SIZE) && !is_mapped(space, BASE, 0));
	space_put(space);
}

static void test_space_clone_takes_the_right_to_write_in_place(void)
{
	struct space *space, *copy;
	paddr_t phys, before;
	unsigned prot;

	if (!ktest_mmu_find) {
		ktest_skip("this machine does not tell what is mapped");
		return;
	}
	CHECK(!space_create(&space) && !map_at(space, BASE, 1, RW));
	CHECK(!space_fault(space, BASE, HAL_PROT_WRITE) && is_mapped(space, BASE, RW));
	CHECK(ktest_mmu_find(space_mmu(space), BASE, &before, &prot));
	CHECK(!space_clone(space, &copy));
	CHECK(!is_mapped(space, BASE, HAL_PROT_WRITE) && is_mapped(space, BASE, HAL_PROT_READ));
	CHECK(!space_fault(copy, BASE, HAL_PROT_READ) && !is_mapped(copy, BASE, HAL_PROT_WRITE));
	CHECK(!space_fault(copy, BASE, HAL_PROT_WRITE) && is_mapped(copy, BASE, RW));
	CHECK(ktest_mmu_find(space_mmu(copy), BASE, &phys, &prot) && phys != before);
	CHECK(!space_fault(space, BASE, HAL_PROT_WRITE) && is_mapped(space, BASE, RW));
	CHECK(ktest_mmu_find(space_mmu(space), BASE, &phys, &prot) && phys == before);
	space_put(space);
	space_put(copy);
}

static void test_space_forget_loses_nothing(void)
{
	struct space *space;
	char byte = 8;

	CHECK(!space_create(&space) && !map_at(space, BASE, 4, RW));
	CHECK(!copy_out(space, BASE, &byte, 1));
	space_forget(space);
	CHECK(!ktest_mmu_find || !is_mapped(space, BASE, 0));
	CHECK(!copy_in(space, &byte, BASE, 1) && byte == 8);
	CHECK(!space_fault(space, BASE, HAL_PROT_WRITE));
	CHECK(!ktest_mmu_find || is_mapped(space, BASE, RW));
	space_put(space);
}

static void test_space_clear_drops_everything(void)
{
	struct space_stats stats;
	struct space *space;
	vaddr_t addr;
	const struct space_map map = {.bytes = PAGE_SIZE, .prot = RW};

	CHECK(!space_create(&space) && !map_at(space, BASE, 100, RW));
	CHECK(!space_map(space, &map, &addr) && !copy_zero(space, addr, PAGE_SIZE));
	CHECK(!copy_zero(space, BASE, 100 * PAGE_SIZE));
	space_clear(space);
	space_stats(space, &stats);
	CHECK(!stats.mapped_bytes && !stats.resident_pages && count_regions(space) == 0);
	CHECK(!map_at(space, BASE, 1, RW) && !copy_zero(space, BASE, 1));
	region_check(space);
	space_put(space);
}

/* ---- The end of memory ---- */

/* Takes all memory but `left` pages, up to a pool of them. */
static void take_memory(struct list *taken, unsigned left)
{
	struct page *pool = page_alloc(POOL_ORDER), *page;

	list_init(taken);
	for (unsigned order = PAGE_ORDER_MAX + 1; order-- > 0;) {
		while ((page = page_alloc(order)))
			list_add_first(taken, &page->link);
	}
	if (!pool)
		return;
	page_split(pool, POOL_ORDER);
	for (unsigned i = 0; i < 1u << POOL_ORDER; i++) {
		if (i < left)
			page_free(&pool[i], 0);
		else
			list_add_first(taken, &pool[i].link);
	}
}

static void give_memory_back(struct list *taken)
{
	struct page *page, *after;

	LIST_FOR_EACH_SAFE(page, after, taken, link) {
		list_remove(&page->link);
		page_free(page, page->order);
	}
}

/* Writes to pages far apart, each of which needs tree nodes, until that fails. How many did. */
static unsigned write_sparsely(struct space *space, int *err)
{
	unsigned count = 0;

	do {
		*err = copy_out(space, BASE + count * SPARSE_STEP, &count, sizeof(count));
		count += !*err;
	} while (!*err && count < SPARSE_MAX);
	return count;
}

static void test_space_survives_the_end_of_memory(void)
{
	for (unsigned left = 0; left < 60; left += 1 + left / 6) {
		unsigned count, word = 0;
		struct space *space, *copy;
		struct list taken;
		int err, clone_err;

		CHECK(!space_create(&space));
		CHECK(!map_at(space, BASE, SPARSE_MAX * (SPARSE_STEP / PAGE_SIZE), RW));
		take_memory(&taken, left);
		count = write_sparsely(space, &err);
		region_check(space);
		clone_err = space_clone(space, &copy);
		give_memory_back(&taken);
		EXPECT(err == -ENOMEM && count < SPARSE_MAX);
		if (!clone_err)
			space_put(copy);
		EXPECT(!clone_err || clone_err == -ENOMEM);
		for (unsigned i = 0; i < count; i++)
			EXPECT(!copy_in(space, &word, BASE + i * SPARSE_STEP, sizeof(word)) &&
			       word == i);
		EXPECT(write_sparsely(space, &err) == SPARSE_MAX); /* now there is enough */
		region_check(space);
		space_put(space);
	}
	page_check();
}

/* ---- Random changes against an array of pages ---- */

struct model {
	struct space *space;
	bool mapped[MODEL_PAGES];
	unsigned prot[MODEL_PAGES];
	unsigned char bytes[MODEL_PAGES]; /* the first of each page */
	uint64_t random;
};

static vaddr_t model_addr(uint64_t page)
{
	return BASE + page * PAGE_SIZE;
}

static void model_change(struct model *model)
{
	static const unsigned prots[] = {RW, RW, HAL_PROT_READ, HAL_PROT_NONE};
	uint64_t first = stress_random(&model->random, MODEL_PAGES);
	uint64_t count = 1 + stress_random(&model->random, MIN(12ull, MODEL_PAGES - first));
	unsigned prot = prots[stress_random(&model->random, 4)];
	unsigned kind = (unsigned)stress_random(&model->random, 3);
	bool whole = true;

	for (uint64_t page = first; page < first + count; page++)
		whole = whole && model->mapped[page];
	if (kind == 0)
		EXPECT(!map_at(model->space, model_addr(first), count, prot));
	else if (kind == 1)
		EXPECT(!space_unmap(model->space, model_addr(first), count * PAGE_SIZE));
	else
		EXPECT(space_protect(model->space, model_addr(first), count * PAGE_SIZE, prot) ==
		       (whole ? 0 : -ENOMEM));
	for (uint64_t page = first; page < first + count; page++) {
		if (kind == 0)
			model->bytes[page] = 0;
		if (kind < 2)
			model->mapped[page] = kind == 0;
		if (kind == 0 || (kind == 2 && whole))
			model->prot[page] = prot;
	}
}

static void model_touch(struct model *model)
{
	uint64_t page = stress_random(&model->random, MODEL_PAGES);
	bool write = stress_random(&model->random, 2);
	unsigned char byte = (unsigned char)model->random;
	bool allowed = model->mapped[page] && (model->prot[page] & (write ? HAL_PROT_WRITE
									  : HAL_PROT_READ));
	int err = write ? copy_out(model->space, model_addr(page), &byte, 1)
			: copy_in(model->space, &byte, model_addr(page), 1);

	EXPECT(err == (allowed ? 0 : -EFAULT));
	if (allowed && write)
		model->bytes[page] = byte;
	if (allowed)
		EXPECT(byte == model->bytes[page]);
}

/* What is mapped shows what the model has, and no more rights. */
static void model_check(struct model *model)
{
	paddr_t phys;
	unsigned prot;

	region_check(model->space);
	for (uint64_t page = 0; ktest_mmu_find && page < MODEL_PAGES; page++) {
		if (!ktest_mmu_find(space_mmu(model->space), model_addr(page), &phys, &prot))
			continue;
		EXPECT(model->mapped[page] && !(prot & ~model->prot[page]));
		EXPECT(*(unsigned char *)hal_phys_to_virt(phys) == model->bytes[page]);
	}
}

/* Goes on in a clone, while the original must stay as it is. */
static void model_fork(struct model *model)
{
	struct space *copy = NULL;

	EXPECT(!space_clone(model->space, &copy));
	if (!copy)
		return;
	if (stress_random(&model->random, 2)) {
		EXPECT(!copy_zero(copy, BASE, 0));
		for (uint64_t page = 0; page < MODEL_PAGES; page++)
			if (model->mapped[page] && model->prot[page] == RW)
				EXPECT(!copy_zero(copy, model_addr(page), 1));
		space_put(copy);
	} else {
		space_put(model->space);
		model->space = copy;
	}
}

static void test_space_agrees_with_a_model_over_random_changes(void)
{
	struct model *model = kmalloc(sizeof(*model));

	CHECK(model && !space_create(&model->space));
	model->random = 20240607;
	for (unsigned round = 0; round < MODEL_ROUNDS; round++) {
		if (stress_random(&model->random, 8) == 0)
			model_change(model);
		else
			model_touch(model);
		if (stress_random(&model->random, 100) == 0)
			model_fork(model);
		if (stress_random(&model->random, 500) == 0)
			space_forget(model->space);
		if (round % 16 == 0)
			model_check(model);
	}
	space_put(model->space);
	kfree(model);
	page_check();
}

const struct ktest ktests_space[] = {
	KTEST(test_space_fresh_memory_is_zero),
	KTEST(test_space_copies_go_across_pages),
	KTEST(test_space_copies_refuse_bad_ranges),
	KTEST(test_space_copy_in_string_finds_its_end),
	KTEST(test_space_map_refuses_bad_arguments),
	KTEST(test_space_fixed_replaces_unless_told_not_to),
	KTEST(test_space_places_regions_from_the_top_down),
	KTEST(test_space_unmap_cuts_a_hole),
	KTEST(test_space_protect_splits_and_joins),
	KTEST(test_space_clone_copies_on_write),
	KTEST(test_space_clone_of_a_clone_keeps_its_bytes),
	KTEST(test_space_private_region_leaves_its_object_alone),
	KTEST(test_space_shared_memory_is_seen_by_all),
	KTEST(test_space_fault_says_why_not),
	KTEST(test_space_stack_grows_to_its_limit),
	KTEST(test_space_stack_keeps_off_its_neighbour),
	KTEST(test_space_faults_map_windows),
	KTEST(test_space_clone_takes_the_right_to_write_in_place),
	KTEST(test_space_forget_loses_nothing),
	KTEST(test_space_clear_drops_everything),
	KTEST(test_space_survives_the_end_of_memory),
	KTEST(test_space_agrees_with_a_model_over_random_changes),
	{0},
};
