/*
 * The kernel's own address space: the direct map, the kernel image with W^X, device registers, and
 * guard pages.
 *
 * No lock: an entry changes by one atomic operation. Whoever needs a table that is not there makes
 * one and enters it with compare-and-swap; the loser of a race frees his. Present entries change
 * only from a big page to a table that says the same, and in their present bit.
 */
#include "hal/x86_64/paging.h"

#include "hal/base.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

typedef _Atomic uint64_t entry_t;

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE)
#define KERNEL_FLAGS (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)

static struct {
	entry_t root[PAGING_ENTRIES] __attribute__((aligned(4096)));
	_Atomic uint64_t device_next; /* bytes of the device window given away */
	bool loaded;		      /* on the boot CPU: head.S's tables are gone. Set once */
} paging;

static uint64_t global_flag(void)
{
	return x86_features.pge ? PTE_GLOBAL : 0;
}

static uint64_t no_exec_flag(void)
{
	return x86_features.nx ? PTE_NO_EXEC : 0;
}

static entry_t *table_of(uint64_t entry)
{
	return hal_phys_to_virt(entry & PTE_ADDR);
}

/* Puts a table with the same meaning in the place of a big page, or an empty one in that of
 * nothing. 0 or -ENOMEM. */
static int make_table(entry_t *entry, uint64_t old, unsigned level)
{
	paddr_t page = x86_page_alloc();
	uint64_t *table;

	if (!page)
		return -ENOMEM;
	table = hal_phys_to_virt(page);
	if (old & PTE_BIG) {
		uint64_t child = level == 2 ? old & ~PTE_BIG : old;

		for (unsigned i = 0; i < PAGING_ENTRIES; i++)
			table[i] = child + i * paging_level_bytes(level - 1);
	}
	if (!atomic_compare_exchange_strong(entry, &old, page | TABLE_FLAGS))
		up_page_free(page);
	return 0;
}

/* The entry for `addr` at `level`, with tables and splits made on the way. NULL without memory. */
static entry_t *find_entry(uint64_t addr, unsigned level)
{
	entry_t *table = paging.root;

	for (unsigned at = PAGING_LEVELS;; at--) {
		entry_t *entry = &table[paging_index(addr, at)];
		uint64_t value = atomic_load(entry);

		if (at == level)
			return entry;
		while (!(value & PTE_PRESENT) || (at <= 3 && value & PTE_BIG)) {
			if (make_table(entry, value, at))
				return NULL;
			value = atomic_load(entry);
		}
		table = table_of(value);
	}
}

static unsigned choose_level(uint64_t addr, paddr_t phys, uint64_t bytes)
{
	for (unsigned level = x86_features.big_pages_1g ? 3 : 2; level > 1; level--) {
		uint64_t step = paging_level_bytes(level);

		if (!((addr | phys) & (step - 1)) && bytes >= step)
			return level;
	}
	return 1;
}

/* Enters what was not mapped before. 0 or -ENOMEM. */
static int map_range(uint64_t addr, paddr_t phys, uint64_t bytes, uint64_t flags)
{
	while (bytes) {
		unsigned level = choose_level(addr, phys, bytes);
		entry_t *entry = find_entry(addr, level);
		uint64_t step = paging_level_bytes(level);

		if (!entry)
			return -ENOMEM;
		atomic_store(entry, phys | flags | (level > 1 ? PTE_BIG : 0));
		addr += step;
		phys += step;
		bytes -= MIN(bytes, step);
	}
	return 0;
}

static int map_kernel(const char *start, const char *end, uint64_t flags)
{
	uint64_t bytes = (uintptr_t)end - (uintptr_t)start;

	for (uint64_t at = 0; at < bytes; at += HAL_PAGE_SIZE) {
		entry_t *entry = find_entry((uintptr_t)start + at, 1);

		if (!entry)
			return -ENOMEM;
		atomic_store(entry, (kernel_to_phys(start) + at) | KERNEL_FLAGS | global_flag() |
					    flags);
	}
	return 0;
}

/* All RAM but the kernel image: no alias of its text can be written. */
static int map_ram(const struct ram_map *all)
{
	struct ram_map map = *all;

	ram_map_remove(&map, kernel_to_phys(kernel_start), (uint64_t)(kernel_end - kernel_start));
	for (unsigned i = 0; i < map.count; i++) {
		const struct hal_range *range = &map.ranges[i];
		int err = map_range(HAL_DIRECT_MAP_BASE + range->base, range->base, range->bytes,
				    KERNEL_FLAGS | PTE_WRITE | global_flag() | no_exec_flag());

		if (err)
			return err;
	}
	return 0;
}

void x86_paging_init(void)
{
	if (map_ram(&x86_boot_state.all_ram) ||
	    map_kernel(kernel_text_start, kernel_text_end, 0) ||
	    map_kernel(kernel_rodata_start, kernel_rodata_end, no_exec_flag()) ||
	    map_kernel(kernel_data_start, kernel_end, PTE_WRITE | no_exec_flag()) ||
	    !find_entry(PAGING_DEVICE_BASE, 3))
		x86_boot_fail("cannot map memory", "there is too little of it",
			  "Give the machine at least 16 MiB.");
}

void x86_paging_flush(void)
{
	uint64_t cr4 = read_cr4();

	if (cr4 & CR4_PGE) {
		/* Any change of this flag drops all, also global ones and those of other PCIDs. */
		write_cr4(cr4 & ~CR4_PGE);
		write_cr4(cr4);
	} else {
		write_cr3(read_cr3());
	}
}

void x86_paging_load(void)
{
	write_cr3(kernel_to_phys((const void *)paging.root));
	paging.loaded = true;
	x86_paging_flush();
}

paddr_t x86_paging_kernel_root_phys(void)
{
	return kernel_to_phys((const void *)paging.root);
}

void x86_paging_copy_kernel_half(uint64_t *root)
{
	for (unsigned i = PAGING_KERNEL_FIRST; i < PAGING_ENTRIES; i++)
		root[i] = atomic_load(&paging.root[i]);
}

/* The entry that decides about `addr`, as it is now: of a page, or of the hole it lies in. */
static uint64_t look_up(uintptr_t addr)
{
	entry_t *table = paging.root;

	for (unsigned level = PAGING_LEVELS;; level--) {
		uint64_t value = atomic_load(&table[paging_index(addr, level)]);

		if (!(value & PTE_PRESENT) || level == 1 || (level <= 3 && value & PTE_BIG))
			return value;
		table = table_of(value);
	}
}

bool x86_paging_is_mapped(uintptr_t addr)
{
	return addr >= HAL_DIRECT_MAP_BASE && look_up(addr) & PTE_PRESENT;
}

bool x86_paging_is_guarded(uintptr_t addr)
{
	uint64_t entry = addr >= HAL_DIRECT_MAP_BASE ? look_up(addr) : 0;

	return entry && !(entry & PTE_PRESENT);
}

int x86_paging_map_device(paddr_t phys, size_t bytes, uintptr_t *addr)
{
	uint64_t flags = KERNEL_FLAGS | PTE_WRITE | PTE_UNCACHED | PTE_WRITE_THROUGH |
			 global_flag() | no_exec_flag();
	uint64_t big = paging_level_bytes(2), offset = phys & (HAL_PAGE_SIZE - 1), start, size;

	if (!paging.loaded) {
		*addr = (uintptr_t)hal_phys_to_virt(phys);
		return phys < BOOT_REACH && bytes <= BOOT_REACH - phys ? 0 : -ENOMEM;
	}
	size = ALIGN_UP(bytes + offset, (uint64_t)HAL_PAGE_SIZE);
	phys -= offset;
	/* Large ones lie in the window as they lie in memory, so that big pages fit. */
	start = atomic_fetch_add(&paging.device_next,
				 size >= big ? ALIGN_UP(size, big) + 2 * big : size);
	if (size >= big)
		start = ALIGN_UP(start, big) + (phys & (big - 1));
	if (start + size > PAGING_DEVICE_BYTES)
		return -ENOMEM;
	*addr = PAGING_DEVICE_BASE + start + offset;
	return map_range(PAGING_DEVICE_BASE + start, phys, size, flags);
}

int hal_mmio_map(paddr_t regs, size_t bytes, uintptr_t *base)
{
	if (!bytes || bytes > PAGING_DEVICE_BYTES || regs + bytes < regs ||
	    (regs + bytes - 1) >> x86_features.phys_bits ||
	    ram_map_overlaps(&x86_boot_state.all_ram, regs, bytes))
		return -EINVAL;
	return x86_paging_map_device(regs, bytes, base);
}

int hal_guard_set(void *page, bool guarded)
{
	struct x86_request request = {.kind = REQUEST_TLB_KERNEL, .addr = (uintptr_t)page};
	paddr_t phys = hal_virt_to_phys(page);
	entry_t *entry;

	if (phys & (HAL_PAGE_SIZE - 1) ||
	    !ram_map_overlaps(&x86_boot_state.all_ram, phys, HAL_PAGE_SIZE))
		up_panic(0, 0, "hal_guard_set: %p is no page of the direct map", page);
	entry = find_entry((uintptr_t)page, 1);
	if (!entry)
		return -ENOMEM;
	if (!guarded) {
		atomic_fetch_or(entry, PTE_PRESENT);
		return 0;
	}
	atomic_fetch_and(entry, ~PTE_PRESENT);
	invlpg((uintptr_t)page);
	x86_smp_request(&request, ~0ull);
	return 0;
}
