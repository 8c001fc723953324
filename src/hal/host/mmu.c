/*
 * User address spaces on the host: what is mapped, and how the stub is told.
 *
 * The kernel's word is kept in a table of four levels, like hardware's, from which is known what a
 * change replaces or takes away. Changes become requests (mmap, munmap, mprotect of Linux) in a
 * queue. The stub's helper executes a batch and reports by an eventfd that no user code can reach.
 * New mappings wait in the queue until the next run in the space or until the queue is full; what
 * takes something away is flushed at once: when the helper has reported, Linux has made sure that
 * no CPU can use it any more. Whether user code is stopped does not matter, because nothing in
 * memory that user code can write could prove that it is.
 *
 * Lock: host_space.locked.
 */
#include "hal/host/host_user.h"

#include "hal/host/host_priv.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LEVEL_BITS 9
#define LEVEL_ENTRIES (1u << LEVEL_BITS)
#define LEVELS 4
#define PROT_BITS (HAL_PROT_READ | HAL_PROT_WRITE | HAL_PROT_EXEC)
#define PRESENT 8ull /* in an entry of the last level, beside HAL_PROT_* */
#define FRAGMENTS_MAX 50000 /* mappings that Linux allows a process: 65530 */
#define WAIT_MS 50

_Static_assert(HAL_PROT_READ == PROT_READ && HAL_PROT_WRITE == PROT_WRITE &&
		       HAL_PROT_EXEC == PROT_EXEC,
	       "the rights are Linux's");

struct table {
	uint64_t entries[LEVEL_ENTRIES]; /* of the last level; else pointers */
};

static unsigned index_of(vaddr_t addr, unsigned level)
{
	return (addr >> (HAL_PAGE_SHIFT + level * LEVEL_BITS)) & (LEVEL_ENTRIES - 1);
}

static void free_table(struct table *table, unsigned level)
{
	for (unsigned i = 0; level > 0 && i < LEVEL_ENTRIES; i++) {
		if (table->entries[i])
			free_table((struct table *)(uintptr_t)table->entries[i], level - 1);
	}
	free(table);
}

void host_table_free(void *table)
{
	if (table)
		free_table(table, LEVELS - 1);
}

/* The last-level entry of `addr`. Without `make`: NULL where a level is missing, and `skip` bytes
 * from `addr` on have no entry. */
static uint64_t *find_entry(struct host_space *space, vaddr_t addr, bool make, uint64_t *skip)
{
	struct table *table = space->table;

	if (!table) {
		if (!make) {
			*skip = UINT64_MAX;
			return NULL;
		}
		table = calloc(1, sizeof(*table));
		if (!table)
			return NULL;
		space->table = table;
	}
	for (unsigned level = LEVELS - 1; level > 0; level--) {
		uint64_t *entry = &table->entries[index_of(addr, level)];

		if (!*entry) {
			uint64_t span = (uint64_t)HAL_PAGE_SIZE << level * LEVEL_BITS;

			if (!make) {
				*skip = span - (addr & (span - 1));
				return NULL;
			}
			*entry = (uint64_t)(uintptr_t)calloc(1, sizeof(*table));
			if (!*entry)
				return NULL;
		}
		table = (struct table *)(uintptr_t)*entry;
	}
	return &table->entries[index_of(addr, 0)];
}

uint64_t host_space_lookup(struct host_space *space, vaddr_t addr)
{
	uint64_t skip;
	uint64_t *entry = find_entry(space, addr, false, &skip);

	return entry && (*entry & PRESENT) ? *entry & ~PRESENT : 0;
}

/* ---- The helper ---- */

/* Waits until the helper has reported all batches. False: the stub is dead. */
static bool wait_helper(struct host_space *space)
{
	while (space->finished < space->posted) {
		struct pollfd wait = {space->done_fd, POLLIN, 0};
		uint64_t value;

		if (read(space->done_fd, &value, sizeof(value)) == sizeof(value)) {
			space->finished += value;
			continue;
		}
		if (poll(&wait, 1, WAIT_MS) == 0 && host_space_check(space))
			return false;
	}
	return true;
}

/* Hands the queue to the helper, which has nothing else to do. */
static void post_batch(struct host_space *space, uint64_t area, uint32_t run)
{
	_Atomic uint32_t *posted = (_Atomic uint32_t *)(space->window + REQUEST_POSTED);

	*(uint32_t *)(space->window + REQUEST_COUNT) = space->count;
	*(uint64_t *)(space->window + REQUEST_RUN_AREA) = area;
	*(uint32_t *)(space->window + REQUEST_RUN) = run;
	__builtin_memcpy(space->window + REQUEST_ENTRIES, space->queue,
			 space->count * sizeof(space->queue[0]));
	space->count = 0;
	atomic_store(posted, (uint32_t)++space->posted);
	syscall(SYS_futex, posted, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* The request page is not written while the helper may read it: a torn request maps anything. */
bool host_space_flush_locked(struct host_space *space)
{
	if (atomic_load(&space->dead) || !wait_helper(space))
		return false;
	if (!space->count)
		return true;
	post_batch(space, 0, 0);
	return wait_helper(space);
}

int host_space_flush_and_run(struct host_space *space, uint64_t area, uint32_t run)
{
	int err = 0;

	if (atomic_load(&space->dead))
		return -EIO;
	if (!atomic_load_explicit(&space->count, memory_order_relaxed))
		return -EAGAIN;
	host_lock(&space->locked);
	if (!wait_helper(space))
		err = -EIO;
	else if (!space->count)
		err = -EAGAIN;
	else
		post_batch(space, area, run);
	host_unlock(&space->locked);
	return err;
}

bool host_space_busy(struct host_space *space)
{
	uint64_t value;

	if (read(space->done_fd, &value, sizeof(value)) == sizeof(value))
		space->finished += value;
	return space->finished < space->posted;
}

bool host_space_request_locked(struct host_space *space, const struct host_request *request)
{
	if (space->count == REQUEST_ENTRIES_MAX && !host_space_flush_locked(space))
		return false;
	space->queue[space->count++] = *request;
	return true;
}

static void queue_map(struct host_space *space, const struct hal_mapping *map)
{
	size_t bytes = map->pages * HAL_PAGE_SIZE;
	struct host_request *last = space->count ? &space->queue[space->count - 1] : NULL;
	struct host_request request = {
		SYS_mmap,
		{map->addr, bytes, map->prot, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
		 STUB_FD_MEMORY, map->phys},
	};

	if (last && last->number == SYS_mmap && last->args[0] + last->args[1] == map->addr &&
	    last->args[5] + last->args[1] == map->phys && last->args[2] == map->prot) {
		last->args[1] += bytes;
		return;
	}
	space->fragments += 2;
	(void)host_space_request_locked(space, &request);
}

static void queue_unmap(struct host_space *space, vaddr_t from, vaddr_t to)
{
	struct host_request request = {SYS_munmap, {from, to - from}};

	space->fragments++;
	(void)host_space_request_locked(space, &request);
}

static void queue_protect(struct host_space *space, vaddr_t from, vaddr_t to, unsigned prot)
{
	struct host_request request = {SYS_mprotect, {from, to - from, prot}};

	space->fragments += 2;
	(void)host_space_request_locked(space, &request);
}

/* Too many fragments: drops all, which the kernel enters again as it is touched. */
static void drop_all(struct host_space *space)
{
	space->count = 0;
	space->fragments = 0;
	host_table_free(space->table);
	space->table = NULL;
	queue_unmap(space, HAL_USER_MIN, HAL_USER_MAX);
	(void)host_space_flush_locked(space);
}

/* ---- The contract ---- */

static void check_range(const char *what, vaddr_t addr, size_t pages)
{
	if ((addr & (HAL_PAGE_SIZE - 1)) || addr < HAL_USER_MIN || addr > HAL_USER_MAX ||
	    pages > (HAL_USER_MAX - addr) / HAL_PAGE_SIZE)
		up_panic(0, 0, "%s: no user pages: %lx, %lx pages", what, (unsigned long)addr,
			 (unsigned long)pages);
}

int hal_mmu_init(struct hal_mmu *mmu)
{
	mmu->space = host_space_begin();
	return mmu->space ? 0 : -EAGAIN;
}

void hal_mmu_fini(struct hal_mmu *mmu)
{
	struct host_space *space = mmu->space;

	mmu->space = NULL;
	if (!space)
		return;
	for (unsigned cpu = 0; cpu < host.cpu_count; cpu++)
		host_fpu_drop(&space->guests[cpu]);
	host_table_free(space->table);
	host_space_end(space);
}

/* Notes the pages of one run in the table. `replaces`: something is taken away by it. */
static int note_map(struct host_space *space, const struct hal_mapping *map, bool *replaces)
{
	for (size_t i = 0; i < map->pages; i++) {
		uint64_t *entry = find_entry(space, map->addr + i * HAL_PAGE_SIZE, true, NULL);
		uint64_t value = (map->phys + i * HAL_PAGE_SIZE) | map->prot | PRESENT;

		if (!entry)
			return -ENOMEM;
		if ((*entry & PRESENT) && ((*entry ^ value) & ~(uint64_t)PROT_BITS ||
					   *entry & ~value & PROT_BITS))
			*replaces = true;
		*entry = value;
	}
	return 0;
}

int hal_mmu_map(struct hal_mmu *mmu, const struct hal_mapping *maps, size_t count)
{
	struct host_space *space = mmu->space;
	bool replaces = false;
	int err = 0;

	host_lock(&space->locked);
	if (space->fragments > FRAGMENTS_MAX)
		drop_all(space);
	for (size_t i = 0; i < count && !err; i++) {
		const struct hal_mapping *map = &maps[i];

		check_range("hal_mmu_map", map->addr, map->pages);
		if ((map->phys & (HAL_PAGE_SIZE - 1)) || map->phys > host.mem_bytes ||
		    map->pages > (host.mem_bytes - map->phys) / HAL_PAGE_SIZE)
			up_panic(0, 0, "hal_mmu_map: no RAM: %lx", (unsigned long)map->phys);
		if (!map->pages || !(map->prot & PROT_BITS))
			continue;
		err = note_map(space, map, &replaces);
		if (!err)
			queue_map(space, map);
	}
	if (replaces)
		(void)host_space_flush_locked(space);
	host_unlock(&space->locked);
	return err;
}

/* Calls for each entry in the range that is mapped, in ascending order. */
static void walk(struct host_space *space, vaddr_t addr, size_t pages,
		 void (*visit)(void *arg, vaddr_t addr, uint64_t *entry), void *arg)
{
	vaddr_t end = addr + pages * HAL_PAGE_SIZE;

	while (addr < end) {
		uint64_t skip = HAL_PAGE_SIZE;
		uint64_t *entry = find_entry(space, addr, false, &skip);

		if (entry && (*entry & PRESENT))
			visit(arg, addr, entry);
		if (skip >= end - addr)
			break;
		addr += skip;
	}
}

struct unmapping {
	vaddr_t first, end; /* what was mapped */
};

static void visit_unmap(void *arg, vaddr_t addr, uint64_t *entry)
{
	struct unmapping *range = arg;

	if (!range->end)
		range->first = addr;
	range->end = addr + HAL_PAGE_SIZE;
	*entry = 0;
}

void hal_mmu_unmap(struct hal_mmu *mmu, vaddr_t addr, size_t pages)
{
	struct host_space *space = mmu->space;
	struct unmapping range = {0, 0};

	check_range("hal_mmu_unmap", addr, pages);
	host_lock(&space->locked);
	walk(space, addr, pages, visit_unmap, &range);
	if (range.end) {
		queue_unmap(space, range.first, range.end);
		(void)host_space_flush_locked(space);
	}
	host_unlock(&space->locked);
}

struct protecting {
	struct host_space *space;
	unsigned prot;	  /* at most these rights */
	vaddr_t from, to; /* a run that will have the rights `run_prot` */
	unsigned run_prot;
	bool changed;
};

static void end_run(struct protecting *p)
{
	if (p->from == p->to)
		return;
	if (p->run_prot == HAL_PROT_NONE)
		queue_unmap(p->space, p->from, p->to);
	else
		queue_protect(p->space, p->from, p->to, p->run_prot);
	p->from = p->to = 0;
}

static void visit_protect(void *arg, vaddr_t addr, uint64_t *entry)
{
	struct protecting *p = arg;
	unsigned prot = *entry & PROT_BITS & p->prot;

	if (prot == (*entry & PROT_BITS))
		return;
	p->changed = true;
	if (addr != p->to || prot != p->run_prot)
		end_run(p);
	if (p->from == p->to)
		p->from = addr;
	p->to = addr + HAL_PAGE_SIZE;
	p->run_prot = prot;
	*entry = prot ? (*entry & ~(uint64_t)PROT_BITS) | prot : 0;
}

void hal_mmu_protect(struct hal_mmu *mmu, vaddr_t addr, size_t pages, unsigned prot)
{
	struct host_space *space = mmu->space;
	struct protecting p = {space, prot, 0, 0, 0, false};

	check_range("hal_mmu_protect", addr, pages);
	host_lock(&space->locked);
	walk(space, addr, pages, visit_protect, &p);
	end_run(&p);
	if (p.changed)
		(void)host_space_flush_locked(space);
	host_unlock(&space->locked);
}
