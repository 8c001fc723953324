/*
 * User address spaces: four levels of tables below TTBR0, pages of 4 KiB, an ASID for each space.
 *
 * TTBR0 points to a space only while its user code runs; the kernel runs with an empty table, so
 * that it cannot touch user memory by a user address, and no CPU walks tables that are gone.
 * TLB invalidations are broadcast by the hardware (inner shareable), so that no CPU is interrupted,
 * but only where another CPU has run in the space (hal_mmu.cpus): a broadcast is dear, most of all
 * in an emulator. A CPU enters itself there, then a full barrier, then it uses the tables; a change
 * is made to the tables, then a full barrier, then hal_mmu.cpus is read. So one of the two sees the
 * other. Tables that a removal has emptied are freed after the TLBs have forgotten them.
 *
 * Lock: the kernel's own for each space; ASIDs are taken by compare-and-swap of bitmap words.
 */
#include "hal/arm64/arm64_priv.h"
#include "hal/arm64/pagetable.h"

#define PAGES_FLUSHED_SINGLY 16
#define LEAF_LEVEL 3

static uint64_t *table_of(paddr_t entry)
{
	return hal_phys_to_virt(entry & PTE_ADDRESS);
}

static unsigned index_of(vaddr_t addr, unsigned level)
{
	return addr >> (39 - 9 * level) & 511;
}

/* ---- Translation caches ---- */

/* Who may hold translations of a space. */
enum reach { REACH_NOBODY, REACH_THIS_CPU, REACH_OTHERS };

void mmu_enter(struct hal_mmu *mmu, unsigned cpu)
{
	uint64_t bit = 1ull << cpu;

	if (__atomic_load_n(&mmu->cpus, __ATOMIC_RELAXED) & bit)
		return;
	__atomic_fetch_or(&mmu->cpus, bit, __ATOMIC_SEQ_CST);
	__asm__ volatile("dsb ish" ::: "memory");
}

/* Makes changes of the tables visible to all walks to come, and says who may know the old ones. */
static enum reach sync_tables(const struct hal_mmu *mmu)
{
	uint64_t cpus;

	__asm__ volatile("dsb ish" ::: "memory");
	cpus = __atomic_load_n(&mmu->cpus, __ATOMIC_SEQ_CST);
	if (cpus == 0)
		return REACH_NOBODY;
	return cpus == 1ull << this_cpu()->id ? REACH_THIS_CPU : REACH_OTHERS;
}

static void flush_page(const struct hal_mmu *mmu, vaddr_t addr, enum reach reach)
{
	uint64_t what = mmu->asid << 48 | addr >> HAL_PAGE_SHIFT;

	if (reach == REACH_THIS_CPU)
		__asm__ volatile("tlbi vale1, %0" ::"r"(what) : "memory");
	else if (reach == REACH_OTHERS)
		__asm__ volatile("tlbi vale1is, %0" ::"r"(what) : "memory");
}

static void flush_space(const struct hal_mmu *mmu, enum reach reach)
{
	uint64_t what = mmu->asid << 48;

	if (reach == REACH_THIS_CPU)
		__asm__ volatile("tlbi aside1, %0" ::"r"(what) : "memory");
	else if (reach == REACH_OTHERS)
		__asm__ volatile("tlbi aside1is, %0" ::"r"(what) : "memory");
}

/* Waits until the invalidations of this CPU are done everywhere. */
static void wait_for_flushes(void)
{
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

/* ---- Address space numbers ---- */

/* 0 is nobody's. */
static int take_asid(uint64_t *asid)
{
	unsigned words = (1u << arm64.asid_bits) / 64, i;
	unsigned start = atomic_fetch_add(&arm64.asids.hint, 1) % words;

	for (i = 0; i < words; i++) {
		unsigned at = (start + i) % words;
		uint64_t old = atomic_load(&arm64.asids.used[at]) | (at == 0);

		while (old != UINT64_MAX) {
			unsigned bit = (unsigned)__builtin_ctzll(~old);

			if (atomic_fetch_or(&arm64.asids.used[at], 1ull << bit) & 1ull << bit) {
				old = atomic_load(&arm64.asids.used[at]) | (at == 0);
				continue;
			}
			*asid = at * 64ull + bit;
			return 0;
		}
	}
	return -EAGAIN;
}

static void give_asid(uint64_t asid)
{
	atomic_fetch_and(&arm64.asids.used[asid / 64], ~(1ull << asid % 64));
}

int hal_mmu_init(struct hal_mmu *mmu)
{
	int err = take_asid(&mmu->asid);

	if (err != 0)
		return err;
	err = up_page_alloc(&mmu->root);
	if (err != 0)
		give_asid(mmu->asid);
	mmu->cpus = 0;
	return err;
}

static void free_tables(paddr_t phys, unsigned level)
{
	uint64_t *table = table_of(phys);
	unsigned i;

	if (level < LEAF_LEVEL)
		for (i = 0; i < 512; i++)
			if (table[i] != 0)
				free_tables(table[i] & PTE_ADDRESS, level + 1);
	up_page_free(phys);
}

void hal_mmu_fini(struct hal_mmu *mmu)
{
	flush_space(mmu, sync_tables(mmu));
	wait_for_flushes();
	free_tables(mmu->root, 0);
	give_asid(mmu->asid);
	mmu->root = 0;
}

/* ---- Entering ---- */

static uint64_t leaf_bits(unsigned prot)
{
	uint64_t bits = PTE_PAGE | PTE_NORMAL | PTE_NOT_GLOBAL | PTE_PXN;

	if (prot & (HAL_PROT_READ | HAL_PROT_WRITE))
		bits |= PTE_USER;
	if (!(prot & HAL_PROT_WRITE))
		bits |= PTE_READ_ONLY;
	if (!(prot & HAL_PROT_EXEC))
		bits |= PTE_UXN;
	return bits;
}

/* Instructions that were written as data become visible to instruction fetch on all CPUs. */
static void sync_code(paddr_t phys)
{
	uint64_t type = READ_SYSREG(ctr_el0);
	uintptr_t start = (uintptr_t)hal_phys_to_virt(phys), at;
	uintptr_t data_line = 4ul << (type >> 16 & 15), code_line = 4ul << (type & 15);
	bool data_coherent = type >> 28 & 1, code_coherent = type >> 29 & 1;
	bool physically_tagged = (type >> 14 & 3) == 3;

	for (at = start; !data_coherent && at < start + HAL_PAGE_SIZE; at += data_line)
		__asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
	__asm__ volatile("dsb ish" ::: "memory");
	if (code_coherent)
		return;
	if (!physically_tagged)
		__asm__ volatile("ic ialluis" ::: "memory");
	for (at = start; physically_tagged && at < start + HAL_PAGE_SIZE; at += code_line)
		__asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
	__asm__ volatile("dsb ish" ::: "memory");
}

/* The leaf entry of `addr`, with the tables above it made. NULL: no memory. */
static uint64_t *make_leaf(struct hal_mmu *mmu, vaddr_t addr)
{
	uint64_t *table = table_of(mmu->root);
	unsigned level;

	for (level = 0; level < LEAF_LEVEL; level++) {
		uint64_t *entry = &table[index_of(addr, level)];
		paddr_t page;

		if (*entry == 0) {
			if (up_page_alloc(&page) != 0)
				return NULL;
			__atomic_store_n(entry, page | PTE_TABLE, __ATOMIC_RELEASE);
		}
		table = table_of(*entry);
	}
	return &table[index_of(addr, LEAF_LEVEL)];
}

/* Another page or kind of memory has to pass through an invalid entry (break before make). */
static void replace_leaf(struct hal_mmu *mmu, vaddr_t addr, uint64_t *entry, uint64_t value)
{
	if (value != 0 && ((*entry ^ value) & PTE_ADDRESS) == 0) {
		__atomic_store_n(entry, value, __ATOMIC_RELEASE);
		value = 0;
	} else {
		__atomic_store_n(entry, 0, __ATOMIC_RELEASE);
	}
	flush_page(mmu, addr, sync_tables(mmu));
	wait_for_flushes();
	if (value != 0)
		__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static int map_run(struct hal_mmu *mmu, const struct hal_mapping *map)
{
	uint64_t bits = map->prot == HAL_PROT_NONE ? 0 : leaf_bits(map->prot);
	uint64_t *entry = NULL;
	size_t i;

	for (i = 0; i < map->pages; i++) {
		vaddr_t addr = map->addr + i * HAL_PAGE_SIZE;
		paddr_t phys = map->phys + i * HAL_PAGE_SIZE;
		uint64_t value = bits == 0 ? 0 : phys | bits;

		if (entry == NULL || index_of(addr, LEAF_LEVEL) == 0)
			entry = make_leaf(mmu, addr);
		else
			entry++;
		if (entry == NULL)
			return -ENOMEM;
		if (map->prot & HAL_PROT_EXEC)
			sync_code(phys);
		if (*entry == value)
			continue;
		if (*entry == 0)
			__atomic_store_n(entry, value, __ATOMIC_RELEASE);
		else
			replace_leaf(mmu, addr, entry, value);
	}
	return 0;
}

static void check_range(vaddr_t addr, size_t pages)
{
	if (addr % HAL_PAGE_SIZE != 0 || addr > HAL_USER_MAX ||
	    pages > (HAL_USER_MAX - addr) / HAL_PAGE_SIZE)
		up_panic(0, 0, "hal_mmu: %lx + %lx pages is not user memory", (unsigned long)addr,
			 (unsigned long)pages);
}

int hal_mmu_map(struct hal_mmu *mmu, const struct hal_mapping *maps, size_t count)
{
	int err = 0;
	size_t i;

	for (i = 0; i < count && err == 0; i++) {
		check_range(maps[i].addr, maps[i].pages);
		err = map_run(mmu, &maps[i]);
	}
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
	return err;
}

/* ---- Removing and lowering ---- */

struct change {
	struct hal_mmu *mmu;
	vaddr_t addr, end; /* what is changed */
	unsigned prot;	   /* rights that stay; HAL_PROT_NONE: the pages go */
	paddr_t freed;	   /* tables to be freed, linked by their entry 0 (page-aligned: invalid) */
	size_t flushes;	   /* pages whose translations must go; the first of them: */
	vaddr_t flushed[PAGES_FLUSHED_SINGLY];
};

static uint64_t lower_leaf(uint64_t value, unsigned prot)
{
	if (!(prot & HAL_PROT_WRITE))
		value |= PTE_READ_ONLY;
	if (!(prot & HAL_PROT_EXEC))
		value |= PTE_UXN;
	if (!(prot & (HAL_PROT_READ | HAL_PROT_WRITE)))
		value &= ~PTE_USER;
	return (value & PTE_USER) == 0 && (value & PTE_UXN) != 0 ? 0 : value;
}

static void change_leaf(struct change *change, vaddr_t addr, uint64_t *entry)
{
	uint64_t value = lower_leaf(*entry, change->prot);

	if (value == *entry)
		return;
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	if (change->flushes < PAGES_FLUSHED_SINGLY)
		change->flushed[change->flushes] = addr;
	change->flushes++;
}

static void drop_table(struct change *change, uint64_t *entry)
{
	paddr_t phys = *entry & PTE_ADDRESS;

	__atomic_store_n(entry, 0, __ATOMIC_RELEASE);
	table_of(phys)[0] = change->freed;
	change->freed = phys;
	change->flushes = PAGES_FLUSHED_SINGLY + 1;
}

/* Works on the part of the change that lies in one table, which maps from `base` on. Four levels
 * deep at most. */
static void change_table(struct change *change, uint64_t *table, unsigned level, vaddr_t base)
{
	vaddr_t step = 1ull << (39 - 9 * level), addr;
	vaddr_t from = change->addr > base ? change->addr : base;
	unsigned i;

	for (i = from > base ? (from - base) / step : 0; i < 512; i++) {
		addr = base + i * step;
		if (addr >= change->end)
			return;
		if (table[i] == 0)
			continue;
		if (level == LEAF_LEVEL) {
			change_leaf(change, addr, &table[i]);
			continue;
		}
		change_table(change, table_of(table[i]), level + 1, addr);
		if (level == LEAF_LEVEL - 1 && change->prot == HAL_PROT_NONE &&
		    addr >= change->addr && addr + step <= change->end)
			drop_table(change, &table[i]);
	}
}

static void apply_change(struct change *change)
{
	enum reach reach;
	size_t i;

	change_table(change, table_of(change->mmu->root), 0, 0);
	if (change->flushes == 0)
		return;
	reach = sync_tables(change->mmu);
	if (change->flushes > PAGES_FLUSHED_SINGLY)
		flush_space(change->mmu, reach);
	else
		for (i = 0; i < change->flushes; i++)
			flush_page(change->mmu, change->flushed[i], reach);
	wait_for_flushes();
	while (change->freed != 0) {
		paddr_t next = table_of(change->freed)[0];

		up_page_free(change->freed);
		change->freed = next;
	}
}

void hal_mmu_unmap(struct hal_mmu *mmu, vaddr_t addr, size_t pages)
{
	struct change change = {.mmu = mmu, .addr = addr, .end = addr + pages * HAL_PAGE_SIZE};

	check_range(addr, pages);
	apply_change(&change);
}

void hal_mmu_protect(struct hal_mmu *mmu, vaddr_t addr, size_t pages, unsigned prot)
{
	struct change change = {
		.mmu = mmu,
		.addr = addr,
		.end = addr + pages * HAL_PAGE_SIZE,
		.prot = prot,
	};

	check_range(addr, pages);
	apply_change(&change);
}
