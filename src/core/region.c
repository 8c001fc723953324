/*
 * The regions of an address space: a tree by start address. Guarded by the space's lock. See
 * space_priv.h for the invariants.
 */
#include "core/slab.h"
#include "core/space_priv.h"

static struct region *region_of(const struct rbtree_node *node)
{
	return node ? RBTREE_ENTRY(node, struct region, node) : NULL;
}

static bool starts_before(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return region_of(a)->start < region_of(b)->start;
}

/* An address belongs before or at each region that ends above it. */
static int compare_end(const void *key, const struct rbtree_node *node)
{
	return *(const vaddr_t *)key < region_of(node)->end ? -1 : 1;
}

struct region *region_find_from(struct space *space, vaddr_t addr)
{
	struct region *recent = space->recent;

	if (recent && addr >= recent->start && addr < recent->end)
		return recent;
	recent = region_of(rbtree_find_from(&space->regions, &addr, compare_end));
	if (recent)
		space->recent = recent;
	return recent;
}

struct region *region_next(const struct region *region)
{
	return region_of(rbtree_next(&region->node));
}

void region_insert(struct space *space, struct region *region)
{
	list_init(&region->link);
	rbtree_insert(&space->regions, &region->node, starts_before);
	space->region_count++;
	space->mapped_bytes += region->end - region->start;
}

void region_remove(struct space *space, struct region *region)
{
	space->recent = NULL;
	rbtree_erase(&space->regions, &region->node);
	space->region_count--;
	space->mapped_bytes -= region->end - region->start;
	space->search_from = MAX(space->search_from, region->end);
}

int region_split(struct space *space, vaddr_t addr)
{
	struct region *region = region_find_from(space, addr);
	struct region *upper;

	if (!region || region->start >= addr)
		return 0;
	if (space->region_count >= SPACE_REGIONS_MAX)
		return -ENOMEM;
	upper = kmalloc(sizeof(*upper));
	if (!upper)
		return -ENOMEM;
	*upper = *region;
	upper->start = addr;
	if (region->memory) {
		upper->offset += addr - region->start;
		memory_get(region->memory);
	}
	/* A stack that is cut grows at its lower part alone. */
	upper->flags &= ~SPACE_GROWS_DOWN;
	space->mapped_bytes -= region->end - addr;
	region->end = addr;
	region_insert(space, upper);
	return 0;
}

static bool region_joins(const struct region *low, const struct region *high)
{
	return low->end == high->start && low->prot == high->prot && low->name == high->name &&
	       low->memory == high->memory && low->flags == high->flags &&
	       !(low->flags & SPACE_GROWS_DOWN) &&
	       (!low->memory || low->offset + (low->end - low->start) == high->offset);
}

/* `high` becomes part of `low`. Its reference of the object is not the last one. */
static void absorb(struct space *space, struct region *low, struct region *high)
{
	vaddr_t end = high->end;

	region_remove(space, high);
	memory_put(high->memory);
	kfree(high);
	space->mapped_bytes += end - low->end;
	low->end = end;
}

struct region *region_join(struct space *space, struct region *region)
{
	struct region *low = region_of(rbtree_prev(&region->node));
	struct region *high;
	vaddr_t search_from = space->search_from;

	/* More than one: a protected range may end inside what is alike now. */
	while ((high = region_next(region)) && region_joins(region, high))
		absorb(space, region, high);
	if (low && region_joins(low, region)) {
		absorb(space, low, region);
		region = low;
	}
	space->search_from = search_from; /* nothing has become free */
	return region;
}

/* The lowest address that a region may come to need. */
static vaddr_t lowest_use(const struct region *region)
{
	vaddr_t lowest = region->start;

	if (!(region->flags & SPACE_GROWS_DOWN))
		return lowest;
	if (region->end - HAL_USER_MIN < SPACE_STACK_MAX + SPACE_STACK_GAP)
		return HAL_USER_MIN;
	return MIN(lowest, region->end - SPACE_STACK_MAX) - SPACE_STACK_GAP;
}

bool region_is_free(struct space *space, vaddr_t start, vaddr_t end)
{
	struct region *region = region_find_from(space, start);

	return !region || lowest_use(region) >= end;
}

/* Room that ends at `limit` or below it. */
static int find_room_below(struct space *space, uint64_t bytes, vaddr_t limit, vaddr_t *addr)
{
	struct region *region = region_find_from(space, limit);

	if (region)
		limit = MIN(limit, lowest_use(region));
	region = region_of(region ? rbtree_prev(&region->node) : rbtree_last(&space->regions));
	for (;;) {
		vaddr_t floor = region ? region->end : HAL_USER_MIN;

		if (floor <= limit && limit - floor >= bytes) {
			*addr = limit - bytes;
			return 0;
		}
		if (!region)
			return -ENOMEM;
		limit = MIN(limit, lowest_use(region));
		region = region_of(rbtree_prev(&region->node));
	}
}

int region_find_room(struct space *space, uint64_t bytes, vaddr_t *addr)
{
	int err = find_room_below(space, bytes, space->search_from, addr);

	if (err)
		err = find_room_below(space, bytes, HAL_USER_MAX, addr);
	if (!err)
		space->search_from = *addr;
	return err;
}

struct region *region_at(struct space *space, vaddr_t addr)
{
	struct region *region = region_find_from(space, addr), *below;
	vaddr_t floor;

	if (!region || addr >= region->start)
		return region;
	if (!(region->flags & SPACE_GROWS_DOWN))
		return NULL;
	floor = region->end - MIN(SPACE_STACK_MAX, region->end - HAL_USER_MIN);
	below = region_of(rbtree_prev(&region->node));
	if (below)
		floor = MAX(floor, below->end + SPACE_STACK_GAP);
	if (addr < floor)
		return NULL;
	/* By whole windows of fault-around, so that those below are not cut to one page. */
	addr = MAX(ALIGN_DOWN(addr, 16 * PAGE_SIZE), ALIGN_UP(floor, PAGE_SIZE));
	space->mapped_bytes += region->start - addr;
	region->start = addr;
	return region;
}

void region_check(struct space *space)
{
	const struct region *region, *next;
	uint64_t bytes = 0, pages = 0, index = 0;
	uint32_t count = 0;

	spin_lock(&space->lock);
	rbtree_check(&space->regions, starts_before);
	for (region = region_of(rbtree_first(&space->regions)); region; region = next) {
		next = region_next(region);
		ASSERT(region->start < region->end && region->end <= HAL_USER_MAX);
		ASSERT(region->start >= HAL_USER_MIN);
		ASSERT(!((region->start | region->end | region->offset) & (PAGE_SIZE - 1)));
		ASSERT(!next || region->end <= next->start);
		ASSERT(!next || !region_joins(region, next));
		ASSERT(region->memory || region->flags & SPACE_PRIVATE);
		bytes += region->end - region->start;
		count++;
		if (region->flags & SPACE_PRIVATE)
			pages += page_tree_count(&space->anon, region->start >> PAGE_SHIFT,
						 region->end >> PAGE_SHIFT);
	}
	ASSERT(bytes == space->mapped_bytes && count == space->region_count);
	ASSERT(pages == space->anon.count);
	for (; page_tree_next(&space->anon, &index); index++)
		ASSERT(page_refs(page_tree_find(&space->anon, index)) > 0);
	spin_unlock(&space->lock);
}
