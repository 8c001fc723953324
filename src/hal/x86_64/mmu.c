/*
 * User address spaces: page tables, what each CPU has cached of them, and how that is dropped.
 *
 * The kernel's half of each table is a copy of the kernel's own entries. Accessed and dirty bits
 * are set from the start, so that the CPU never writes an entry. Tables that have become empty stay
 * until the space ends.
 *
 * A CPU keeps a space in CR3 after it has left user code. With PCIDs it also keeps the translations
 * of PCID_SLOTS spaces that it ran; slot i is PCID i + 1, and PCID 0 is the kernel's own.
 * Invariants:
 *   1. A CPU that may hold translations of a space has its bit in space->cpus: the bit is set
 *      before the space is loaded, and cleared by that CPU alone, after it has dropped them.
 *   2. Who takes rights away changes the tables first and reads space->cpus after that; both are
 *      sequentially consistent. So a CPU that he misses loads the tables as they are now.
 *   3. Lock: the kernel's own for the space. What belongs to a CPU changes there, with hardware
 *      interrupts off.
 */
#include "hal/base.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/cpu_priv.h"
#include "hal/x86_64/paging.h"

#define CR3_KEEP (1ull << 63) /* keep the translations of the PCID that is loaded */
#define FLUSH_PAGES_MAX 32u   /* more are dropped with the whole space */
#define ALL_PAGES 0u	      /* of a request: the space ends */
#define USER_END (1ull << 47)

static uint64_t *table_of(uint64_t entry)
{
	return hal_phys_to_virt(entry & PTE_ADDR);
}

/* ---- What a CPU has cached ---- */

static void forget_space(struct x86_cpu *cpu, struct hal_mmu *mmu)
{
	for (unsigned i = 0; i < PCID_SLOTS; i++)
		if (cpu->pcid_mmu[i] == mmu)
			cpu->pcid_mmu[i] = NULL;
	__atomic_fetch_and(&mmu->cpus, ~(1ull << cpu->id), __ATOMIC_SEQ_CST);
}

static unsigned find_slot(struct x86_cpu *cpu, struct hal_mmu *mmu, bool *keep)
{
	unsigned slot;

	for (slot = 0; slot < PCID_SLOTS; slot++) {
		if (cpu->pcid_mmu[slot] == mmu) {
			*keep = true;
			return slot;
		}
	}
	slot = cpu->pcid_next;
	cpu->pcid_next = (slot + 1) % PCID_SLOTS;
	if (cpu->pcid_mmu[slot])
		forget_space(cpu, cpu->pcid_mmu[slot]);
	cpu->pcid_mmu[slot] = mmu;
	*keep = false;
	return slot;
}

void x86_mmu_load(struct x86_cpu *cpu, struct hal_mmu *mmu)
{
	struct hal_mmu *old = cpu->mmu;
	bool keep = false;

	if (old == mmu)
		return;
	if (!mmu) {
		write_cr3(x86_paging_kernel_root_phys());
	} else {
		__atomic_fetch_or(&mmu->cpus, 1ull << cpu->id, __ATOMIC_SEQ_CST);
		if (x86_features.pcid) {
			unsigned slot = find_slot(cpu, mmu, &keep);

			write_cr3(mmu->root | (slot + 1) | (keep ? CR3_KEEP : 0));
		} else {
			write_cr3(mmu->root);
		}
	}
	cpu->mmu = mmu;
	if (old && !x86_features.pcid)
		forget_space(cpu, old);
}

/* Drops translations of [addr, addr + pages) of the space in CR3. */
static void flush_current(uint64_t addr, uint64_t pages)
{
	if (pages > FLUSH_PAGES_MAX) {
		write_cr3(read_cr3() & ~CR3_KEEP);
		return;
	}
	for (; pages; pages--, addr += HAL_PAGE_SIZE)
		invlpg(addr);
}

static void flush_here(struct x86_cpu *cpu, struct hal_mmu *mmu, uint64_t addr, uint64_t pages)
{
	if (pages == ALL_PAGES && cpu->mmu == mmu)
		x86_mmu_load(cpu, NULL);
	if (cpu->mmu == mmu)
		flush_current(addr, pages);
	else
		forget_space(cpu, mmu); /* its next load begins without translations */
}

void x86_mmu_serve(struct x86_cpu *cpu, const struct x86_request *request)
{
	if (request->kind == REQUEST_TLB_KERNEL)
		invlpg(request->addr);
	else
		flush_here(cpu, request->mmu, request->addr, request->pages);
}

/* Drops translations on all CPUs that may hold them. */
static void flush_everywhere(struct hal_mmu *mmu, uint64_t addr, uint64_t pages)
{
	struct x86_request request = {
		.kind = REQUEST_TLB_USER, .mmu = mmu, .addr = addr, .pages = pages};
	uint64_t cpus, own = 1ull << x86_cpu_this()->id;
	bool enabled;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	cpus = __atomic_load_n(&mmu->cpus, __ATOMIC_SEQ_CST);
	if (cpus & own) {
		enabled = hardware_irq_disable();
		flush_here(x86_cpu_this(), mmu, addr, pages);
		hardware_irq_restore(enabled);
	}
	if (cpus & ~own)
		x86_smp_request(&request, cpus & ~own);
}

/* A page has got more rights: this CPU must see them, others may fault once more. */
static void flush_own(struct hal_mmu *mmu, uint64_t addr)
{
	bool enabled = hardware_irq_disable();

	if (__atomic_load_n(&mmu->cpus, __ATOMIC_RELAXED) & 1ull << x86_cpu_this()->id)
		flush_here(x86_cpu_this(), mmu, addr, 1);
	hardware_irq_restore(enabled);
}

/* ---- Tables ---- */

int hal_mmu_init(struct hal_mmu *mmu)
{
	memset(mmu, 0, sizeof(*mmu));
	if (up_page_alloc(&mmu->root))
		return -ENOMEM;
	x86_paging_copy_kernel_half(hal_phys_to_virt(mmu->root));
	return 0;
}

static void free_tables(uint64_t *table, unsigned level, unsigned entries)
{
	for (unsigned i = 0; i < entries; i++) {
		if (!(table[i] & PTE_PRESENT))
			continue;
		if (level > 2)
			free_tables(table_of(table[i]), level - 1, PAGING_ENTRIES);
		up_page_free(table[i] & PTE_ADDR);
	}
}

void hal_mmu_fini(struct hal_mmu *mmu)
{
	flush_everywhere(mmu, 0, ALL_PAGES);
	free_tables(hal_phys_to_virt(mmu->root), PAGING_LEVELS, PAGING_KERNEL_FIRST);
	up_page_free(mmu->root);
	mmu->root = 0;
}

/* The lowest table for `addr`; made if it is not there. NULL without memory. */
static uint64_t *make_table(struct hal_mmu *mmu, uint64_t addr)
{
	uint64_t *table = hal_phys_to_virt(mmu->root);

	for (unsigned level = PAGING_LEVELS; level > 1; level--) {
		uint64_t *entry = &table[paging_index(addr, level)];
		paddr_t page;

		if (!(*entry & PTE_PRESENT)) {
			if (up_page_alloc(&page))
				return NULL;
			__atomic_store_n(entry,
					 page | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED,
					 __ATOMIC_RELEASE);
		}
		table = table_of(*entry);
	}
	return table;
}

/* The lowest table for `addr`, or NULL; then `*next` is the first address behind the hole. */
static uint64_t *find_table(struct hal_mmu *mmu, uint64_t addr, uint64_t *next)
{
	uint64_t *table = hal_phys_to_virt(mmu->root);

	for (unsigned level = PAGING_LEVELS; level > 1; level--) {
		uint64_t entry = table[paging_index(addr, level)];

		if (!(entry & PTE_PRESENT)) {
			*next = ALIGN_DOWN(addr, paging_level_bytes(level)) +
				paging_level_bytes(level);
			return NULL;
		}
		table = table_of(entry);
	}
	return table;
}

bool x86_mmu_peek(struct hal_mmu *mmu, uint64_t addr, uint8_t *byte)
{
	uint64_t next, *table, entry;

	if (addr >= USER_END)
		return false;
	table = find_table(mmu, addr, &next);
	entry = table ? __atomic_load_n(&table[paging_index(addr, 1)], __ATOMIC_RELAXED) : 0;
	if (!(entry & PTE_PRESENT))
		return false;
	*byte = ((const uint8_t *)hal_phys_to_virt(entry & PTE_ADDR))[addr & (HAL_PAGE_SIZE - 1)];
	return true;
}

static uint64_t entry_flags(unsigned prot)
{
	uint64_t flags = PTE_PRESENT | PTE_USER | PTE_ACCESSED;

	if (prot == HAL_PROT_NONE)
		return 0;
	if (prot & HAL_PROT_WRITE)
		flags |= PTE_WRITE | PTE_DIRTY;
	if (!(prot & HAL_PROT_EXEC) && x86_features.nx)
		flags |= PTE_NO_EXEC;
	return flags;
}

static void check_range(const char *call, uint64_t addr, uint64_t pages)
{
	if (addr & (HAL_PAGE_SIZE - 1) || addr >= USER_END ||
	    pages > (USER_END - addr) >> HAL_PAGE_SHIFT)
		up_panic(0, 0, "%s: %lx and %lu pages are no user addresses", call,
			 (unsigned long)addr, (unsigned long)pages);
}

/* Whether a CPU that still uses `old` could do what `new` does not allow. */
static bool takes_away(uint64_t old, uint64_t new)
{
	if (!(old & PTE_PRESENT))
		return false;
	return (old ^ new) & PTE_ADDR || !(new & PTE_PRESENT) ||
	       (old & PTE_WRITE && !(new & PTE_WRITE)) ||
	       (!(old & PTE_NO_EXEC) && new & PTE_NO_EXEC);
}

static int map_one(struct hal_mmu *mmu, const struct hal_mapping *map, bool *flush)
{
	uint64_t flags = entry_flags(map->prot), *table = NULL;

	check_range("hal_mmu_map", map->addr, map->pages);
	for (size_t i = 0; i < map->pages; i++) {
		uint64_t addr = map->addr + i * HAL_PAGE_SIZE, old, new;
		unsigned index = paging_index(addr, 1);

		if (!table || !index)
			table = make_table(mmu, addr);
		if (!table)
			return -ENOMEM;
		new = flags ? (map->phys + i * HAL_PAGE_SIZE) | flags : 0;
		old = __atomic_exchange_n(&table[index], new, __ATOMIC_SEQ_CST);
		if (takes_away(old, new))
			*flush = true;
		else if (old & PTE_PRESENT && old != new)
			flush_own(mmu, addr);
	}
	return 0;
}

int hal_mmu_map(struct hal_mmu *mmu, const struct hal_mapping *maps, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		bool flush = false;

		err = map_one(mmu, &maps[i], &flush);
		if (flush)
			flush_everywhere(mmu, maps[i].addr, maps[i].pages);
	}
	return err;
}

/* Changes what is mapped in the range to `flags`, or less; the number of pages that lost rights. */
static uint64_t lower_range(struct hal_mmu *mmu, uint64_t addr, uint64_t end, unsigned prot)
{
	uint64_t changed = 0, keep = ~0ull, set = 0;

	if (prot != HAL_PROT_NONE && !(prot & HAL_PROT_WRITE))
		keep = ~(PTE_WRITE | PTE_DIRTY);
	if (prot != HAL_PROT_NONE && !(prot & HAL_PROT_EXEC) && x86_features.nx)
		set = PTE_NO_EXEC;
	while (addr < end) {
		uint64_t next = 0, *table = find_table(mmu, addr, &next);

		if (!table) {
			addr = next;
			continue;
		}
		for (unsigned i = paging_index(addr, 1); i < PAGING_ENTRIES && addr < end;
		     i++, addr += HAL_PAGE_SIZE) {
			uint64_t old = table[i];
			uint64_t new = prot == HAL_PROT_NONE ? 0 : (old & keep) | set;

			if (!(old & PTE_PRESENT) || old == new)
				continue;
			__atomic_store_n(&table[i], new, __ATOMIC_SEQ_CST);
			changed++;
		}
	}
	return changed;
}

void hal_mmu_protect(struct hal_mmu *mmu, vaddr_t addr, size_t pages, unsigned prot)
{
	check_range("hal_mmu_protect", addr, pages);
	if (lower_range(mmu, addr, addr + pages * HAL_PAGE_SIZE, prot))
		flush_everywhere(mmu, addr, pages);
}

void hal_mmu_unmap(struct hal_mmu *mmu, vaddr_t addr, size_t pages)
{
	check_range("hal_mmu_unmap", addr, pages);
	if (lower_range(mmu, addr, addr + pages * HAL_PAGE_SIZE, HAL_PROT_NONE))
		flush_everywhere(mmu, addr, pages);
}
