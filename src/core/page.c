/*
 * Physical pages.
 *
 * A range of RAM begins with the struct pages of all its frames. Free memory is kept as naturally
 * aligned blocks of 2^order pages in one list an order: an allocation splits the smallest block
 * that is large enough, and a freed block joins its buddy (the block whose frame number differs
 * in bit `order` alone) as long as that one is free, too. The initial image has struct pages that
 * are used for ever, so that memory objects can share it.
 *
 * Single pages go through a stack on each CPU, which is filled and emptied in batches. It needs no
 * lock: kernel code is interrupted only where it enables interrupts (rule 3 of the HAL contract),
 * and nothing between hal_cpu_id() and the last touch of the stack does. For the same reason
 * up_page_alloc() may be called with any lock of a rank above LOCK_RANK_PAGE held.
 *
 *   page_alloc: FREE -> USED (-> SLAB by slab.c)     page_free: USED, SLAB -> FREE
 *   caches:     FREE -> CACHED -> USED -> CACHED -> FREE
 *
 * Invariants (page_check() walks them):
 *   1. The first page of a block has its order and a state that is not INNER; all others are
 *      INNER. Frame numbers of first pages are multiples of 2^order.
 *   2. A block is in free[order] if and only if its first page is FREE.
 *   3. Two buddies of one order are never both FREE.
 *   4. free_count is the sum of the pages in all FREE blocks.
 *   5. A CACHED page has order 0 and is in the stack of one CPU. Frame 0 is ABSENT.
 */
#include "core/page_priv.h"
#include "core/panic.h"
#include "core/state.h"

static const char *const state_names[PAGE_STATES] = {
	[PAGE_ABSENT] = "not RAM", [PAGE_FREE] = "free",   [PAGE_INNER] = "inside a block",
	[PAGE_USED] = "used",	   [PAGE_SLAB] = "a slab", [PAGE_CACHED] = "free, in a CPU's cache",
};

static void set_state(struct page *page, enum page_state state)
{
	atomic_store_explicit(&page->state, (uint8_t)state, memory_order_relaxed);
}

static uint64_t frame_of(const struct page *page)
{
	const struct page_range *range = &kernel.pages.ranges[page->range];

	return range->first + (uint64_t)(page - range->pages);
}

/* A counter that one CPU at a time writes and any may read. */
static void add_count(_Atomic uint64_t *counter, uint64_t change)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + change, memory_order_relaxed);
}

paddr_t page_to_phys(const struct page *page)
{
	return frame_of(page) << PAGE_SHIFT;
}

struct page *page_from_phys(paddr_t addr)
{
	const struct page_allocator *all = &kernel.pages;
	uint64_t frame = addr >> PAGE_SHIFT;

	for (unsigned i = 0; i < all->range_count; i++) {
		const struct page_range *range = &all->ranges[i];

		if (frame - range->first < range->count) {
			struct page *page = &range->pages[frame - range->first];

			return page_state(page) == PAGE_ABSENT ? NULL : page;
		}
	}
	return NULL;
}

struct page *page_from_virt(const void *addr)
{
	if ((uintptr_t)addr < HAL_DIRECT_MAP_BASE)
		return NULL;
	return page_from_phys(hal_virt_to_phys(addr));
}

/* ---- The buddy lists; the lock is held ---- */

static void add_free_locked(struct page *page, unsigned order)
{
	page->order = (uint8_t)order;
	set_state(page, PAGE_FREE);
	list_add_first(&kernel.pages.free[order], &page->link);
	add_count(&kernel.pages.free_count, 1ull << order);
}

static void remove_free_locked(struct page *page)
{
	list_remove(&page->link);
	add_count(&kernel.pages.free_count, 0 - (1ull << page->order));
}

/* The struct page of the buddy of a block, if its frame is in the same range. */
static struct page *find_buddy(struct page *page, unsigned order)
{
	const struct page_range *range = &kernel.pages.ranges[page->range];
	uint64_t index = (frame_of(page) ^ (1ull << order)) - range->first;

	return index < range->count ? &range->pages[index] : NULL;
}

static void free_block_locked(struct page *page, unsigned order)
{
	while (order < PAGE_ORDER_MAX) {
		struct page *buddy = find_buddy(page, order);

		if (!buddy || page_state(buddy) != PAGE_FREE || buddy->order != order)
			break;
		remove_free_locked(buddy);
		set_state(MAX(page, buddy), PAGE_INNER);
		page = MIN(page, buddy);
		order++;
	}
	add_free_locked(page, order);
}

/* A block in state `state`, or NULL. */
static struct page *alloc_block_locked(unsigned order, enum page_state state)
{
	struct page_allocator *all = &kernel.pages;
	unsigned from = order;
	struct page *page;

	while (from <= PAGE_ORDER_MAX && list_empty(&all->free[from]))
		from++;
	if (from > PAGE_ORDER_MAX)
		return NULL;
	page = LIST_FIRST(&all->free[from], struct page, link);
	remove_free_locked(page);
	while (from > order) {
		from--;
		add_free_locked(page + (1ull << from), from);
	}
	page->order = (uint8_t)order;
	set_state(page, state);
	return page;
}

/* ---- The caches of single pages ---- */

/* Moves up to a batch from the lists to this CPU's cache. */
static void refill_cache(void)
{
	struct page_allocator *all = &kernel.pages;
	struct page_cache *cache;
	uint32_t count;

	spin_lock(&all->lock);
	cache = &all->caches[hal_cpu_id()];
	count = cache->count;
	while (count < PAGE_CACHE_BATCH) {
		struct page *page = alloc_block_locked(0, PAGE_CACHED);

		if (!page)
			break;
		cache->pages[count++] = page;
	}
	cache->count = count;
	spin_unlock(&all->lock);
}

/* Moves what is above `keep` from this CPU's cache to the lists, the longest unused first. */
static void drain_cache(uint32_t keep)
{
	struct page_allocator *all = &kernel.pages;
	struct page_cache *cache;
	uint32_t count;

	spin_lock(&all->lock);
	cache = &all->caches[hal_cpu_id()];
	count = cache->count;
	if (count > keep) {
		for (uint32_t i = 0; i < count - keep; i++)
			free_block_locked(cache->pages[i], 0);
		memmove(cache->pages, cache->pages + (count - keep),
			keep * sizeof(cache->pages[0]));
		cache->count = keep;
	}
	spin_unlock(&all->lock);
}

static struct page *pop_cached(void)
{
	struct page_cache *cache = &kernel.pages.caches[hal_cpu_id()];
	uint32_t count = atomic_load_explicit(&cache->count, memory_order_relaxed);
	struct page *page;

	if (!count)
		return NULL;
	page = cache->pages[count - 1];
	atomic_store_explicit(&cache->count, count - 1, memory_order_relaxed);
	add_count(&cache->allocations, 1);
	set_state(page, PAGE_USED);
	return page;
}

static void push_cached(struct page *page)
{
	struct page_cache *cache = &kernel.pages.caches[hal_cpu_id()];
	uint32_t count = atomic_load_explicit(&cache->count, memory_order_relaxed);

	if (count == PAGE_CACHE_MAX) {
		drain_cache(PAGE_CACHE_MAX - PAGE_CACHE_BATCH);
		/* The lock's release may have let an interrupt in, but not moved this code. */
		cache = &kernel.pages.caches[hal_cpu_id()];
		count = atomic_load_explicit(&cache->count, memory_order_relaxed);
		ASSERT(count < PAGE_CACHE_MAX);
	}
	set_state(page, PAGE_CACHED);
	cache->pages[count] = page;
	atomic_store_explicit(&cache->count, count + 1, memory_order_relaxed);
}

/* ---- Allocation ---- */

static struct page *alloc_from_lists(unsigned order)
{
	struct page_allocator *all = &kernel.pages;
	struct page *page;

	spin_lock(&all->lock);
	page = alloc_block_locked(order, PAGE_USED);
	if (page)
		add_count(&all->allocations, 1);
	spin_unlock(&all->lock);
	return page;
}

struct page *page_alloc(unsigned order)
{
	struct page *page;

	ASSERT(order <= PAGE_ORDER_MAX);
	if (order == 0) {
		page = pop_cached();
		if (!page) {
			refill_cache();
			page = pop_cached();
		}
	} else {
		page = alloc_from_lists(order);
		if (!page) {
			drain_cache(0);
			page = alloc_from_lists(order);
		}
	}
	if (!page) {
		atomic_fetch_add_explicit(&kernel.pages.failures, 1, memory_order_relaxed);
		return NULL;
	}
	page->flags = 0;
	page->owner = NULL;
	list_init(&page->link);
	atomic_store_explicit(&page->refs, 1, memory_order_relaxed);
	return page;
}

struct page *page_alloc_zeroed(unsigned order)
{
	struct page *page = page_alloc(order);

	if (page)
		memset(page_to_virt(page), 0, PAGE_SIZE << order);
	return page;
}

/* Panics unless `page` is the first of a used block of this order. */
static void check_used(const char *who, const struct page *page, unsigned order)
{
	enum page_state state;

	if (!page)
		panic("%s: no such page", who);
	state = page_state(page);
	if (state != PAGE_USED && state != PAGE_SLAB)
		panic("%s: page %lx is %s, not allocated (freed twice?)", who,
		      (unsigned long)page_to_phys(page),
		      state < PAGE_STATES ? state_names[state] : "broken");
	if (page->order != order)
		panic("%s: page %lx has order %u, not %u", who, (unsigned long)page_to_phys(page),
		      (unsigned)page->order, order);
}

void page_free(struct page *page, unsigned order)
{
	check_used("page_free", page, order);
	page->owner = NULL;
	if (order == 0) {
		push_cached(page);
		return;
	}
	spin_lock(&kernel.pages.lock);
	free_block_locked(page, order);
	spin_unlock(&kernel.pages.lock);
}

void page_split(struct page *page, unsigned order)
{
	check_used("page_split", page, order);
	spin_lock(&kernel.pages.lock);
	page->order = 0;
	for (size_t i = 1; i < (size_t)1 << order; i++) {
		page[i].order = 0;
		page[i].flags = 0;
		page[i].owner = NULL;
		list_init(&page[i].link);
		atomic_store_explicit(&page[i].refs, 1, memory_order_relaxed);
		set_state(&page[i], PAGE_USED);
	}
	spin_unlock(&kernel.pages.lock);
}

struct page *page_get(struct page *page)
{
	if (atomic_fetch_add_explicit(&page->refs, 1, memory_order_relaxed) == 0 ||
	    page_state(page) != PAGE_USED)
		panic("page_get: page %lx is not in use", (unsigned long)page_to_phys(page));
	return page;
}

void page_put(struct page *page)
{
	uint32_t refs;

	check_used("page_put", page, 0);
	/* The last one out sees what all others wrote into the page. */
	refs = atomic_fetch_sub_explicit(&page->refs, 1, memory_order_acq_rel);
	if (refs == 0)
		panic("page_put: page %lx has no references", (unsigned long)page_to_phys(page));
	if (refs == 1)
		page_free(page, 0);
}

int up_page_alloc(paddr_t *phys)
{
	struct page *page = page_alloc_zeroed(0);

	if (!page)
		return -ENOMEM;
	*phys = page_to_phys(page);
	return 0;
}

void up_page_free(paddr_t phys)
{
	page_free(page_from_phys(phys), 0);
}

/* ---- Boot ---- */

/* The struct pages of a range, all INNER; frame 0 is ABSENT. */
static void init_range(struct page_range *range, uint64_t first, uint64_t count, void *pages)
{
	range->first = first;
	range->count = count;
	range->pages = pages;
	memset(pages, 0, count * sizeof(struct page));
	for (uint64_t i = 0; i < count; i++) {
		range->pages[i].range = (uint8_t)(range - kernel.pages.ranges);
		set_state(&range->pages[i], first + i ? PAGE_INNER : PAGE_ABSENT);
	}
}

/* Frees frames [first, end) of a range in the largest blocks that alignment allows. */
static void free_frames_locked(struct page_range *range, uint64_t first, uint64_t end)
{
	while (first < end) {
		unsigned order = 0;

		while (order < PAGE_ORDER_MAX && !(first & (1ull << order)) &&
		       first + (2ull << order) <= end)
			order++;
		free_block_locked(&range->pages[first - range->first], order);
		first += 1ull << order;
	}
}

static void add_ram(const struct hal_range *ram)
{
	struct page_allocator *all = &kernel.pages;
	struct page_range *range = &all->ranges[all->range_count];
	uint64_t first = ALIGN_UP(ram->base, PAGE_SIZE) >> PAGE_SHIFT;
	uint64_t end = (ram->base + ram->bytes) >> PAGE_SHIFT;
	uint64_t usable, own;

	usable = MAX(first, 1ull); /* frame 0 is nobody's */
	if (end <= usable)
		return;
	own = ALIGN_UP((end - first) * sizeof(struct page), PAGE_SIZE) >> PAGE_SHIFT;
	if (end - usable <= own)
		return;
	init_range(range, first, end - first, hal_phys_to_virt(usable << PAGE_SHIFT));
	for (uint64_t frame = usable; frame < usable + own; frame++)
		set_state(&range->pages[frame - first], PAGE_ABSENT);
	all->range_count++;
	all->total += end - usable - own;
	spin_lock(&all->lock);
	free_frames_locked(range, usable + own, end);
	spin_unlock(&all->lock);
}

/* Whole pages of the initial image become used pages with a reference that is never dropped. An
 * image too large for one block of struct pages is not shared, but copied on demand. */
static void add_image(const struct hal_range *image)
{
	struct page_allocator *all = &kernel.pages;
	uint64_t first = ALIGN_UP(image->base, PAGE_SIZE) >> PAGE_SHIFT;
	uint64_t end = (image->base + image->bytes) >> PAGE_SHIFT;
	struct page_range *range = &all->ranges[all->range_count];
	struct page *table;
	unsigned order = 0;

	if (end <= first)
		return;
	while (order <= PAGE_ORDER_MAX && (PAGE_SIZE << order) < (end - first) * sizeof(*table))
		order++;
	table = order <= PAGE_ORDER_MAX ? page_alloc(order) : NULL;
	if (!table)
		return;
	init_range(range, first, end - first, page_to_virt(table));
	for (uint64_t i = 0; i < range->count; i++) {
		set_state(&range->pages[i], PAGE_USED);
		list_init(&range->pages[i].link);
		atomic_store_explicit(&range->pages[i].refs, 1, memory_order_relaxed);
	}
	all->range_count++;
}

int page_init(void)
{
	const struct hal_boot *boot = hal_boot_info();
	struct page_allocator *all = &kernel.pages;

	spinlock_init(&all->lock, LOCK_RANK_PAGE, "pages");
	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
		list_init(&all->free[order]);
	for (unsigned i = 0; i < boot->ram_count && i < HAL_RAM_RANGES_MAX; i++)
		add_ram(&boot->ram[i]);
	if (all->total < PAGE_INIT_MIN)
		return -ENOMEM;
	add_image(&boot->initrd);
	return 0;
}

/* ---- Looking ---- */

void page_stats(struct page_stats *stats)
{
	struct page_allocator *all = &kernel.pages;

	memset(stats, 0, sizeof(*stats));
	stats->total = all->total;
	stats->allocations = atomic_load_explicit(&all->allocations, memory_order_relaxed);
	stats->failures = atomic_load_explicit(&all->failures, memory_order_relaxed);
	for (unsigned i = 0; i < HAL_CPUS_MAX; i++) {
		struct page_cache *cache = &all->caches[i];

		stats->cached += atomic_load_explicit(&cache->count, memory_order_relaxed);
		stats->allocations +=
			atomic_load_explicit(&cache->allocations, memory_order_relaxed);
	}
	stats->free = atomic_load_explicit(&all->free_count, memory_order_relaxed) + stats->cached;
}

bool page_is_scarce(void)
{
	const struct page_allocator *all = &kernel.pages;

	return atomic_load_explicit(&all->free_count, memory_order_relaxed) < all->total / 16;
}

/* One block at `index` of a range; the pages it has. Invariants 1, 3 and 5. */
static uint64_t check_block_locked(const struct page_range *range, uint64_t index)
{
	struct page *page = &range->pages[index], *buddy;
	uint64_t pages = 1ull << page->order;

	ASSERT(page_state(page) != PAGE_INNER && page_state(page) < PAGE_STATES);
	if (page_state(page) == PAGE_ABSENT)
		return 1;
	ASSERT(page->order <= PAGE_ORDER_MAX && index + pages <= range->count);
	ASSERT(((range->first + index) & (pages - 1)) == 0 && range->first + index != 0);
	for (uint64_t i = 1; i < pages; i++)
		ASSERT(page_state(&page[i]) == PAGE_INNER);
	if (page_state(page) == PAGE_FREE && page->order < PAGE_ORDER_MAX) {
		buddy = find_buddy(page, page->order);
		ASSERT(!buddy || page_state(buddy) != PAGE_FREE || buddy->order != page->order);
	}
	return pages;
}

void page_check(void)
{
	struct page_allocator *all = &kernel.pages;
	uint64_t listed = 0, walked = 0;
	struct page *page;

	spin_lock(&all->lock);
	for (unsigned i = 0; i < all->range_count; i++) {
		const struct page_range *range = &all->ranges[i];

		for (uint64_t index = 0; index < range->count;) {
			page = &range->pages[index];
			if (page_state(page) == PAGE_FREE)
				walked += 1ull << page->order;
			index += check_block_locked(range, index);
		}
	}
	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
		LIST_FOR_EACH(page, &all->free[order], link) {
			ASSERT(page_state(page) == PAGE_FREE && page->order == order);
			listed += 1ull << order;
		}
	}
	ASSERT(listed == walked && listed == all->free_count);
	spin_unlock(&all->lock);
}
