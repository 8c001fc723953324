/*
 * The page allocator's state, as struct kernel embeds it.
 */
#ifndef CORE_PAGE_PRIV_H
#define CORE_PAGE_PRIV_H

#include "core/lock.h"
#include "core/page.h"

#define PAGE_CACHE_MAX 64   /* pages in a CPU's cache */
#define PAGE_CACHE_BATCH 32 /* moved to or from the buddy lists at once */
#define PAGE_INIT_MIN 128   /* less RAM than this many pages is too little to run */

/* Frames [first, first + count) and their struct pages. */
struct page_range {
	uint64_t first, count;
	struct page *pages;
};

struct page_cache {
	struct page *pages[PAGE_CACHE_MAX]; /* the last one freed is on top. Own CPU only */
	_Atomic uint32_t count;		    /* Written by its own CPU */
	_Atomic uint64_t allocations;	    /* Written by its own CPU */
} __attribute__((aligned(64)));

struct page_allocator {
	struct page_range ranges[HAL_RAM_RANGES_MAX + 1]; /* one more for the image. Set once */
	unsigned range_count;				   /* Set once */
	uint64_t total;					   /* Set once */
	struct spinlock lock;
	struct list free[PAGE_ORDER_MAX + 1]; /* struct page.link. Guarded by lock */
	_Atomic uint64_t free_count;	      /* pages in `free`. Changed under lock */
	_Atomic uint64_t allocations;	      /* past the caches. Changed under lock */
	_Atomic uint64_t failures;
	struct page_cache caches[HAL_CPUS_MAX];
};

#endif
