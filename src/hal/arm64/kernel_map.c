/*
 * The kernel's half of the address space: direct map of RAM, device registers, guard pages.
 *
 * RAM is mapped in pages, not blocks: a guard page may be asked for anywhere at any time, and a
 * block that CPUs stand on (their stacks lie in it) cannot be taken apart, because the
 * architecture wants it to be invalid for a moment (D8.14, break-before-make). The image itself is
 * left out of the direct map, so that its text has no writable alias. Device registers are mapped
 * at the same distance as RAM, as Device-nGnRE.
 *
 * The tables of the direct map are made at boot out of a pool that is reached through a window of
 * 2 MiB blocks (boot_map.c), and later through the direct map itself.
 *
 * No lock: a table is entered by compare-and-swap of an empty entry; tables are never removed.
 */
#include "hal/arm64/arm64_priv.h"
#include "hal/arm64/pagetable.h"

#define POOL_SPARE_PAGES 64 /* for the registers of devices that the machine itself uses */
#define FAULT_STACK_BYTES (2 * PAGE_BYTES)

typedef uint64_t table_t[512];

static uintptr_t window_at(unsigned block)
{
	return (uintptr_t)kernel_start + block * BLOCK_BYTES;
}

uintptr_t kernel_map_uart(paddr_t regs)
{
	kernel_l2[WINDOW_UART] = ALIGN_DOWN(regs, BLOCK_BYTES) | PTE_BLOCK | PTE_DEVICE;
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
	return window_at(WINDOW_UART) + (regs & (BLOCK_BYTES - 1));
}

/* A table by its physical address. */
static uint64_t *table_at(paddr_t phys)
{
	if (arm64.direct_map)
		return hal_phys_to_virt(phys);
	return (uint64_t *)(window_at(WINDOW_POOL) + (phys - arm64.pool_window));
}

/* 0: there is no page. */
static paddr_t table_alloc(void)
{
	paddr_t page = atomic_fetch_add(&arm64.pool_next, PAGE_BYTES);

	if (page < arm64.pool_end)
		return page;
	atomic_fetch_sub(&arm64.pool_next, PAGE_BYTES);
	if (!arm64.kernel_runs || up_page_alloc(&page) != 0)
		return 0;
	return page;
}

/* The table that `entry` points to, made if there is none. NULL: no memory, or a block. */
static uint64_t *table_below(uint64_t *entry)
{
	uint64_t old = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
	paddr_t page;

	if (!(old & PTE_VALID)) {
		page = table_alloc();
		if (page == 0)
			return NULL;
		if (__atomic_compare_exchange_n(entry, &old, page | PTE_TABLE, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return table_at(page);
		if (page < arm64.pool_window || page >= arm64.pool_end)
			up_page_free(page);
	}
	if ((old & PTE_TABLE) != PTE_TABLE)
		return NULL;
	return table_at(old & PTE_ADDRESS);
}

/* Maps [phys, phys + bytes), page-aligned, at its place behind HAL_DIRECT_MAP_BASE. Blocks are
 * used where `blocks`. What is mapped already stays. */
static int map_direct(paddr_t phys, uint64_t bytes, uint64_t bits, bool blocks)
{
	paddr_t end = phys + bytes;
	uint64_t *l1, *l2, *l3;

	while (phys < end) {
		l1 = table_below(&kernel_l0[phys >> 39 & 511]);
		l2 = l1 == NULL ? NULL : table_below(&l1[phys >> 30 & 511]);
		if (l2 == NULL)
			return -ENOMEM;
		l2 += phys >> 21 & 511;
		if (*l2 != 0 && (*l2 & PTE_TABLE) == PTE_BLOCK) {
			phys = ALIGN_DOWN(phys, BLOCK_BYTES) + BLOCK_BYTES;
			continue;
		}
		if (blocks && *l2 == 0 && phys % BLOCK_BYTES == 0 && end - phys >= BLOCK_BYTES) {
			__atomic_store_n(l2, phys | bits | PTE_BLOCK, __ATOMIC_RELEASE);
			phys += BLOCK_BYTES;
			continue;
		}
		l3 = table_below(l2);
		if (l3 == NULL)
			return -ENOMEM;
		do {
			l3[phys >> 12 & 511] = phys | bits | PTE_PAGE;
			phys += PAGE_BYTES;
		} while (phys < end && phys % BLOCK_BYTES != 0);
	}
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
	return 0;
}

/* ---- At boot ---- */

/* All that is taken from the pool before up_boot(). */
static uint64_t pool_bytes(void)
{
	uint64_t pages = POOL_SPARE_PAGES, bytes = 0;
	unsigned i;

	for (i = 0; i < arm64.ram.count; i++) {
		pages += 2 * 3 + arm64.ram.ranges[i].bytes / BLOCK_BYTES;
		pages += arm64.ram.ranges[i].bytes / (BLOCK_BYTES * 512) + 2;
	}
	bytes = arm64.cpu_count * (HAL_STACK_BYTES + FAULT_STACK_BYTES);
	return ALIGN_UP(bytes + pages * PAGE_BYTES, PAGE_BYTES);
}

static void open_pool(void)
{
	uint64_t bytes = pool_bytes();
	unsigned block;
	paddr_t base;

	base = ram_map_take(&arm64.free, bytes, PAGE_BYTES, RAM_END_MAX);
	if (base == 0)
		boot_fail("memory", "no piece of it is large enough for the page tables");
	arm64.pool_window = ALIGN_DOWN(base, BLOCK_BYTES);
	if (base + bytes - arm64.pool_window > (WINDOW_POOL_END - WINDOW_POOL) * BLOCK_BYTES)
		boot_fail("memory", "there is more of it than the page tables at boot can reach");
	atomic_store(&arm64.pool_next, base);
	arm64.pool_end = base + bytes;
	for (block = WINDOW_POOL; block < WINDOW_POOL_END; block++) {
		paddr_t at = arm64.pool_window + (block - WINDOW_POOL) * BLOCK_BYTES;

		if (at < arm64.pool_end)
			kernel_l2[block] = at | PTE_BLOCK | PTE_KERNEL | PTE_UXN | PTE_PXN;
	}
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
	memset((void *)(window_at(WINDOW_POOL) + (base - arm64.pool_window)), 0, bytes);
}

static void close_window(void)
{
	unsigned block;

	for (block = WINDOW_POOL; block < WINDOW_POOL_END; block++)
		kernel_l2[block] = 0;
	__asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
}

void kernel_map_ram(void)
{
	uint64_t bits = PTE_KERNEL | PTE_UXN | PTE_PXN;
	paddr_t image = arm64.kernel_phys;
	paddr_t image_end = image + (uint64_t)(kernel_end - kernel_start);
	int err = 0;
	unsigned i;

	open_pool();
	for (i = 0; i < arm64.ram.count && err == 0; i++) {
		paddr_t base = arm64.ram.ranges[i].base, end = base + arm64.ram.ranges[i].bytes;

		if (image >= base && image < end) {
			err = map_direct(base, image - base, bits, false);
			base = image_end;
		}
		if (err == 0)
			err = map_direct(base, end - base, bits, false);
	}
	if (err != 0)
		boot_fail("memory", "the pool of page tables is too small");
	arm64.direct_map = true;
	close_window();
}

void *kernel_boot_alloc(size_t bytes)
{
	paddr_t at = atomic_fetch_add(&arm64.pool_next, ALIGN_UP(bytes, PAGE_BYTES));

	if (at + bytes > arm64.pool_end)
		boot_fail("memory", "the pool of stacks is too small");
	return hal_phys_to_virt(at);
}

/* ---- Later ---- */

/* The last entry that is met on the way to `addr`, and the level it is of. */
static uint64_t *walk_kernel(uintptr_t addr, unsigned *level)
{
	uint64_t *entry = &kernel_l0[addr >> 39 & 511];
	unsigned shift = 30;

	for (*level = 0; *level < 3; (*level)++, shift -= 9) {
		uint64_t *table;

		if ((*entry & PTE_TABLE) != PTE_TABLE)
			break;
		/* The image's own tables are not in the direct map. */
		table = (*entry & PTE_ADDRESS) - arm64.kernel_phys <
					(uint64_t)(kernel_end - kernel_start)
				? (uint64_t *)(kernel_start +
					       ((*entry & PTE_ADDRESS) - arm64.kernel_phys))
				: table_at(*entry & PTE_ADDRESS);
		entry = table + (addr >> shift & 511);
	}
	return entry;
}

bool kernel_mapped(uintptr_t addr)
{
	unsigned level;

	return addr >= HAL_DIRECT_MAP_BASE && (*walk_kernel(addr, &level) & PTE_VALID);
}

bool kernel_guarded(uintptr_t addr)
{
	unsigned level;
	uint64_t entry;

	if (addr < HAL_DIRECT_MAP_BASE || addr >= (uintptr_t)kernel_start)
		return false;
	entry = *walk_kernel(addr, &level);
	return level == 3 && entry != 0 && !(entry & PTE_VALID);
}

int hal_guard_set(void *page, bool guarded)
{
	uintptr_t addr = (uintptr_t)page;
	uint64_t *entry;
	unsigned level;

	if (addr % PAGE_BYTES != 0 || addr < HAL_DIRECT_MAP_BASE || addr >= (uintptr_t)kernel_start)
		up_panic(0, 0, "hal_guard_set: %p is no page of the direct map", page);
	entry = walk_kernel(addr, &level);
	if (level != 3 || (*entry & PTE_ADDRESS) != hal_virt_to_phys(page))
		up_panic(0, 0, "hal_guard_set: %p is no page of RAM", page);
	if (!guarded) {
		__atomic_or_fetch(entry, PTE_VALID, __ATOMIC_RELEASE);
		__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
		return 0;
	}
	__atomic_and_fetch(entry, ~PTE_VALID, __ATOMIC_RELEASE);
	__asm__ volatile("dsb ishst\n\ttlbi vaale1is, %0\n\tdsb ish\n\tisb" ::"r"(
				 addr >> 12 & ((1ull << 44) - 1))
			 : "memory");
	return 0;
}

int hal_mmio_map(paddr_t regs, size_t bytes, uintptr_t *base)
{
	paddr_t from = ALIGN_DOWN(regs, PAGE_BYTES);
	paddr_t end = ALIGN_UP(regs + bytes, PAGE_BYTES);
	int err;

	if (bytes == 0 || regs + bytes < regs || end > RAM_END_MAX || end <= from ||
	    ram_map_overlaps(&arm64.ram, from, end - from))
		return -EINVAL;
	err = map_direct(from, end - from, PTE_DEVICE, true);
	if (err == 0)
		*base = HAL_DIRECT_MAP_BASE + regs;
	return err;
}
