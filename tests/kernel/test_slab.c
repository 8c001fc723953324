/*
 * Slab caches and kmalloc.
 */
#include "core/slab.h"

#include "core/page.h"
#include "core/sched.h"
#include "tests/kernel/stress.h"

#define OBJECTS 500
#define STRESS_ROUNDS 20000
#define STRESS_OBJECTS 128

static bool is_zero(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

static void test_kmalloc_gives_zeroed_aligned_memory(void)
{
	for (size_t bytes = 1; bytes <= 20000; bytes = bytes * 5 / 4 + 1) {
		char *memory = kmalloc(bytes);

		CHECK(memory);
		CHECK(((uintptr_t)memory & 15) == 0);
		CHECK(bytes < PAGE_SIZE || ((uintptr_t)memory & (PAGE_SIZE - 1)) == 0);
		CHECK(is_zero(memory, bytes));
		memset(memory, 0xff, bytes);
		kfree(memory);
		memory = kmalloc(bytes);
		CHECK(memory && is_zero(memory, bytes));
		kfree(memory);
	}
	slab_check();
}

static void test_kmalloc_refuses_more_than_a_block(void)
{
	void *memory;

	CHECK(!kmalloc(((size_t)4 << 20) + 1));
	CHECK(!kmalloc(SIZE_MAX));
	memory = kmalloc((size_t)4 << 20);
	CHECK(memory);
	kfree(memory);
	kfree(NULL);
}

static void test_slab_live_counts_objects_in_use(void)
{
	uint64_t before = slab_live();
	void *small = kmalloc(24), *large = kmalloc(10000);

	CHECK(small && large && slab_live() == before + 2);
	kfree(small);
	CHECK(slab_live() == before + 1);
	kfree(large);
	CHECK(slab_live() == before);
}

static void test_slab_objects_do_not_overlap(void)
{
	static const uint16_t sizes[] = {1, 24, 100, 520, 3000, 8192};

	for (unsigned s = 0; s < ARRAY_COUNT(sizes); s++) {
		struct slab_cache *cache = slab_cache_create("test", sizes[s], 64);
		unsigned char **objects = kmalloc(OBJECTS * sizeof(*objects));

		CHECK(cache && objects);
		for (unsigned i = 0; i < OBJECTS; i++) {
			objects[i] = slab_alloc(cache);
			CHECK(objects[i] && ((uintptr_t)objects[i] & 63) == 0);
			memset(objects[i], (int)(i % 255 + 1), sizes[s]);
		}
		slab_check();
		for (unsigned i = 0; i < OBJECTS; i++) {
			EXPECT(objects[i][0] == i % 255 + 1);
			EXPECT(objects[i][sizes[s] - 1] == i % 255 + 1);
			slab_free(cache, objects[i]);
		}
		slab_check();
		slab_cache_destroy(cache);
		kfree(objects);
	}
}

static void test_slab_gives_empty_slabs_back(void)
{
	struct slab_cache *cache = slab_cache_create("test", 256, 16);
	struct page_stats before, after;
	void **objects = kmalloc(OBJECTS * sizeof(*objects));

	CHECK(cache && objects);
	page_stats(&before);
	for (unsigned i = 0; i < OBJECTS; i++) {
		objects[i] = slab_alloc(cache);
		CHECK(objects[i]);
	}
	for (unsigned i = 0; i < OBJECTS; i++)
		slab_free(cache, objects[i]);
	page_stats(&after);
	/* One empty slab, and those that the magazine's objects lie in. */
	CHECK(after.free + 8 >= before.free);
	slab_cache_destroy(cache);
	kfree(objects);
	page_check();
}

static void stress_body(unsigned index, void *arg)
{
	unsigned char *objects[STRESS_OBJECTS] = {0};
	uint64_t random = index + 7;
	size_t sizes[STRESS_OBJECTS];

	(void)arg;
	for (unsigned round = 0; round < STRESS_ROUNDS; round++) {
		unsigned slot = (unsigned)stress_random(&random, STRESS_OBJECTS);

		if (objects[slot]) {
			EXPECT(objects[slot][0] == (unsigned char)(index + slot));
			EXPECT(objects[slot][sizes[slot] - 1] == (unsigned char)(index + slot));
			kfree(objects[slot]);
			objects[slot] = NULL;
		} else {
			sizes[slot] = 1 + stress_random(&random, slot % 16 ? 300 : 9000);
			objects[slot] = kmalloc(sizes[slot]);
			if (objects[slot])
				memset(objects[slot], (int)(index + slot), sizes[slot]);
		}
		if (round % 64 == 0)
			sched_point();
	}
	for (unsigned slot = 0; slot < STRESS_OBJECTS; slot++)
		kfree(objects[slot]);
}

static void test_slab_stress_on_all_cpus(void)
{
	stress_run(stress_body, NULL);
	slab_check();
	page_check();
}

const struct ktest ktests_slab[] = {
	KTEST(test_kmalloc_gives_zeroed_aligned_memory),
	KTEST(test_kmalloc_refuses_more_than_a_block),
	KTEST(test_slab_live_counts_objects_in_use),
	KTEST(test_slab_objects_do_not_overlap),
	KTEST(test_slab_gives_empty_slabs_back),
	KTEST_MACHINE(test_slab_stress_on_all_cpus),
	{0},
};
