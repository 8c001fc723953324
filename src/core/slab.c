/*
 * Small kernel objects.
 *
 * A slab is a block of pages that begins with struct slab, a byte of state for each object, and
 * then the objects. Blocks are naturally aligned, so the slab of an object is found by rounding
 * its address down. Each CPU has a magazine of objects in each cache, from which it allocates and
 * to which it frees without a lock (kernel code is interrupted only where it enables interrupts:
 * rule 3 of the HAL contract); an empty or full magazine is half filled or emptied under the
 * cache's lock. A cache keeps one empty slab and gives others back to the page allocator.
 *
 *   IN_SLAB --fill_magazine--> IN_MAGAZINE --slab_alloc--> LIVE
 *   LIVE --slab_free--> IN_MAGAZINE --empty_magazine--> IN_SLAB
 *
 * An object that is freed must be LIVE, which is how a double free is found on any CPU. With
 * SLAB_DEBUG what follows an object is a red zone that slab_free looks at, and a free object is
 * filled with SLAB_POISON that slab_alloc looks at.
 *
 * Invariants (slab_check() walks them):
 *   1. `used` of a slab is the number of its objects that are not IN_SLAB.
 *   2. A slab with used < per_slab is in `partial`, else in `full`; `empty` counts used == 0.
 *   3. Below `hint` no object of a slab is IN_SLAB.
 *   4. Every page of a slab has the slab as its owner; the first one is PAGE_SLAB.
 */
#include "core/slab_priv.h"

#include "core/asan.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/state.h"

static const uint16_t ladder_bytes[KMALLOC_STEPS] = {16,  32,  48,  64,	 96,   128,  192,
						     256, 384, 512, 768, 1024, 1536, 2048};
static const char *const ladder_names[KMALLOC_STEPS] = {
	"kmalloc-16",  "kmalloc-32",  "kmalloc-48",  "kmalloc-64",  "kmalloc-96",
	"kmalloc-128", "kmalloc-192", "kmalloc-256", "kmalloc-384", "kmalloc-512",
	"kmalloc-768", "kmalloc-1024", "kmalloc-1536", "kmalloc-2048"};

static void add_count(_Atomic uint64_t *counter)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

static void *object_at(const struct slab *slab, uint32_t index)
{
	return (char *)slab + slab->cache->first + (size_t)index * slab->cache->stride;
}

/* Only for an object of this cache. */
static struct slab *slab_of(const struct slab_cache *cache, const void *object)
{
	return (struct slab *)ALIGN_DOWN((uintptr_t)object, PAGE_SIZE << cache->order);
}

static uint32_t index_of(const struct slab *slab, const void *object)
{
	const struct slab_cache *cache = slab->cache;
	uint32_t offset = (uint32_t)((uintptr_t)object - (uintptr_t)slab) - cache->first;

	return (uint32_t)((uint64_t)offset * cache->reciprocal >> 32);
}

static enum slab_object get_state(const struct slab *slab, uint32_t index)
{
	return (enum slab_object)atomic_load_explicit(&slab->states[index], memory_order_relaxed);
}

static void set_state(struct slab *slab, uint32_t index, enum slab_object state)
{
	atomic_store_explicit(&slab->states[index], (uint8_t)state, memory_order_relaxed);
}

/* Whether all bytes are `value`. */
static bool is_filled(const void *memory, int value, size_t bytes)
{
	const uint64_t words = 0x0101010101010101ull * (unsigned)value;
	const unsigned char *byte = memory;
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof(word) <= bytes; i += sizeof(word)) {
		memcpy(&word, byte + i, sizeof(word));
		if (word != words)
			return false;
	}
	while (i < bytes && byte[i] == value)
		i++;
	return i == bytes;
}

/* ---- Slabs; the cache's lock is held ---- */

static struct slab *create_slab_locked(struct slab_cache *cache)
{
	struct page *page = page_alloc(cache->order);
	struct slab *slab;

	if (!page)
		return NULL;
	slab = page_to_virt(page);
	for (size_t i = 0; i < (size_t)1 << cache->order; i++)
		page[i].owner = slab;
	atomic_store_explicit(&page->state, PAGE_SLAB, memory_order_relaxed);
	slab->cache = cache;
	slab->used = 0;
	slab->hint = 0;
	for (uint32_t i = 0; i < cache->per_slab; i++) {
		set_state(slab, i, SLAB_IN_SLAB);
		if (SLAB_DEBUG)
			memset(object_at(slab, i), SLAB_POISON, cache->bytes);
	}
	asan_poison(object_at(slab, 0), (size_t)cache->per_slab * cache->stride);
	list_add_first(&cache->partial, &slab->link);
	cache->empty++;
	cache->slabs++;
	return slab;
}

static void destroy_slab_locked(struct slab *slab)
{
	struct slab_cache *cache = slab->cache;
	struct page *page = page_from_virt(slab);

	list_remove(&slab->link);
	cache->empty--;
	cache->slabs--;
	asan_unpoison(slab, PAGE_SIZE << cache->order);
	for (size_t i = 0; i < (size_t)1 << cache->order; i++)
		page[i].owner = NULL;
	page_free(page, cache->order);
}

/* An object becomes IN_MAGAZINE, or NULL without memory. */
static void *take_object_locked(struct slab_cache *cache)
{
	struct slab *slab = LIST_FIRST(&cache->partial, struct slab, link);
	uint32_t index;

	if (!slab)
		slab = create_slab_locked(cache);
	if (!slab)
		return NULL;
	index = slab->hint;
	while (get_state(slab, index) != SLAB_IN_SLAB)
		index++;
	set_state(slab, index, SLAB_IN_MAGAZINE);
	slab->hint = index + 1;
	if (slab->used++ == 0)
		cache->empty--;
	if (slab->used == cache->per_slab) {
		list_remove(&slab->link);
		list_add_first(&cache->full, &slab->link);
	}
	return object_at(slab, index);
}

/* An object that is IN_MAGAZINE goes back into its slab. */
static void return_object_locked(struct slab_cache *cache, void *object)
{
	struct slab *slab = slab_of(cache, object);
	uint32_t index = index_of(slab, object);

	ASSERT(get_state(slab, index) == SLAB_IN_MAGAZINE);
	set_state(slab, index, SLAB_IN_SLAB);
	slab->hint = MIN(slab->hint, index);
	if (slab->used-- == cache->per_slab) {
		list_remove(&slab->link);
		list_add_first(&cache->partial, &slab->link);
	}
	if (slab->used)
		return;
	cache->empty++;
	if (cache->empty > 1)
		destroy_slab_locked(slab);
}

/* ---- Magazines ---- */

static void fill_magazine(struct slab_cache *cache)
{
	struct slab_magazine *magazine;
	void *object;

	spin_lock(&cache->lock);
	magazine = &cache->magazines[hal_cpu_id()];
	while (magazine->count < cache->magazine_max / 2) {
		object = take_object_locked(cache);
		if (!object)
			break;
		magazine->objects[magazine->count++] = object;
	}
	spin_unlock(&cache->lock);
}

/* Leaves `keep` objects, those that were freed last. */
static void empty_magazine(struct slab_cache *cache, unsigned cpu, uint32_t keep)
{
	struct slab_magazine *magazine = &cache->magazines[cpu];
	uint32_t gone;

	spin_lock(&cache->lock);
	gone = magazine->count > keep ? magazine->count - keep : 0;
	for (uint32_t i = 0; i < gone; i++)
		return_object_locked(cache, magazine->objects[i]);
	memmove(magazine->objects, magazine->objects + gone,
		(magazine->count - gone) * sizeof(magazine->objects[0]));
	magazine->count -= gone;
	spin_unlock(&cache->lock);
}

/* The red zone, and the poison where the object is free, must be as they were left. */
static void check_object(const struct slab_cache *cache, const char *object, bool freed)
{
	if (freed && !is_filled(object, SLAB_POISON, cache->bytes))
		panic("slab: free object %p of cache %s was written to", (const void *)object,
		      cache->name);
	if (!freed && !is_filled(object + cache->bytes, SLAB_RED, SLAB_RED_BYTES))
		panic("slab: object %p of cache %s was written behind its end",
		      (const void *)object, cache->name);
}

void *slab_alloc(struct slab_cache *cache)
{
	struct slab_magazine *magazine = &cache->magazines[hal_cpu_id()];
	struct slab *slab;
	char *object;

	if (!magazine->count) {
		fill_magazine(cache);
		magazine = &cache->magazines[hal_cpu_id()];
		if (!magazine->count)
			return NULL;
	}
	object = magazine->objects[--magazine->count];
	add_count(&magazine->allocated);
	slab = slab_of(cache, object);
	set_state(slab, index_of(slab, object), SLAB_LIVE);
	asan_unpoison(object, cache->bytes + SLAB_RED_BYTES);
	if (SLAB_DEBUG) {
		check_object(cache, object, true);
		memset(object + cache->bytes, SLAB_RED, SLAB_RED_BYTES);
		asan_poison(object + cache->bytes, SLAB_RED_BYTES);
	}
	return memset(object, 0, cache->bytes);
}

/* The slab that owns `memory`, or NULL. Panics where `memory` lies in a slab, but at no object. */
static struct slab *find_slab(const void *memory)
{
	struct page *page = page_from_virt(memory);
	struct slab *slab = page ? page->owner : NULL;
	struct page *head;
	uint32_t index;

	if (!slab || (page_state(page) != PAGE_SLAB && page_state(page) != PAGE_INNER))
		return NULL;
	head = page_from_virt(slab);
	if (!head || page_state(head) != PAGE_SLAB || head->owner != slab)
		return NULL;
	index = (uintptr_t)memory < (uintptr_t)object_at(slab, 0) ? UINT32_MAX
								  : index_of(slab, memory);
	if (index >= slab->cache->per_slab || object_at(slab, index) != memory)
		panic("slab: free of %p, which is no object of cache %s", memory,
		      slab->cache->name);
	return slab;
}

static void free_object(struct slab *slab, void *object)
{
	struct slab_cache *cache = slab->cache;
	uint32_t index = index_of(slab, object);
	struct slab_magazine *magazine;

	if (get_state(slab, index) != SLAB_LIVE)
		panic("slab: double free of %p in cache %s", object, cache->name);
	if (SLAB_DEBUG) {
		asan_unpoison((char *)object + cache->bytes, SLAB_RED_BYTES);
		check_object(cache, object, false);
		memset(object, SLAB_POISON, cache->bytes);
	}
	asan_poison(object, cache->stride);
	set_state(slab, index, SLAB_IN_MAGAZINE);
	magazine = &cache->magazines[hal_cpu_id()];
	if (magazine->count == cache->magazine_max) {
		empty_magazine(cache, hal_cpu_id(), cache->magazine_max / 2);
		magazine = &cache->magazines[hal_cpu_id()];
		ASSERT(magazine->count < cache->magazine_max);
	}
	magazine->objects[magazine->count++] = object;
	add_count(&magazine->freed);
}

void slab_free(struct slab_cache *cache, void *object)
{
	struct slab *slab = find_slab(object);

	if (!slab || slab->cache != cache)
		panic("slab: free of %p, which is not of cache %s", object, cache->name);
	free_object(slab, object);
}

/* ---- Caches ---- */

/* The number of objects that a slab of `cache` holds; sets `first`. */
static uint32_t fit_objects(struct slab_cache *cache, size_t align)
{
	size_t slab_bytes = PAGE_SIZE << cache->order;
	uint32_t count = (uint32_t)((slab_bytes - sizeof(struct slab)) / (cache->stride + 1));

	for (;; count--) {
		cache->first = (uint32_t)ALIGN_UP(sizeof(struct slab) + count, align);
		if (cache->first + (size_t)count * cache->stride <= slab_bytes)
			return count;
	}
}

static void init_cache(struct slab_cache *cache, const char *name, size_t bytes, size_t align)
{
	align = MAX(align, (size_t)16);
	cache->name = name;
	cache->bytes = (uint32_t)bytes;
	cache->stride = (uint32_t)ALIGN_UP(bytes + SLAB_RED_BYTES, align);
	cache->reciprocal = (uint32_t)(((1ull << 32) + cache->stride - 1) / cache->stride);
	cache->per_slab = fit_objects(cache, align);
	while (cache->per_slab < SLAB_OBJECTS_MIN && cache->order < SLAB_ORDER_MAX) {
		cache->order++;
		cache->per_slab = fit_objects(cache, align);
	}
	cache->magazine_max = bytes <= 512 ? SLAB_MAGAZINE_MAX : SLAB_MAGAZINE_MAX / 4;
	spinlock_init(&cache->lock, LOCK_RANK_SLAB, name);
	list_init(&cache->partial);
	list_init(&cache->full);
	spin_lock(&kernel.slabs.lock);
	list_add_last(&kernel.slabs.caches, &cache->link);
	spin_unlock(&kernel.slabs.lock);
}

static size_t cache_bytes(void)
{
	return sizeof(struct slab_cache) + hal_cpu_count() * sizeof(struct slab_magazine);
}

struct slab_cache *slab_cache_create(const char *name, size_t bytes, size_t align)
{
	struct page *page;
	unsigned order = 0;

	ASSERT(bytes > 0 && bytes <= SLAB_BYTES_MAX);
	ASSERT(align <= PAGE_SIZE && (align & (align - 1)) == 0);
	while ((PAGE_SIZE << order) < cache_bytes())
		order++;
	page = page_alloc_zeroed(order);
	if (!page)
		return NULL;
	init_cache(page_to_virt(page), name, bytes, align);
	return page_to_virt(page);
}

void slab_cache_destroy(struct slab_cache *cache)
{
	struct slab *slab, *after;
	struct page *page = page_from_virt(cache);

	for (unsigned cpu = 0; cpu < hal_cpu_count(); cpu++)
		empty_magazine(cache, cpu, 0);
	spin_lock(&cache->lock);
	LIST_FOR_EACH_SAFE(slab, after, &cache->partial, link)
		if (!slab->used)
			destroy_slab_locked(slab);
	spin_unlock(&cache->lock);
	if (cache->slabs)
		panic("slab: cache %s is destroyed with objects in use", cache->name);
	spin_lock(&kernel.slabs.lock);
	list_remove(&cache->link);
	spin_unlock(&kernel.slabs.lock);
	page_free(page, page->order);
}

void slab_init(void)
{
	struct slab_allocator *all = &kernel.slabs;
	size_t bytes = ALIGN_UP(cache_bytes(), (size_t)64);
	unsigned order = 0, step = 0;
	struct page *page;
	char *room;

	spinlock_init(&all->lock, LOCK_RANK_OBJECT, "slab caches");
	list_init(&all->caches);
	while ((PAGE_SIZE << order) < bytes * KMALLOC_STEPS)
		order++;
	page = page_alloc_zeroed(order);
	if (!page)
		panic("slab: no memory for the first caches");
	room = page_to_virt(page);
	for (unsigned i = 0; i < KMALLOC_STEPS; i++) {
		all->ladder[i] = (struct slab_cache *)(room + i * bytes);
		init_cache(all->ladder[i], ladder_names[i], ladder_bytes[i], 16);
	}
	for (unsigned i = 0; i < ARRAY_COUNT(all->step_of); i++) {
		if (i * 16 > ladder_bytes[step])
			step++;
		all->step_of[i] = (uint8_t)step;
	}
}

/* ---- kmalloc ---- */

void *kmalloc(size_t bytes)
{
	struct page *page;
	unsigned order = 0;

	if (bytes <= KMALLOC_SLAB_MAX)
		return slab_alloc(kernel.slabs.ladder[kernel.slabs.step_of[(bytes + 15) / 16]]);
	if (bytes > KMALLOC_MAX)
		return NULL;
	while ((PAGE_SIZE << order) < bytes)
		order++;
	page = page_alloc_zeroed(order);
	if (!page)
		return NULL;
	page->owner = &kernel.slabs;
	atomic_fetch_add_explicit(&kernel.slabs.large, 1, memory_order_relaxed);
	return page_to_virt(page);
}

void kfree(void *memory)
{
	struct slab *slab;
	struct page *page;

	if (!memory)
		return;
	page = page_from_virt(memory);
	if (page && page->owner == &kernel.slabs && page_to_virt(page) == memory) {
		atomic_fetch_sub_explicit(&kernel.slabs.large, 1, memory_order_relaxed);
		page_free(page, page->order);
		return;
	}
	slab = find_slab(memory);
	if (!slab)
		panic("kfree: %p is no memory of kmalloc (freed twice?)", memory);
	free_object(slab, memory);
}

/* ---- Looking ---- */

uint64_t slab_live(void)
{
	uint64_t live = atomic_load_explicit(&kernel.slabs.large, memory_order_relaxed);
	struct slab_cache *cache;

	spin_lock(&kernel.slabs.lock);
	LIST_FOR_EACH(cache, &kernel.slabs.caches, link) {
		for (unsigned cpu = 0; cpu < hal_cpu_count(); cpu++) {
			struct slab_magazine *magazine = &cache->magazines[cpu];

			live += atomic_load_explicit(&magazine->allocated, memory_order_relaxed);
			live -= atomic_load_explicit(&magazine->freed, memory_order_relaxed);
		}
	}
	spin_unlock(&kernel.slabs.lock);
	return live;
}

static void check_slab_locked(const struct slab_cache *cache, const struct slab *slab)
{
	const struct page *page = page_from_virt(slab);
	uint32_t used = 0;

	ASSERT(slab->cache == cache && page_state(page) == PAGE_SLAB);
	ASSERT(page->order == cache->order);
	for (size_t i = 0; i < (size_t)1 << cache->order; i++)
		ASSERT(page[i].owner == slab);
	for (uint32_t i = 0; i < cache->per_slab; i++) {
		enum slab_object state = get_state(slab, i);

		ASSERT(state >= SLAB_IN_SLAB && state <= SLAB_LIVE);
		ASSERT(state != SLAB_IN_SLAB || i >= slab->hint);
		used += state != SLAB_IN_SLAB;
	}
	ASSERT(used == slab->used);
}

static void check_cache(struct slab_cache *cache)
{
	const struct slab *slab;
	uint64_t slabs = 0;
	uint32_t empty = 0;

	spin_lock(&cache->lock);
	LIST_FOR_EACH(slab, &cache->partial, link) {
		check_slab_locked(cache, slab);
		ASSERT(slab->used < cache->per_slab);
		empty += slab->used == 0;
		slabs++;
	}
	LIST_FOR_EACH(slab, &cache->full, link) {
		check_slab_locked(cache, slab);
		ASSERT(slab->used == cache->per_slab);
		slabs++;
	}
	ASSERT(empty == cache->empty && slabs == cache->slabs);
	spin_unlock(&cache->lock);
}

void slab_check(void)
{
	struct slab_cache *cache;

	spin_lock(&kernel.slabs.lock);
	LIST_FOR_EACH(cache, &kernel.slabs.caches, link)
		check_cache(cache);
	spin_unlock(&kernel.slabs.lock);
}
