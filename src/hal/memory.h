/*
 * Memory: the direct map of all RAM, guard pages, and user address spaces.
 *
 * All RAM is mapped in the kernel, readable and writable and not executable, at
 * HAL_DIRECT_MAP_BASE (hal/machine.h) + physical address. The kernel owns the truth of each user
 * address space; struct hal_mmu is a cache of it, which the machine fills as it is told and the
 * kernel may drop and fill again at any time.
 */
#ifndef HAL_MEMORY_H
#define HAL_MEMORY_H

#include "hal/types.h"

#include "hal/machine.h"

static inline void *hal_phys_to_virt(paddr_t addr)
{
	return (void *)(HAL_DIRECT_MAP_BASE + (uintptr_t)addr);
}

/* Only for an address in the direct map. */
static inline paddr_t hal_virt_to_phys(const void *addr)
{
	return (paddr_t)((uintptr_t)addr - HAL_DIRECT_MAP_BASE);
}

/*
 * Makes one page of the direct map unreachable for the kernel on all CPUs, or reachable again: a
 * touch of a guarded page ends in up_panic(). For the lowest page of a kernel stack. 0 or -ENOMEM.
 */
HAL_USE_RESULT int hal_guard_set(void *page, bool guarded);

/* ---- User address spaces. HAL_USER_MIN and HAL_USER_MAX (hal/arch.h) bound their pages. ---- */

/* A run of pages that are contiguous in both address kinds; addresses are page-aligned. */
struct hal_mapping {
	vaddr_t addr;
	paddr_t phys;
	size_t pages;
	unsigned prot; /* HAL_PROT_* */
};

/* Prepares an empty space. struct hal_mmu is in hal/machine.h. 0, -ENOMEM, -EAGAIN. */
HAL_USE_RESULT int hal_mmu_init(struct hal_mmu *mmu);

/* Drops a space in which no CPU runs or will run. */
void hal_mmu_fini(struct hal_mmu *mmu);

/*
 * Enters `count` mappings; each replaces what was mapped there. User code on this CPU sees them at
 * the latest in the next hal_user_run(); on another CPU it may fault once more first. When it
 * returns, no CPU can use another page that was mapped there before (copy-on-write). A page that
 * is mapped HAL_PROT_EXEC is executed as the direct map shows it at the call. 0; -ENOMEM: some may
 * have been entered, the rest not, and the kernel may try again.
 * The kernel holds its own lock for this space in this call and the next two.
 */
HAL_USE_RESULT int hal_mmu_map(struct hal_mmu *mmu, const struct hal_mapping *maps, size_t count);

/* Removes all mappings in [addr, addr + pages). When it returns, no CPU can use them any more. */
void hal_mmu_unmap(struct hal_mmu *mmu, vaddr_t addr, size_t pages);

/* Lowers the rights of what is mapped in the range to at most `prot`; ranges not mapped stay so.
 * When it returns, no CPU can use the rights taken away. */
void hal_mmu_protect(struct hal_mmu *mmu, vaddr_t addr, size_t pages, unsigned prot);

#endif
