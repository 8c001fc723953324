/*
 * Entries of x86_64 page tables (Intel SDM vol. 3, 4.5) and the kernel's part of the address space:
 *
 *	0xffff800000000000  the direct map of RAM (HAL_DIRECT_MAP_BASE), up to 64 TiB
 *	0xffffc00000000000  device registers, entered as they are asked for, 512 GiB
 *	0xffffffff80000000  the kernel (kernel.lds)
 *
 * Each entry of the highest table in this half is made at boot and never changes, so that all user
 * spaces share them by copy.
 */
#ifndef HAL_X86_64_PAGING_H
#define HAL_X86_64_PAGING_H

#include "hal/types.h"

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_USER (1ull << 2)
#define PTE_WRITE_THROUGH (1ull << 3)
#define PTE_UNCACHED (1ull << 4)
#define PTE_ACCESSED (1ull << 5)
#define PTE_DIRTY (1ull << 6)
#define PTE_BIG (1ull << 7) /* in the second and third level: maps 2 MiB or 1 GiB */
#define PTE_GLOBAL (1ull << 8)
#define PTE_NO_EXEC (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

#define PAGING_ENTRIES 512u
#define PAGING_LEVELS 4u
#define PAGING_KERNEL_FIRST 256u /* entry of the highest table where the kernel's half begins */
#define PAGING_DEVICE_BASE 0xffffc00000000000ull
#define PAGING_DEVICE_BYTES (1ull << 39)

/* The bytes that an entry of level 1 (a page) to 4 stands for. */
static inline uint64_t paging_level_bytes(unsigned level)
{
	return 1ull << (HAL_PAGE_SHIFT + 9 * (level - 1));
}

static inline unsigned paging_index(uint64_t addr, unsigned level)
{
	return addr >> (HAL_PAGE_SHIFT + 9 * (level - 1)) & (PAGING_ENTRIES - 1);
}

#endif
