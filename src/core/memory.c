/*
 * Memory objects.
 *
 * The pages are in a tree under the object's lock. A page that is missing is made by the pager
 * without the lock, and entered afterwards; if another thread was faster, its page wins. The tree
 * holds a reference of each page until the object is destroyed, and so does each address space
 * that has made the page its own; a region holds a reference of the object.
 *
 * Invariants:
 *   1. An index in the tree is less than the number of pages that size_bytes needs.
 *   2. A page in the tree stays in its place until the object is destroyed.
 */
#include "core/memory.h"

#include "core/slab.h"
#include "core/state.h"

static uint64_t count_pages(const struct memory *memory)
{
	return ALIGN_UP(memory->size_bytes, PAGE_SIZE) >> PAGE_SHIFT;
}

static int make_zero_page(struct memory *memory, uint64_t index, bool write, struct page **page)
{
	(void)memory;
	(void)index;
	(void)write;
	*page = page_alloc_zeroed(0);
	return *page ? 0 : -ENOMEM;
}

/* The pager's data is where the bytes lie. */
static int make_fixed_page(struct memory *memory, uint64_t index, bool write, struct page **page)
{
	const char *data = (const char *)memory->pager_data + (index << PAGE_SHIFT);
	uint64_t bytes = MIN(memory->size_bytes - (index << PAGE_SHIFT), PAGE_SIZE);
	bool whole = bytes == PAGE_SIZE && ((uintptr_t)data & (PAGE_SIZE - 1)) == 0;
	struct page *source = whole ? page_from_virt(data) : NULL;

	(void)write;
	if (source && page_state(source) == PAGE_USED && source->order == 0) {
		*page = page_get(source);
		return 0;
	}
	*page = page_alloc(0);
	if (!*page)
		return -ENOMEM;
	memcpy(page_to_virt(*page), data, bytes);
	memset((char *)page_to_virt(*page) + bytes, 0, PAGE_SIZE - bytes);
	return 0;
}

static const struct memory_pager anonymous_pager = {.name = "anonymous",
						    .make_page = make_zero_page};
static const struct memory_pager fixed_pager = {.name = "fixed",
						.read_only = true,
						.make_page = make_fixed_page};

static void destroy_memory(struct object *object)
{
	struct memory *memory = CONTAINER_OF(object, struct memory, object);

	if (memory->pager->destroy)
		memory->pager->destroy(memory);
	page_tree_clear(&memory->pages);
	kfree(memory);
}

void memory_init(void)
{
	kernel.memory.type = (struct object_type){.name = "memory", .destroy = destroy_memory};
}

int memory_create(const struct memory_pager *pager, void *pager_data, uint64_t bytes,
		  struct memory **memory)
{
	struct memory *fresh;

	if (bytes > MEMORY_BYTES_MAX)
		return -EINVAL;
	fresh = kmalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	object_init(&fresh->object, &kernel.memory.type);
	spinlock_init(&fresh->lock, LOCK_RANK_MEMORY, "memory object");
	fresh->pager = pager;
	fresh->pager_data = pager_data;
	fresh->size_bytes = bytes;
	*memory = fresh;
	return 0;
}

int memory_create_anonymous(uint64_t bytes, struct memory **memory)
{
	return memory_create(&anonymous_pager, NULL, bytes, memory);
}

int memory_create_fixed(const void *data, uint64_t bytes, struct memory **memory)
{
	/* Only the pager looks at the pointer again, and it only reads. */
	return memory_create(&fixed_pager, (void *)(uintptr_t)data, bytes, memory);
}

struct page *memory_find_page(struct memory *memory, uint64_t index)
{
	struct page *page;

	spin_lock(&memory->lock);
	page = page_tree_find(&memory->pages, index);
	spin_unlock(&memory->lock);
	return page;
}

uint64_t memory_count_pages(struct memory *memory, uint64_t first, uint64_t end)
{
	uint64_t count;

	spin_lock(&memory->lock);
	count = page_tree_count(&memory->pages, first, end);
	spin_unlock(&memory->lock);
	return count;
}

/* Enters the page that the pager made, or drops it for the one that is there. */
static int enter_page(struct memory *memory, uint64_t index, struct page **page)
{
	struct page *made = *page, *there;
	int err = 0;

	spin_lock(&memory->lock);
	there = page_tree_find(&memory->pages, index);
	if (!there)
		err = page_tree_insert(&memory->pages, index, made);
	if (!err)
		*page = page_get(there ? there : made);
	spin_unlock(&memory->lock);
	if (there || err)
		page_put(made);
	return err;
}

int memory_get_page(struct memory *memory, uint64_t index, bool write, struct page **page)
{
	const struct memory_pager *pager = memory->pager;
	struct page *there;
	int err;

	if (index >= count_pages(memory))
		return -EFAULT;
	if (write && pager->read_only)
		return -EACCES;
	spin_lock(&memory->lock);
	there = page_tree_find(&memory->pages, index);
	if (there)
		*page = page_get(there);
	spin_unlock(&memory->lock);
	if (there && !(write && pager->traces_writes))
		return 0;
	if (there)
		page_put(there);
	err = pager->make_page(memory, index, write, page);
	return err ? err : enter_page(memory, index, page);
}
