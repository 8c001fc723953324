/*
 * Memory objects: what a region of an address space shows. An array of pages, each there or not
 * yet; a page that is not there is made by the object's pager when it is first touched.
 *
 * Kinds: anonymous (zero pages made on demand), fixed (bytes that lie in RAM already, e.g. a file
 * of the initial image; never freed, never written), device (registers or a frame buffer).
 * Lock: LOCK_RANK_MEMORY.
 */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include "core/lock.h"
#include "core/object.h"
#include "core/page.h"

struct memory;

struct memory_pager {
	const char *name;
	/*
	 * Gives page `index` with a reference for the caller, making it if need be. `write`: it
	 * will be written through the object. May block. 0, -ENOMEM, -EIO; -EFAULT past the end.
	 */
	int (*get_page)(struct memory *memory, uint64_t index, bool write, struct page **page);
	void (*destroy)(struct memory *memory); /* before the pages are dropped; may be NULL */
};

struct memory {
	struct object object;
	struct spinlock lock;
	const struct memory_pager *pager; /* Set once */
	uint64_t size_bytes;		  /* Guarded by lock */
	struct page_tree *pages;	  /* index -> page; see memory.c. Guarded by lock */
	void *pager_data;		  /* the pager's own */
};

HAL_USE_RESULT int memory_create_anonymous(uint64_t bytes, struct memory **memory);

/* Shows bytes of the direct map that outlive the object; the last page is filled up with zeros. */
HAL_USE_RESULT int memory_create_fixed(const void *data, uint64_t bytes, struct memory **memory);

HAL_USE_RESULT int memory_create(const struct memory_pager *pager, void *pager_data,
				 uint64_t bytes, struct memory **memory);

HAL_USE_RESULT int memory_get_page(struct memory *memory, uint64_t index, bool write,
				   struct page **page);

static inline struct memory *memory_get(struct memory *memory)
{
	return CONTAINER_OF(object_get(&memory->object), struct memory, object);
}

static inline void memory_put(struct memory *memory)
{
	if (memory)
		object_put(&memory->object);
}

#endif
