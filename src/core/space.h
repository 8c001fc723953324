/*
 * Address spaces: regions over memory objects, demand paging, copy-on-write.
 *
 * core/space.c owns the truth; struct hal_mmu is a cache of it. A region is [start, end) with
 * rights, over a memory object from an offset on; a private region writes to copies of its own
 * (copy-on-write). space_fault() makes a page present or says why it cannot be.
 * Lock: LOCK_RANK_SPACE, one a space; a page that must be waited for is waited for without it.
 */
#ifndef CORE_SPACE_H
#define CORE_SPACE_H

#include "core/memory.h"

#define SPACE_REGIONS_MAX 65536

/* Flags of a region, beside HAL_PROT_*. */
#define SPACE_PRIVATE (1u << 8)	 /* copy-on-write; else shared */
#define SPACE_GROWS_DOWN (1u << 9) /* a stack: a fault below its start extends it */
#define SPACE_FIXED (1u << 10)	 /* space_map: at exactly `addr`, replacing what is there */
#define SPACE_NO_REPLACE (1u << 11) /* with FIXED: -EEXIST instead of replacing */

struct space;

struct space_map {
	vaddr_t addr;	       /* a hint, or the place with SPACE_FIXED; page-aligned */
	uint64_t bytes;	       /* rounded up to pages */
	unsigned prot;	       /* HAL_PROT_* */
	unsigned flags;	       /* SPACE_* */
	struct memory *memory; /* NULL: fresh anonymous memory. A reference is taken */
	uint64_t offset;       /* into it; page-aligned */
	const char *name;      /* for people, static; may be NULL */
};

struct space_region_info {
	vaddr_t start, end;
	unsigned prot, flags;
	const char *name;
	uint64_t offset;
	uint64_t resident_pages;
};

struct space_stats {
	uint64_t mapped_bytes, resident_pages;
	uint64_t faults_minor, faults_copy, faults_refused;
};

void space_init(void);

HAL_USE_RESULT int space_create(struct space **space);
struct space *space_get(struct space *space);
void space_put(struct space *space);

/* A copy as by fork: private pages become copy-on-write in both. */
HAL_USE_RESULT int space_clone(struct space *space, struct space **copy);

/* Enters a region; its address comes back in `addr`. 0, -ENOMEM, -EINVAL, -EEXIST. */
HAL_USE_RESULT int space_map(struct space *space, const struct space_map *map, vaddr_t *addr);
HAL_USE_RESULT int space_unmap(struct space *space, vaddr_t addr, uint64_t bytes);
HAL_USE_RESULT int space_protect(struct space *space, vaddr_t addr, uint64_t bytes, unsigned prot);

/* Drops everything, as exec does. */
void space_clear(struct space *space);

/* Drops what hal_mmu has cached; faults fill it again. User code notices only that it is slow. The
 * option forget=N does it at every N-th fault, as a test. */
void space_forget(struct space *space);

/*
 * Serves a page fault at `addr` for one HAL_PROT_* access. 0: try again; -EFAULT: nothing there
 * (SIGSEGV, SEGV_MAPERR); -EACCES: no right (SEGV_ACCERR); -EIO: behind the end of the object
 * (SIGBUS); -ENOMEM. May block.
 */
HAL_USE_RESULT int space_fault(struct space *space, vaddr_t addr, unsigned access);

/* The region with the lowest end above `addr`. -ENOENT behind the last. */
HAL_USE_RESULT int space_region_next(struct space *space, vaddr_t addr,
				     struct space_region_info *info);
void space_stats(struct space *space, struct space_stats *stats);
struct hal_mmu *space_mmu(struct space *space);

/*
 * Copies between the kernel and user memory by walking the space's own regions to the page. All
 * or nothing is not promised: -EFAULT after a part may have been copied. May block.
 */
HAL_USE_RESULT int copy_in(struct space *space, void *to, vaddr_t from, size_t bytes);
HAL_USE_RESULT int copy_out(struct space *space, vaddr_t to, const void *from, size_t bytes);
HAL_USE_RESULT int copy_zero(struct space *space, vaddr_t to, size_t bytes);

/* A string with its end: the length; -ENAMETOOLONG if none within size; -EFAULT. */
HAL_USE_RESULT int64_t copy_in_string(struct space *space, char *to, vaddr_t from, size_t size);

#endif
