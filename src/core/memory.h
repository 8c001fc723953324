/*
 * Memory objects: what a region of an address space shows. An array of pages, each there or not
 * yet; a page that is not there is made by the object's pager when it is first touched, and then
 * stays until the object is destroyed, so that it may be mapped without a reference of its own.
 *
 * Kinds: anonymous (zero pages made on demand), fixed (bytes that lie in RAM already, e.g. a file
 * of the initial image; never written), and what other pagers make of them.
 * Lock: LOCK_RANK_MEMORY.
 */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include "core/lock.h"
#include "core/object.h"
#include "core/page.h"
#include "core/page_tree.h"

#define MEMORY_BYTES_MAX (1ull << 46)

struct memory;

struct memory_pager {
	const char *name;
	bool read_only;	    /* a shared region over it cannot be written */
	bool traces_writes; /* make_page() is asked before each page is first written, too */
	/*
	 * Makes page `index`, which lies within the object, with a reference for the caller. Of
	 * two that are made at once, one is dropped. `write`: it will be written through the
	 * object; then the page may be there already. May block. 0, -ENOMEM, -EIO.
	 */
	int (*make_page)(struct memory *memory, uint64_t index, bool write, struct page **page);
	void (*destroy)(struct memory *memory); /* before the pages are dropped; may be NULL */
};

struct memory {
	struct object object;
	struct spinlock lock;
	const struct memory_pager *pager; /* Set once */
	uint64_t size_bytes;		  /* Set once */
	struct page_tree pages;		  /* Guarded by lock */
	void *pager_data;		  /* the pager's own. Set once */
};

struct memory_state {
	struct object_type type;
};

void memory_init(void);

/* 0; -ENOMEM; -EINVAL for more than MEMORY_BYTES_MAX. */
HAL_USE_RESULT int memory_create_anonymous(uint64_t bytes, struct memory **memory);

/* Shows bytes of the direct map that outlive the object; the rest of the last page reads as zero.
 * Pages of RAM that are shown whole are shared, others copied when they are first touched. */
HAL_USE_RESULT int memory_create_fixed(const void *data, uint64_t bytes, struct memory **memory);

HAL_USE_RESULT int memory_create(const struct memory_pager *pager, void *pager_data,
				 uint64_t bytes, struct memory **memory);

/* Page `index` with a reference for the caller. `write`: it will be written through the object.
 * May block. 0, -ENOMEM, -EIO; -EFAULT past the end; -EACCES for a write where none is allowed. */
HAL_USE_RESULT int memory_get_page(struct memory *memory, uint64_t index, bool write,
				   struct page **page);

/* The same without waiting and without a reference: a page that is there, or NULL. */
struct page *memory_find_page(struct memory *memory, uint64_t index);

/* How many of the pages [first, end) are there. */
uint64_t memory_count_pages(struct memory *memory, uint64_t first, uint64_t end);

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
