/*
 * Page faults: finds or makes the page that user code has touched, and enters it in hal_mmu with
 * those around it that are there already.
 *
 *   no region, no right ------------------------------> -EFAULT, -EACCES
 *   page of the space's own, may be written in place --> map the window around it
 *   the same, but shared with a clone, and written ----> copy, map that one page
 *   no page, no object --------------------------------> zero pages for the window, map it
 *   page of the object, private and written -----------> copy, map that one page
 *   page of the object, else --------------------------> map the window
 *   page of the object not there yet ------------------> get it without the lock, start again
 *
 * The window is FAULT_AROUND pages; a fault that continues where the last window of its region
 * ended gets FAULT_AROUND_MAX. Zero pages come in blocks where they can, so that one mapping shows
 * many; while memory is scarce only the page that was touched is made.
 *
 * Lock: space->lock; see space_priv.h for the protocol and the invariants.
 */
#include "core/space_priv.h"
#include "core/state.h"

#define FAULT_AROUND 16u
#define FAULT_AROUND_ORDER 4u
#define FAULT_AROUND_MAX 64u

_Static_assert(FAULT_AROUND == 1u << FAULT_AROUND_ORDER, "a window is a block of pages");

struct fault {
	vaddr_t addr;	       /* of the page */
	unsigned access;       /* one of HAL_PROT_* */
	struct memory *memory; /* what the page was got of without the lock; holds a reference */
	uint64_t index;
	struct page *page; /* holds a reference */
};

/* Pages [first, end) by their numbers. */
struct window {
	uint64_t first, end;
};

static bool is_write(unsigned access)
{
	return access & HAL_PROT_WRITE;
}

/* The region at an address if it allows the access. */
static int find_region(struct space *space, vaddr_t addr, unsigned access, struct region **region)
{
	*region = region_at(space, addr);
	if (!*region)
		return -EFAULT;
	return region_rights(*region) & access ? 0 : -EACCES;
}

/* ---- Mapping ---- */

static struct window window_around(struct region *region, vaddr_t addr)
{
	bool sequential = addr == region->fault_next;
	uint64_t page = addr >> PAGE_SHIFT;
	struct window window;

	window.first = sequential ? page : ALIGN_DOWN(page, FAULT_AROUND);
	window.end = window.first + (sequential ? FAULT_AROUND_MAX : FAULT_AROUND);
	window.first = MAX(window.first, region->start >> PAGE_SHIFT);
	window.end = MIN(window.end, region->end >> PAGE_SHIFT);
	region->fault_next = window.end << PAGE_SHIFT;
	return window;
}

/* The page that user code sees at page number `number` now, and its rights; NULL: none yet. */
static struct page *find_present(struct space *space, const struct region *region,
				 uint64_t number, unsigned *rights)
{
	bool private = region->flags & SPACE_PRIVATE;
	struct page *page = private ? page_tree_find(&space->anon, number) : NULL;

	*rights = region_rights(region);
	if (page) {
		if (page_refs(page) > 1)
			*rights &= ~HAL_PROT_WRITE;
		return page;
	}
	if (!region->memory)
		return NULL;
	if (private || region->memory->pager->traces_writes)
		*rights &= ~HAL_PROT_WRITE;
	return memory_find_page(region->memory, region_page_index(region, number << PAGE_SHIFT));
}

/* Adds a page to the last run of `maps`, or starts one. The number of runs. */
static size_t add_mapping(struct hal_mapping *maps, size_t count, struct hal_mapping page)
{
	struct hal_mapping *last = &maps[count - 1];

	if (count && last->addr + (last->pages << PAGE_SHIFT) == page.addr &&
	    last->phys + (last->pages << PAGE_SHIFT) == page.phys && last->prot == page.prot) {
		last->pages++;
		return count;
	}
	maps[count] = page;
	return count + 1;
}

/* Enters what is there in the window. `written`: the page that a pager knows is written, or 0. */
static int map_window(struct space *space, const struct region *region,
		      const struct window *window, uint64_t written)
{
	struct hal_mapping maps[FAULT_AROUND_MAX];
	size_t count = 0;
	unsigned rights;

	for (uint64_t number = window->first; number < window->end; number++) {
		struct page *page = find_present(space, region, number, &rights);

		if (number == written && !(region->flags & SPACE_PRIVATE))
			rights = region_rights(region);
		if (page)
			count = add_mapping(maps, count,
					    (struct hal_mapping){.addr = number << PAGE_SHIFT,
								 .phys = page_to_phys(page),
								 .pages = 1,
								 .prot = rights});
	}
	return hal_mmu_map(&space->mmu, maps, count);
}

/* Maps one page, which may take the place of another. When it fails none is mapped there. */
static int map_one(struct space *space, const struct region *region, uint64_t number)
{
	const struct window window = {number, number + 1};
	int err = map_window(space, region, &window, 0);

	if (err)
		hal_mmu_unmap(&space->mmu, number << PAGE_SHIFT, 1);
	return err;
}

static int map_around(struct space *space, struct region *region, const struct fault *fault,
		      const struct window *window)
{
	uint64_t number = fault->addr >> PAGE_SHIFT;
	const struct window touched = {number, number + 1};
	uint64_t written = is_write(fault->access) ? number : 0;
	int err = map_window(space, region, window, written);

	if (err == -ENOMEM) /* the machine's own tables: be content with less */
		err = map_window(space, region, &touched, written);
	space->faults_minor++;
	return err;
}

/* ---- Making pages ---- */

static bool is_block_missing(struct space *space, uint64_t number)
{
	uint64_t next = number;

	return !page_tree_next(&space->anon, &next) || next >= number + FAULT_AROUND;
}

/* Enters the zero pages of a split block. Those that do not get in are freed. */
static int insert_pages(struct space *space, uint64_t number, struct page *pages, unsigned count)
{
	int err = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!err)
			err = page_tree_insert(&space->anon, number + i, &pages[i]);
		if (err)
			page_put(&pages[i]);
	}
	return err;
}

/* Makes zero pages at `number` where none is: a whole block if it fits, else one. */
static int make_zero_pages(struct space *space, uint64_t number, const struct window *window)
{
	struct page *page = NULL;
	unsigned order = FAULT_AROUND_ORDER;

	if (number % FAULT_AROUND == 0 && number + FAULT_AROUND <= window->end &&
	    is_block_missing(space, number))
		page = page_alloc_zeroed(order);
	if (page) {
		page_split(page, order);
	} else {
		order = 0;
		page = page_alloc_zeroed(order);
	}
	return page ? insert_pages(space, number, page, 1u << order) : -ENOMEM;
}

/* Zero pages for the window; only the one that was touched must be there in the end. */
static int fill_window(struct space *space, const struct window *window, uint64_t touched)
{
	const struct window one = {touched, touched + 1};
	int err = 0;

	if (page_is_scarce())
		window = &one;
	for (uint64_t number = window->first; number < window->end && !err; number++)
		if (!page_tree_find(&space->anon, number))
			err = make_zero_pages(space, number, window);
	if (page_tree_find(&space->anon, touched))
		return 0;
	return make_zero_pages(space, touched, &one);
}

/* Gives the space a copy of its own of `source`, in place of `old` if that is its page. */
static int copy_page(struct space *space, struct region *region, const struct fault *fault,
		     struct page *source, struct page *old)
{
	uint64_t number = fault->addr >> PAGE_SHIFT;
	struct page *page = page_alloc(0);
	int err = 0;

	if (!page)
		return -ENOMEM;
	memcpy(page_to_virt(page), page_to_virt(source), PAGE_SIZE);
	if (old)
		page_tree_replace(&space->anon, number, page);
	else
		err = page_tree_insert(&space->anon, number, page);
	if (err) {
		page_put(page);
		return err;
	}
	err = map_one(space, region, number);
	if (old)
		page_put(old); /* no CPU sees it any more */
	space->faults_copy++;
	return err;
}

/* ---- The fault ---- */

/* The page of the region's object: one that is there, or the one that was got. -EAGAIN: neither;
 * `fault` says what is to be got. */
static int find_object_page(struct region *region, struct fault *fault, struct page **page)
{
	bool private = region->flags & SPACE_PRIVATE;
	uint64_t index = region_page_index(region, fault->addr);
	bool ask = is_write(fault->access) && !private && region->memory->pager->traces_writes;

	*page = NULL;
	if (fault->page && fault->memory == region->memory && fault->index == index)
		*page = fault->page;
	else if (!ask)
		*page = memory_find_page(region->memory, index);
	if (*page)
		return 0;
	if (fault->page)
		page_put(fault->page); /* the object holds another reference */
	fault->page = NULL;
	return -EAGAIN;
}

static int serve_locked(struct space *space, struct region *region, struct fault *fault)
{
	bool private = region->flags & SPACE_PRIVATE, write = is_write(fault->access);
	uint64_t number = fault->addr >> PAGE_SHIFT;
	struct page *page = private ? page_tree_find(&space->anon, number) : NULL;
	struct window window;
	int err = 0;

	if (page && write && page_refs(page) > 1)
		return copy_page(space, region, fault, page, page);
	if (!page && region->memory) {
		err = find_object_page(region, fault, &page);
		if (err)
			return err;
		if (private && write)
			return copy_page(space, region, fault, page, NULL);
	}
	window = window_around(region, fault->addr);
	if (!page)
		err = fill_window(space, &window, number);
	return err ? err : map_around(space, region, fault, &window);
}

/* Gets the page that serve_locked() did not find. May block. */
static int fetch_page(struct fault *fault, bool write)
{
	int err = memory_get_page(fault->memory, fault->index, write, &fault->page);

	return err == -EFAULT ? -EIO : err;
}

/* One round: 0, an error, or -EAGAIN, and then `fault` holds the object to get the page of. */
static int try_fault(struct space *space, vaddr_t addr, struct fault *fault, bool *write)
{
	struct memory *before = fault->memory;
	struct region *region;
	int err;

	spin_lock(&space->lock);
	err = addr < HAL_USER_MAX ? find_region(space, addr, fault->access, &region) : -EFAULT;
	if (!err)
		err = serve_locked(space, region, fault);
	if (err == -EAGAIN) {
		fault->memory = memory_get(region->memory);
		fault->index = region_page_index(region, fault->addr);
		*write = is_write(fault->access) && !(region->flags & SPACE_PRIVATE);
	} else if (err) {
		space->faults_refused++;
	}
	spin_unlock(&space->lock);
	if (err == -EAGAIN)
		memory_put(before);
	return err;
}

/* Option forget=N: shows that nothing rests on hal_mmu but speed. N is large enough (say, 7) that
 * an instruction gets all its pages at once. */
static void forget_sometimes(struct space *space)
{
	struct space_state *state = &kernel.space;

	if (state->forget_every && !(atomic_fetch_add(&state->faults, 1) % state->forget_every))
		space_forget(space);
}

int space_fault(struct space *space, vaddr_t addr, unsigned access)
{
	struct fault fault = {.addr = ALIGN_DOWN(addr, PAGE_SIZE), .access = access};
	bool write;
	int err;

	lock_assert_none();
	forget_sometimes(space);
	for (;;) {
		err = try_fault(space, addr, &fault, &write);
		if (err != -EAGAIN)
			break;
		err = fetch_page(&fault, write);
		if (err)
			break;
	}
	if (fault.page)
		page_put(fault.page);
	memory_put(fault.memory);
	return err;
}

int fault_find_page(struct space *space, vaddr_t addr, const struct fault_wish *wish,
		    struct page **page)
{
	struct region *region;
	unsigned rights;
	int err = find_region(space, addr, wish->access, &region);

	if (err)
		return err;
	*page = find_present(space, region, addr >> PAGE_SHIFT, &rights);
	if (wish->faulted && !(region->flags & SPACE_PRIVATE))
		rights |= wish->access;
	return *page && rights & wish->access ? 0 : -EAGAIN;
}
