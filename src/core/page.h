/*
 * Physical pages: a buddy allocator over all RAM, with a cache of single pages on each CPU.
 *
 * Every frame of RAM has a struct page, found by its number. A block of order n is 2^n pages,
 * naturally aligned. Lock: LOCK_RANK_PAGE; a per-CPU cache is its own CPU's, see page.c.
 */
#ifndef CORE_PAGE_H
#define CORE_PAGE_H

#include "core/list.h"
#include "hal/hal.h"

#include <stdatomic.h>

#define PAGE_SIZE HAL_PAGE_SIZE
#define PAGE_SHIFT HAL_PAGE_SHIFT
#define PAGE_ORDER_MAX 10 /* the largest block: 4 MiB */

enum page_state {
	PAGE_ABSENT,  /* no RAM here, or the machine's own */
	PAGE_FREE,    /* first page of a free block */
	PAGE_INNER,   /* inside a block, free or used */
	PAGE_USED,    /* first page of an allocated block */
	PAGE_SLAB,    /* first page of a slab */
	PAGE_CACHED,  /* in a per-CPU cache */
	PAGE_STATES,  /* their count */
};

struct page {
	struct list link;	/* free list; of a used page its owner's */
	_Atomic uint32_t refs;	/* of a used page: mappings and objects that hold it */
	_Atomic uint8_t state;	/* enum page_state */
	uint8_t order;		/* of the block that starts here */
	uint8_t range;		/* the RAM range it lies in. Set once */
	uint8_t flags;		/* of the owner; 0 when the page is allocated */
	void *owner;		/* slab or memory object; NULL when the page is allocated */
};

_Static_assert(sizeof(struct page) == 32, "1/128 of RAM goes into struct page");

struct page_stats {
	uint64_t total, free, cached; /* pages; `free` counts the cached ones too */
	uint64_t allocations, failures;
};

/* Takes over the RAM of hal_boot_info(). Once, at boot. -ENOMEM if there is too little to run. */
HAL_USE_RESULT int page_init(void);

/* A block of 2^order pages, not zeroed, refs = 1. NULL if there is none. Never waits. */
struct page *page_alloc(unsigned order);
struct page *page_alloc_zeroed(unsigned order);
void page_free(struct page *page, unsigned order); /* whatever its refs */

/* Makes single pages with refs = 1 of an allocated block. */
void page_split(struct page *page, unsigned order);

struct page *page_get(struct page *page); /* adds a reference to a single used page */
void page_put(struct page *page);	   /* drops one; frees it with the last */

static inline uint32_t page_refs(const struct page *page)
{
	return atomic_load_explicit(&page->refs, memory_order_acquire);
}

static inline enum page_state page_state(const struct page *page)
{
	return (enum page_state)atomic_load_explicit(&page->state, memory_order_relaxed);
}

paddr_t page_to_phys(const struct page *page);
struct page *page_from_phys(paddr_t addr); /* NULL if no RAM of the kernel's is there */
static inline void *page_to_virt(const struct page *page)
{
	return hal_phys_to_virt(page_to_phys(page));
}
struct page *page_from_virt(const void *addr);

void page_stats(struct page_stats *stats);

/* Whether so little is free (1/16) that nobody should take pages that he could do without. */
bool page_is_scarce(void);

/* Walks all structures and panics, saying what is wrong, if they contradict one another. */
void page_check(void);

#endif
