/*
 * Address spaces: creation, copying, and what changes their regions. Faults are in fault.c, copies
 * from and to user memory in copy.c, the tree of regions in region.c; space_priv.h has the lock
 * protocol and the invariants.
 *
 * A change is made in this order: check and allocate; change the regions; take the pages out of
 * hal_mmu; drop the pages; let go of the lock; drop the objects. New mappings are never entered
 * here: faults do that.
 */
#include "core/slab.h"
#include "core/space_priv.h"
#include "core/state.h"

#define PROT_ALL (HAL_PROT_READ | HAL_PROT_WRITE | HAL_PROT_EXEC)
#define MAP_FLAGS (SPACE_PRIVATE | SPACE_GROWS_DOWN | SPACE_FIXED | SPACE_NO_REPLACE)
#define REGION_FLAGS (SPACE_PRIVATE | SPACE_GROWS_DOWN)

/* Drops regions that were removed; no lock is held. */
static void free_regions(struct list *regions)
{
	struct region *region, *after;

	LIST_FOR_EACH_SAFE(region, after, regions, link) {
		list_remove(&region->link);
		memory_put(region->memory);
		kfree(region);
	}
}

/* Moves all regions to `removed`. */
static void remove_all_locked(struct space *space, struct list *removed)
{
	struct region *region;

	while ((region = region_find_from(space, 0))) {
		region_remove(space, region);
		list_add_last(removed, &region->link);
	}
}

static void destroy_space(struct object *object)
{
	struct space *space = CONTAINER_OF(object, struct space, object);
	struct list removed = LIST_INIT(removed);

	hal_mmu_fini(&space->mmu);
	remove_all_locked(space, &removed);
	free_regions(&removed);
	page_tree_clear(&space->anon);
	kfree(space);
}

void space_init(void)
{
	kernel.space.type = (struct object_type){.name = "space", .destroy = destroy_space};
	kernel.space.forget_every = options_get_u64("forget", 0);
}

int space_create(struct space **space)
{
	struct space *fresh = kmalloc(sizeof(*fresh));
	int err;

	if (!fresh)
		return -ENOMEM;
	err = hal_mmu_init(&fresh->mmu);
	if (err) {
		kfree(fresh);
		return err;
	}
	object_init(&fresh->object, &kernel.space.type);
	spinlock_init(&fresh->lock, LOCK_RANK_SPACE, "address space");
	fresh->search_from = HAL_USER_MAX;
	*space = fresh;
	return 0;
}

struct space *space_get(struct space *space)
{
	object_get(&space->object);
	return space;
}

void space_put(struct space *space)
{
	if (space)
		object_put(&space->object);
}

struct hal_mmu *space_mmu(struct space *space)
{
	return &space->mmu;
}

/* ---- Checks of arguments ---- */

/* Whether [addr, addr + bytes) is page-aligned, not empty, and user memory. */
static bool is_user_range(vaddr_t addr, uint64_t bytes)
{
	return !((addr | bytes) & (PAGE_SIZE - 1)) && bytes && addr >= HAL_USER_MIN &&
	       addr <= HAL_USER_MAX && bytes <= HAL_USER_MAX - addr;
}

/* Rounds up to pages; 0 where that is not possible. */
static uint64_t round_bytes(uint64_t bytes)
{
	return bytes <= HAL_USER_MAX ? ALIGN_UP(bytes, PAGE_SIZE) : 0;
}

/* Whether a region over `memory` may have these rights. */
static bool may_protect(const struct memory *memory, unsigned flags, unsigned prot)
{
	return !memory || flags & SPACE_PRIVATE || !(prot & HAL_PROT_WRITE) ||
	       !memory->pager->read_only;
}

static int check_map(const struct space_map *map)
{
	if (!round_bytes(map->bytes) || map->prot & ~PROT_ALL || map->flags & ~MAP_FLAGS)
		return -EINVAL;
	if (map->offset & (PAGE_SIZE - 1) || map->offset > MEMORY_BYTES_MAX)
		return -EINVAL;
	if (map->flags & SPACE_GROWS_DOWN && (map->memory || !(map->flags & SPACE_PRIVATE)))
		return -EINVAL;
	if (map->flags & SPACE_FIXED && !is_user_range(map->addr, round_bytes(map->bytes)))
		return -EINVAL;
	return may_protect(map->memory, map->flags, map->prot) ? 0 : -EACCES;
}

/* ---- Changes ---- */

/* Removes what is mapped in the range. On failure nothing has changed. */
static int unmap_locked(struct space *space, vaddr_t start, vaddr_t end, struct list *removed)
{
	struct region *region, *next;
	int err = region_split(space, start);

	if (!err)
		err = region_split(space, end);
	region = region_find_from(space, start);
	if (err) {
		if (region && region->start == start)
			region_join(space, region);
		return err;
	}
	for (; region && region->start < end; region = next) {
		next = region_next(region);
		region_remove(space, region);
		list_add_last(removed, &region->link);
		hal_mmu_unmap(&space->mmu, region->start,
			      (region->end - region->start) >> PAGE_SHIFT);
	}
	page_tree_drop(&space->anon, start >> PAGE_SHIFT, end >> PAGE_SHIFT);
	return 0;
}

/* Finds or makes the place that `map` asks for. */
static int make_room_locked(struct space *space, const struct space_map *map,
			    struct region *region, struct list *removed)
{
	uint64_t bytes = round_bytes(map->bytes);
	vaddr_t hint = ALIGN_DOWN(map->addr, PAGE_SIZE);
	struct region *there;
	int err = 0;

	if (space->region_count >= SPACE_REGIONS_MAX)
		return -ENOMEM;
	if (map->flags & SPACE_FIXED) {
		there = region_find_from(space, map->addr);
		region->start = map->addr;
		if (there && there->start < map->addr + bytes)
			err = map->flags & SPACE_NO_REPLACE
				      ? -EEXIST
				      : unmap_locked(space, map->addr, map->addr + bytes, removed);
	} else if (hint && is_user_range(hint, bytes) &&
		   region_is_free(space, hint, hint + bytes)) {
		region->start = hint;
	} else {
		err = region_find_room(space, bytes, &region->start);
	}
	region->end = region->start + bytes;
	return err;
}

int space_map(struct space *space, const struct space_map *map, vaddr_t *addr)
{
	struct list removed = LIST_INIT(removed);
	struct region *region;
	int err = check_map(map);

	if (err)
		return err;
	region = kmalloc(sizeof(*region));
	if (!region)
		return -ENOMEM;
	region->prot = map->prot;
	region->flags = map->flags & REGION_FLAGS;
	region->name = map->name;
	region->offset = map->memory ? map->offset : 0;
	if (map->memory)
		region->memory = memory_get(map->memory);
	else if (!(map->flags & SPACE_PRIVATE))
		err = memory_create_anonymous(map->bytes, &region->memory);
	if (!err) {
		spin_lock(&space->lock);
		err = make_room_locked(space, map, region, &removed);
		if (!err) {
			*addr = region->start;
			region_insert(space, region);
			region_join(space, region);
		}
		spin_unlock(&space->lock);
	}
	if (err) {
		memory_put(region->memory);
		kfree(region);
	}
	free_regions(&removed);
	return err;
}

int space_unmap(struct space *space, vaddr_t addr, uint64_t bytes)
{
	struct list removed = LIST_INIT(removed);
	int err;

	bytes = round_bytes(bytes);
	if (!is_user_range(addr, bytes))
		return -EINVAL;
	spin_lock(&space->lock);
	err = unmap_locked(space, addr, addr + bytes, &removed);
	spin_unlock(&space->lock);
	free_regions(&removed);
	return err;
}

/* -ENOMEM if the range has a hole, -EACCES if a region in it may not have these rights. */
static int check_protect_locked(struct space *space, vaddr_t start, vaddr_t end, unsigned prot)
{
	struct region *region = region_find_from(space, start);

	for (; start < end; start = region->end, region = region_next(region)) {
		if (!region || region->start > start)
			return -ENOMEM;
		if (!may_protect(region->memory, region->flags, prot))
			return -EACCES;
	}
	return 0;
}

/* Changes the rights of a whole region, and takes those away from hal_mmu that it loses. */
static void protect_region_locked(struct space *space, struct region *region, unsigned prot)
{
	size_t pages = (region->end - region->start) >> PAGE_SHIFT;
	unsigned before = region_rights(region);

	region->prot = prot;
	if (region_rights(region) == HAL_PROT_NONE)
		hal_mmu_unmap(&space->mmu, region->start, pages);
	else if (before & ~region_rights(region))
		hal_mmu_protect(&space->mmu, region->start, pages, region_rights(region));
}

static int protect_locked(struct space *space, vaddr_t start, vaddr_t end, unsigned prot)
{
	struct region *region;
	int err = check_protect_locked(space, start, end, prot);

	if (err)
		return err;
	err = region_split(space, start);
	if (!err)
		err = region_split(space, end);
	for (region = region_find_from(space, start); region && region->start < end;
	     region = region_next(region)) {
		if (!err && region->prot != prot)
			protect_region_locked(space, region, prot);
		region = region_join(space, region);
	}
	return err;
}

int space_protect(struct space *space, vaddr_t addr, uint64_t bytes, unsigned prot)
{
	int err;

	bytes = round_bytes(bytes);
	if (!is_user_range(addr, bytes) || prot & ~PROT_ALL)
		return -EINVAL;
	spin_lock(&space->lock);
	err = protect_locked(space, addr, addr + bytes, prot);
	spin_unlock(&space->lock);
	return err;
}

void space_clear(struct space *space)
{
	struct list removed = LIST_INIT(removed);
	struct page_tree pages;

	spin_lock(&space->lock);
	remove_all_locked(space, &removed);
	hal_mmu_unmap(&space->mmu, HAL_USER_MIN, (HAL_USER_MAX - HAL_USER_MIN) >> PAGE_SHIFT);
	pages = space->anon;
	space->anon = (struct page_tree){0};
	space->search_from = HAL_USER_MAX;
	spin_unlock(&space->lock);
	page_tree_clear(&pages);
	free_regions(&removed);
}

void space_forget(struct space *space)
{
	spin_lock(&space->lock);
	hal_mmu_unmap(&space->mmu, HAL_USER_MIN, (HAL_USER_MAX - HAL_USER_MIN) >> PAGE_SHIFT);
	spin_unlock(&space->lock);
}

/* ---- Copying ---- */

static int clone_region(const struct region *region, struct space *copy)
{
	struct region *twin = kmalloc(sizeof(*twin));

	if (!twin)
		return -ENOMEM;
	*twin = *region;
	if (twin->memory)
		memory_get(twin->memory);
	region_insert(copy, twin);
	return 0;
}

/* Both spaces share all private pages from here on, so nobody may write to them unasked. */
static int clone_locked(struct space *space, struct space *copy)
{
	struct region *region;
	int err;

	for (region = region_find_from(space, 0); region; region = region_next(region)) {
		err = clone_region(region, copy);
		if (err)
			return err;
	}
	copy->search_from = space->search_from;
	err = page_tree_clone(&space->anon, &copy->anon);
	if (err)
		return err;
	for (region = region_find_from(space, 0); region; region = region_next(region)) {
		uint64_t index = region->start >> PAGE_SHIFT;

		if (!(region->flags & SPACE_PRIVATE) || !(region->prot & HAL_PROT_WRITE) ||
		    !page_tree_next(&space->anon, &index) || index >= region->end >> PAGE_SHIFT)
			continue;
		hal_mmu_protect(&space->mmu, region->start,
				(region->end - region->start) >> PAGE_SHIFT,
				region_rights(region) & ~HAL_PROT_WRITE);
	}
	return 0;
}

int space_clone(struct space *space, struct space **copy)
{
	struct space *fresh;
	int err = space_create(&fresh);

	if (err)
		return err;
	spin_lock(&space->lock);
	err = clone_locked(space, fresh);
	spin_unlock(&space->lock);
	if (err)
		space_put(fresh);
	else
		*copy = fresh;
	return err;
}

/* ---- Looking ---- */

/* The pages of a region that are there, whoever has made them. */
static uint64_t count_resident_locked(struct space *space, const struct region *region)
{
	uint64_t first = region->start >> PAGE_SHIFT, end = region->end >> PAGE_SHIFT;
	uint64_t count = 0, index;

	if (region->flags & SPACE_PRIVATE)
		count = page_tree_count(&space->anon, first, end);
	if (!region->memory)
		return count;
	index = region_page_index(region, region->start);
	count += memory_count_pages(region->memory, index, index + (end - first));
	return MIN(count, end - first);
}

int space_region_next(struct space *space, vaddr_t addr, struct space_region_info *info)
{
	struct region *region;

	spin_lock(&space->lock);
	region = region_find_from(space, addr);
	if (region)
		*info = (struct space_region_info){
			.start = region->start,
			.end = region->end,
			.prot = region->prot,
			.flags = region->flags,
			.name = region->name,
			.offset = region->offset,
			.resident_pages = count_resident_locked(space, region),
		};
	spin_unlock(&space->lock);
	return region ? 0 : -ENOENT;
}

void space_stats(struct space *space, struct space_stats *stats)
{
	struct region *region;

	*stats = (struct space_stats){0};
	spin_lock(&space->lock);
	for (region = region_find_from(space, 0); region; region = region_next(region))
		stats->resident_pages += count_resident_locked(space, region);
	stats->mapped_bytes = space->mapped_bytes;
	stats->faults_minor = space->faults_minor;
	stats->faults_copy = space->faults_copy;
	stats->faults_refused = space->faults_refused;
	spin_unlock(&space->lock);
}
