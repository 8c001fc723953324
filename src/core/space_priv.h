/*
 * Address spaces inside: regions, the struct, and what space.c, region.c, fault.c and copy.c
 * share.
 *
 * Lock protocol. space->lock guards all of a space: its regions, its private pages and its
 * struct hal_mmu. hal_mmu_* is called with it held, so that the cache never shows what the truth
 * does not have. A page of a private region that is not in `anon` is the memory object's; one that
 * is there belongs to as many spaces as it has references, and only a space that holds the one
 * reference may write to it. What may block (a pager) is done without the lock: the fault keeps a
 * reference of the object and the page, takes the lock again and looks at the region anew.
 * References of objects are dropped without the lock, because the last one runs a destructor.
 * A page is dropped only after hal_mmu_unmap() or hal_mmu_map() have taken it from all CPUs.
 *
 * Invariants:
 *   1. Regions do not overlap, are not empty, and lie in [HAL_USER_MIN, HAL_USER_MAX).
 *   2. Each index in `anon` lies in a private region.
 *   3. A page is mapped writable in hal_mmu only in a writable region, and, where the region is
 *      private, only while `anon` holds its one reference.
 *   4. No two neighbours could be one region (all that region_joins() compares is equal).
 */
#ifndef CORE_SPACE_PRIV_H
#define CORE_SPACE_PRIV_H

#include "core/list.h"
#include "core/rbtree.h"
#include "core/space.h"

#define SPACE_STACK_MAX (8ull << 20) /* how large a region with SPACE_GROWS_DOWN becomes */
#define SPACE_STACK_GAP (1ull << 20) /* what stays free below it when it grows */

struct region {
	struct rbtree_node node; /* in space->regions, by start */
	struct list link;	 /* among regions that wait to be freed */
	vaddr_t start, end;
	unsigned prot, flags;	 /* HAL_PROT_*, SPACE_* */
	struct memory *memory;	 /* holds a reference. NULL: private zero pages */
	uint64_t offset;	 /* of `start` in memory; 0 without one */
	const char *name;
	vaddr_t fault_next;	 /* a fault here continues the sequence */
};

struct space {
	struct object object;
	struct spinlock lock;
	struct hal_mmu mmu;	  /* Guarded by lock, but for hal_user_run() */
	struct rbtree regions;	  /* Guarded by lock, as all below */
	struct region *recent;	  /* the one found last, or NULL */
	uint32_t region_count;
	struct page_tree anon;	  /* address >> PAGE_SHIFT -> page of this space's own */
	vaddr_t search_from;	  /* free room is looked for below it first */
	uint64_t mapped_bytes;
	uint64_t faults_minor, faults_copy, faults_refused;
};

struct space_state {
	struct object_type type;
	uint64_t forget_every; /* Set once. Option forget=N: each N-th fault drops the cache; 0 */
	_Atomic uint64_t faults;
};

/* What the region's user code may do: reading comes with every other right. */
static inline unsigned region_rights(const struct region *region)
{
	return region->prot ? region->prot | HAL_PROT_READ : HAL_PROT_NONE;
}

static inline uint64_t region_page_index(const struct region *region, vaddr_t addr)
{
	return (addr - region->start + region->offset) >> PAGE_SHIFT;
}

/* ---- region.c; all with space->lock held ---- */

/* The region with the lowest end above `addr`, or NULL. */
struct region *region_find_from(struct space *space, vaddr_t addr);
struct region *region_next(const struct region *region);

void region_insert(struct space *space, struct region *region);
void region_remove(struct space *space, struct region *region);

/* Makes `addr` the border of two regions if it lies inside one. 0 or -ENOMEM. */
HAL_USE_RESULT int region_split(struct space *space, vaddr_t addr);

/* Joins a region with its neighbours where nothing tells them apart; what is left of it. */
struct region *region_join(struct space *space, struct region *region);

/* Whether [start, end) is free, and no stack would grow into it. */
bool region_is_free(struct space *space, vaddr_t start, vaddr_t end);

/* Room for `bytes`, from the top down. 0 or -ENOMEM. */
HAL_USE_RESULT int region_find_room(struct space *space, uint64_t bytes, vaddr_t *addr);

/* The region at `addr`, where a stack grows to it if need be. NULL: there is none. */
struct region *region_at(struct space *space, vaddr_t addr);

/* Walks all regions and private pages and panics if an invariant is broken. */
void region_check(struct space *space);

/* ---- fault.c ---- */

struct fault_wish {
	unsigned access; /* one of HAL_PROT_* */
	bool faulted;	 /* space_fault() was called for it: a pager knows of the write */
};

/*
 * The page at `addr` as the kernel may read or write it for the user right now, with the lock
 * held. -EAGAIN: space_fault() must run first; else as space_fault().
 */
HAL_USE_RESULT int fault_find_page(struct space *space, vaddr_t addr,
				   const struct fault_wish *wish, struct page **page);

#endif
