/*
 * Memory objects.
 */
#include "core/memory.h"

#include "tests/kernel/ktest.h"

static void test_memory_anonymous_pages_are_zero_and_stay(void)
{
	struct memory *memory;
	struct page *page, *again;

	CHECK(!memory_create_anonymous(3 * PAGE_SIZE, &memory));
	CHECK(!memory_find_page(memory, 1));
	CHECK(!memory_get_page(memory, 1, true, &page));
	CHECK(page_refs(page) == 2 && *(const char *)page_to_virt(page) == 0);
	CHECK(!memory_get_page(memory, 1, false, &again) && again == page);
	CHECK(memory_find_page(memory, 1) == page && memory_count_pages(memory, 0, 3) == 1);
	page_put(again);
	memory_put(memory);
	CHECK(page_refs(page) == 1); /* ours outlives the object */
	page_put(page);
}

static void test_memory_ends_where_its_bytes_end(void)
{
	struct memory *memory;
	struct page *page;

	CHECK(!memory_create_anonymous(PAGE_SIZE + 1, &memory));
	CHECK(!memory_get_page(memory, 1, false, &page));
	page_put(page);
	CHECK(memory_get_page(memory, 2, false, &page) == -EFAULT);
	memory_put(memory);
	CHECK(memory_create_anonymous(UINT64_MAX, &memory) == -EINVAL);
}

static void test_memory_fixed_shares_whole_pages_and_copies_the_rest(void)
{
	struct page *source = page_alloc_zeroed(1), *page;
	struct memory *memory;
	const char *bytes;

	CHECK(source);
	page_split(source, 1);
	memset(page_to_virt(source), 'x', 2 * PAGE_SIZE);
	CHECK(!memory_create_fixed(page_to_virt(source), PAGE_SIZE + 10, &memory));
	CHECK(!memory_get_page(memory, 0, false, &page) && page == source);
	page_put(page);
	CHECK(!memory_get_page(memory, 1, false, &page) && page != source + 1);
	bytes = page_to_virt(page);
	CHECK(bytes[9] == 'x' && bytes[10] == 0 && bytes[PAGE_SIZE - 1] == 0);
	page_put(page);
	CHECK(memory_get_page(memory, 0, true, &page) == -EACCES);
	memory_put(memory);
	CHECK(page_refs(source) == 1);
	page_put(source);
	page_put(source + 1);
}

static void test_memory_fixed_copies_what_is_not_aligned(void)
{
	struct page *source = page_alloc(1), *page;
	struct memory *memory;
	char *bytes;

	CHECK(source);
	bytes = page_to_virt(source);
	for (size_t i = 0; i < 2 * PAGE_SIZE; i++)
		bytes[i] = (char)(i % 251);
	CHECK(!memory_create_fixed(bytes + 100, PAGE_SIZE, &memory));
	CHECK(!memory_get_page(memory, 0, false, &page) && page != source);
	CHECK(!memcmp(page_to_virt(page), bytes + 100, PAGE_SIZE));
	page_put(page);
	memory_put(memory);
	page_free(source, 1);
}

/* A pager that fails for odd pages and counts what it is asked. */
struct counting {
	unsigned reads, writes, destroyed;
};

static int make_even_page(struct memory *memory, uint64_t index, bool write, struct page **page)
{
	struct counting *counting = memory->pager_data;
	struct page *there = memory_find_page(memory, index);

	counting->reads += !write;
	counting->writes += write;
	if (index & 1)
		return -EIO;
	*page = there ? page_get(there) : page_alloc_zeroed(0);
	return *page ? 0 : -ENOMEM;
}

static void count_destroyed(struct memory *memory)
{
	((struct counting *)memory->pager_data)->destroyed++;
}

static const struct memory_pager counting_pager = {.name = "counting",
						   .traces_writes = true,
						   .make_page = make_even_page,
						   .destroy = count_destroyed};

static void test_memory_asks_its_pager_once_a_page_and_before_writes(void)
{
	struct counting counting = {0};
	struct memory *memory;
	struct page *page, *again;

	CHECK(!memory_create(&counting_pager, &counting, 4 * PAGE_SIZE, &memory));
	CHECK(memory_get_page(memory, 1, false, &page) == -EIO);
	CHECK(!memory_get_page(memory, 2, false, &page));
	CHECK(!memory_get_page(memory, 2, false, &again) && again == page);
	CHECK(counting.reads == 2 && counting.writes == 0);
	page_put(again);
	CHECK(!memory_get_page(memory, 2, true, &again) && again == page);
	CHECK(counting.reads == 2 && counting.writes == 1);
	page_put(again);
	CHECK(page_refs(page) == 2);
	page_put(page);
	memory_put(memory);
	CHECK(counting.destroyed == 1);
}

const struct ktest ktests_memory[] = {
	KTEST(test_memory_anonymous_pages_are_zero_and_stay),
	KTEST(test_memory_ends_where_its_bytes_end),
	KTEST(test_memory_fixed_shares_whole_pages_and_copies_the_rest),
	KTEST(test_memory_fixed_copies_what_is_not_aligned),
	KTEST(test_memory_asks_its_pager_once_a_page_and_before_writes),
	{0},
};
