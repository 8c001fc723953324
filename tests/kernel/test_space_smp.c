/*
 * Address spaces under stress: threads on all CPUs in one space and in clones of it.
 */
#include "core/space_priv.h"

#include "core/sched.h"
#include "core/slab.h"
#include "tests/kernel/stress.h"

#define RW (HAL_PROT_READ | HAL_PROT_WRITE)
#define BASE ((vaddr_t)0x10000000)
#define FAULT_PAGES 512
#define CLONE_ROUNDS 60
#define CLONE_PAGES 32
#define MAP_ROUNDS 1500
#define PAGER_PAGES 64

static int map_at(struct space *space, vaddr_t addr, uint64_t pages)
{
	const struct space_map map = {.addr = addr,
				      .bytes = pages * PAGE_SIZE,
				      .prot = RW,
				      .flags = SPACE_PRIVATE | SPACE_FIXED};
	vaddr_t at;

	return space_map(space, &map, &at);
}

/* All fault in the same pages; each word is one thread's. */
static void fault_body(unsigned index, void *arg)
{
	struct space *space = arg;
	uint32_t word;

	for (unsigned page = 0; page < FAULT_PAGES; page++) {
		vaddr_t addr = BASE + page * PAGE_SIZE + index * sizeof(word);

		word = page * 100 + index;
		EXPECT(!space_fault(space, addr, page & 1 ? HAL_PROT_WRITE : HAL_PROT_READ));
		EXPECT(!copy_out(space, addr, &word, sizeof(word)));
		if (page % 16 == index % 16)
			sched_yield_now();
	}
	for (unsigned page = 0; page < FAULT_PAGES; page++) {
		vaddr_t addr = BASE + page * PAGE_SIZE + index * sizeof(word);

		EXPECT(!copy_in(space, &word, addr, sizeof(word)));
		EXPECT(word == page * 100 + index);
	}
}

static void test_space_faults_of_all_cpus_in_one_space(void)
{
	struct space_stats stats;
	struct space *space;

	CHECK(!space_create(&space) && !map_at(space, BASE, FAULT_PAGES));
	stress_run(fault_body, space);
	space_stats(space, &stats);
	EXPECT(stats.resident_pages == FAULT_PAGES);
	region_check(space);
	space_put(space);
}

/* Clones the common space, writes to the clone, and finds its own writes alone. */
static void clone_body(unsigned index, void *arg)
{
	struct space *space = arg, *copy;
	uint32_t word;

	for (unsigned round = 0; round < CLONE_ROUNDS; round++) {
		if (space_clone(space, &copy)) {
			EXPECT(!"clone");
			return;
		}
		for (unsigned page = index % 3; page < CLONE_PAGES; page += 3) {
			word = index * 1000 + round;
			EXPECT(!copy_out(copy, BASE + page * PAGE_SIZE, &word, sizeof(word)));
		}
		/* The original is written, too: each thread has a page of its own there. */
		word = round;
		EXPECT(!copy_out(space, BASE + (CLONE_PAGES + index) * PAGE_SIZE, &word,
				 sizeof(word)));
		for (unsigned page = 0; page < CLONE_PAGES; page++) {
			bool own = page % 3 == index % 3;

			EXPECT(!copy_in(copy, &word, BASE + page * PAGE_SIZE, sizeof(word)));
			EXPECT(word == (own ? index * 1000 + round : page + 7));
		}
		space_put(copy);
		sched_point();
	}
	EXPECT(!copy_in(space, &word, BASE + (CLONE_PAGES + index) * PAGE_SIZE, sizeof(word)));
	EXPECT(word == CLONE_ROUNDS - 1);
}

static void test_space_clones_on_all_cpus_keep_apart(void)
{
	struct space *space;
	uint32_t word;

	CHECK(!space_create(&space));
	CHECK(!map_at(space, BASE, CLONE_PAGES + HAL_CPUS_MAX * STRESS_THREADS_PER_CPU));
	for (unsigned page = 0; page < CLONE_PAGES; page++) {
		word = page + 7;
		EXPECT(!copy_out(space, BASE + page * PAGE_SIZE, &word, sizeof(word)));
	}
	stress_run(clone_body, space);
	for (unsigned page = 0; page < CLONE_PAGES; page++) {
		EXPECT(!copy_in(space, &word, BASE + page * PAGE_SIZE, sizeof(word)));
		EXPECT(word == page + 7);
	}
	region_check(space);
	space_put(space);
	page_check();
}

/* Each thread changes an area of its own, between those of its neighbours. */
static void map_body(unsigned index, void *arg)
{
	vaddr_t area = BASE + index * 64 * PAGE_SIZE;
	struct space *space = arg;
	uint64_t random = index + 11;

	for (unsigned round = 0; round < MAP_ROUNDS; round++) {
		uint64_t first = stress_random(&random, 48), pages = 1 + first % 16;
		vaddr_t addr = area + first * PAGE_SIZE;
		uint32_t word = round;

		EXPECT(!map_at(space, addr, pages));
		EXPECT(!copy_out(space, addr, &word, sizeof(word)));
		EXPECT(!copy_in(space, &word, addr, sizeof(word)) && word == round);
		if (round % 3 == 0)
			EXPECT(!space_protect(space, addr, pages * PAGE_SIZE, HAL_PROT_READ));
		if (round % 3 == 1)
			EXPECT(!space_unmap(space, addr, pages * PAGE_SIZE));
		if (round % 100 == index)
			space_forget(space);
		sched_point();
	}
	EXPECT(!space_unmap(space, area, 64 * PAGE_SIZE));
}

static void test_space_map_and_unmap_on_all_cpus(void)
{
	struct space_stats stats;
	struct space *space;

	CHECK(!space_create(&space));
	stress_run(map_body, space);
	space_stats(space, &stats);
	EXPECT(!stats.mapped_bytes && !stats.resident_pages);
	region_check(space);
	space_put(space);
	page_check();
}

/* A pager that lets others run while it makes a page, so that faults meet. */
static int make_page_slowly(struct memory *memory, uint64_t index, bool write, struct page **page)
{
	(void)memory;
	(void)write;
	for (unsigned i = 0; i < index % 4; i++)
		sched_yield_now();
	*page = page_alloc_zeroed(0);
	if (!*page)
		return -ENOMEM;
	*(uint32_t *)page_to_virt(*page) = (uint32_t)index;
	return 0;
}

static const struct memory_pager slow_pager = {.name = "slow", .make_page = make_page_slowly};

struct slow {
	struct space *space;
	struct memory *memory;
};

/* Even threads read and write; odd ones take the region away and bring it back meanwhile. */
static void slow_body(unsigned index, void *arg)
{
	struct slow *slow = arg;
	struct space_map map = {.addr = BASE, .bytes = PAGER_PAGES * PAGE_SIZE, .prot = RW,
				.flags = SPACE_PRIVATE | SPACE_FIXED, .memory = slow->memory};
	uint64_t random = index + 5;
	vaddr_t at;

	for (unsigned round = 0; round < 400; round++) {
		uint64_t page = stress_random(&random, PAGER_PAGES);
		uint32_t word = 0;
		int err;

		if (index % 2 == 0) {
			err = copy_in(slow->space, &word, BASE + page * PAGE_SIZE, sizeof(word));
			EXPECT(err == -EFAULT || (!err && word == page));
			err = copy_zero(slow->space, BASE + page * PAGE_SIZE + 8, 8);
			EXPECT(!err || err == -EFAULT);
		} else if (round % 8 == 0) {
			EXPECT(!space_map(slow->space, &map, &at));
		} else if (round % 8 == 4) {
			EXPECT(!space_unmap(slow->space, BASE + page * PAGE_SIZE, PAGE_SIZE));
		}
		sched_yield_now();
	}
}

static void test_space_faults_that_wait_meet_unmap(void)
{
	struct slow slow;

	CHECK(!space_create(&slow.space));
	CHECK(!memory_create(&slow_pager, NULL, PAGER_PAGES * PAGE_SIZE, &slow.memory));
	stress_run(slow_body, &slow);
	region_check(slow.space);
	space_put(slow.space);
	EXPECT(slow.memory->pages.count <= PAGER_PAGES);
	memory_put(slow.memory);
	page_check();
}

const struct ktest ktests_space_smp[] = {
	KTEST_MACHINE(test_space_faults_of_all_cpus_in_one_space),
	KTEST_MACHINE(test_space_clones_on_all_cpus_keep_apart),
	KTEST_MACHINE(test_space_map_and_unmap_on_all_cpus),
	KTEST_MACHINE(test_space_faults_that_wait_meet_unmap),
	{0},
};
