/*
 * The page allocator and the tree of pages.
 */
#include "core/page.h"

#include "core/page_tree.h"
#include "core/sched.h"
#include "core/slab.h"
#include "tests/kernel/stress.h"

#define STRESS_ROUNDS 3000
#define STRESS_PAGES 64

static uint64_t count_free(void)
{
	struct page_stats stats;

	page_stats(&stats);
	return stats.free;
}

static void test_page_alloc_gives_aligned_blocks(void)
{
	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
		struct page *page = page_alloc(order);

		CHECK(page);
		CHECK((page_to_phys(page) & ((PAGE_SIZE << order) - 1)) == 0);
		CHECK(page_refs(page) == 1 && page_state(page) == PAGE_USED);
		page_free(page, order);
	}
	page_check();
}

static void test_page_is_found_by_its_addresses(void)
{
	struct page *page = page_alloc(0);

	CHECK(page);
	CHECK(page_from_phys(page_to_phys(page)) == page);
	CHECK(page_from_phys(page_to_phys(page) + PAGE_SIZE - 1) == page);
	CHECK(page_from_virt(page_to_virt(page)) == page);
	CHECK(!page_from_phys(0));
	CHECK(!page_from_phys(UINT64_MAX));
	CHECK(!page_from_virt(NULL));
	page_free(page, 0);
}

static void test_page_alloc_zeroed_gives_zeroes(void)
{
	struct page *page = page_alloc(2);
	const char *bytes;

	CHECK(page);
	memset(page_to_virt(page), 0xff, PAGE_SIZE << 2);
	page_free(page, 2);
	page = page_alloc_zeroed(2);
	CHECK(page);
	bytes = page_to_virt(page);
	for (size_t i = 0; i < PAGE_SIZE << 2; i++)
		EXPECT(!bytes[i]);
	page_free(page, 2);
}

static void test_page_free_joins_buddies(void)
{
	struct page *page = page_alloc(PAGE_ORDER_MAX);
	uint64_t before;

	CHECK(page);
	page_split(page, PAGE_ORDER_MAX);
	before = count_free();
	for (size_t i = 0; i < (size_t)1 << PAGE_ORDER_MAX; i++)
		page_free(&page[i], 0);
	page_check();
	CHECK(count_free() == before + (1ull << PAGE_ORDER_MAX));
	page = page_alloc(PAGE_ORDER_MAX);
	CHECK(page);
	page_free(page, PAGE_ORDER_MAX);
}

static void test_page_put_frees_with_the_last_reference(void)
{
	struct page *page = page_alloc(0);
	uint64_t before = count_free();

	CHECK(page);
	page_get(page);
	page_put(page);
	CHECK(count_free() == before && page_refs(page) == 1);
	page_put(page);
	CHECK(count_free() == before + 1);
}

static void test_page_alloc_gives_nothing_when_all_is_used(void)
{
	uint64_t before = count_free();
	struct page_stats stats;
	struct page *page, *after;
	struct list all;

	list_init(&all);
	for (unsigned order = PAGE_ORDER_MAX + 1; order-- > 0;) {
		while ((page = page_alloc(order)))
			list_add_first(&all, &page->link);
	}
	page_stats(&stats);
	EXPECT(stats.failures > 0);
	EXPECT(!page_alloc(0));
	LIST_FOR_EACH_SAFE(page, after, &all, link) {
		list_remove(&page->link);
		page_free(page, page->order);
	}
	page_check();
	CHECK(count_free() == before);
}

static void test_page_up_calls_give_zeroed_pages(void)
{
	uint64_t before = count_free();
	paddr_t phys;

	CHECK(!up_page_alloc(&phys));
	CHECK(phys && !(phys & (PAGE_SIZE - 1)));
	CHECK(*(const char *)hal_phys_to_virt(phys) == 0);
	up_page_free(phys);
	CHECK(count_free() == before);
}

static void test_page_stats_count(void)
{
	struct page_stats before, after;
	struct page *page;

	page_stats(&before);
	page = page_alloc(3);
	CHECK(page);
	page_stats(&after);
	page_free(page, 3);
	CHECK(after.free == before.free - 8);
	CHECK(after.allocations == before.allocations + 1);
	CHECK(after.total == before.total && after.free <= after.total);
}

/* Each page carries who has it; nobody else may ever write there. */
static void stress_body(unsigned index, void *arg)
{
	struct page *pages[STRESS_PAGES] = {0};
	uint64_t random = index + 1;

	(void)arg;
	for (unsigned round = 0; round < STRESS_ROUNDS; round++) {
		unsigned slot = (unsigned)stress_random(&random, STRESS_PAGES);
		uint64_t *words;

		if (pages[slot]) {
			words = page_to_virt(pages[slot]);
			EXPECT(words[0] == index && words[1] == slot);
			page_free(pages[slot], pages[slot]->order);
			pages[slot] = NULL;
		} else {
			pages[slot] = page_alloc((unsigned)stress_random(&random, 4) * (slot % 3));
			if (!pages[slot])
				continue;
			words = page_to_virt(pages[slot]);
			words[0] = index;
			words[1] = slot;
		}
		if (round % 500 == 0)
			page_check();
		if (round % 64 == 0)
			sched_point();
	}
	for (unsigned slot = 0; slot < STRESS_PAGES; slot++)
		if (pages[slot])
			page_free(pages[slot], pages[slot]->order);
}

static void test_page_stress_on_all_cpus(void)
{
	stress_run(stress_body, NULL);
	page_check();
}

static struct page *insert_new(struct page_tree *tree, uint64_t index)
{
	struct page *page = page_alloc(0);

	if (!page || page_tree_insert(tree, index, page))
		return NULL;
	return page;
}

static void test_page_tree_finds_what_was_inserted(void)
{
	static const uint64_t indices[] = {0, 1, 63, 64, 4095, 4096, 0x7fffbffff,
					   PAGE_TREE_INDEX_END - 1};
	uint64_t live = slab_live(), free = count_free(), at = 2;
	struct page *pages[ARRAY_COUNT(indices)];
	struct page_tree tree = {0};

	for (unsigned i = 0; i < ARRAY_COUNT(indices); i++) {
		pages[i] = insert_new(&tree, indices[i]);
		CHECK(pages[i]);
	}
	for (unsigned i = 0; i < ARRAY_COUNT(indices); i++) {
		CHECK(page_tree_find(&tree, indices[i]) == pages[i]);
		CHECK(i == 0 || i == 1 || !page_tree_find(&tree, indices[i] - 1) ||
		      indices[i] - 1 == indices[i - 1]);
	}
	CHECK(page_tree_next(&tree, &at) == pages[2] && at == 63);
	CHECK(page_tree_count(&tree, 1, 4096) == 4);
	CHECK(tree.count == ARRAY_COUNT(indices));
	CHECK(page_tree_drop(&tree, 1, 64) == 2);
	CHECK(!page_tree_find(&tree, 1) && page_tree_find(&tree, 0) == pages[0]);
	page_tree_drop(&tree, 0, PAGE_TREE_INDEX_END);
	CHECK(!tree.root && !tree.count && !tree.height);
	/* The slab allocator may keep pages of its own. */
	CHECK(slab_live() == live && count_free() + 8 >= free);
}

static void test_page_tree_clone_shares_the_pages(void)
{
	struct page_tree tree = {0}, copy = {0};
	struct page *page = insert_new(&tree, 5), *far = insert_new(&tree, 1ull << 30), *other;

	CHECK(page && far && !page_tree_clone(&tree, &copy));
	CHECK(copy.count == 2 && page_tree_find(&copy, 5) == page);
	CHECK(page_refs(page) == 2 && page_refs(far) == 2);
	other = page_alloc(0);
	CHECK(other && page_tree_replace(&copy, 5, other) == page);
	page_put(page);
	CHECK(page_tree_find(&tree, 5) == page && page_tree_find(&copy, 5) == other);
	page_tree_drop(&tree, 0, PAGE_TREE_INDEX_END);
	CHECK(page_refs(far) == 1);
	page_tree_drop(&copy, 0, PAGE_TREE_INDEX_END);
}

const struct ktest ktests_page[] = {
	KTEST(test_page_alloc_gives_aligned_blocks),
	KTEST(test_page_is_found_by_its_addresses),
	KTEST(test_page_alloc_zeroed_gives_zeroes),
	KTEST(test_page_free_joins_buddies),
	KTEST(test_page_put_frees_with_the_last_reference),
	KTEST(test_page_alloc_gives_nothing_when_all_is_used),
	KTEST(test_page_up_calls_give_zeroed_pages),
	KTEST(test_page_stats_count),
	KTEST(test_page_tree_finds_what_was_inserted),
	KTEST(test_page_tree_clone_shares_the_pages),
	KTEST_MACHINE(test_page_stress_on_all_cpus),
	{0},
};
