/*
 * Bits of translation table entries (Arm Architecture Reference Manual, D8.3), and the kernel's
 * own window.
 */
#ifndef HAL_ARM64_PAGETABLE_H
#define HAL_ARM64_PAGETABLE_H

#include "hal/arm64/layout.h"

#define PTE_VALID 1ull
#define PTE_BLOCK 1ull /* levels 1 and 2 */
#define PTE_TABLE 3ull /* levels 0 to 2 */
#define PTE_PAGE 3ull  /* level 3 */
#define PTE_ATTR(index) ((uint64_t)(index) << 2)
#define PTE_USER (1ull << 6)
#define PTE_READ_ONLY (1ull << 7)
#define PTE_INNER_SHARED (3ull << 8)
#define PTE_ACCESSED (1ull << 10)
#define PTE_NOT_GLOBAL (1ull << 11)
#define PTE_PXN (1ull << 53)
#define PTE_UXN (1ull << 54)
#define PTE_ADDRESS 0x0000fffffffff000ull

#define PTE_NORMAL (PTE_ATTR(MAIR_NORMAL) | PTE_INNER_SHARED | PTE_ACCESSED)
#define PTE_KERNEL PTE_NORMAL
#define PTE_DEVICE (PTE_ATTR(MAIR_DEVICE) | PTE_ACCESSED | PTE_UXN | PTE_PXN)
#define PTE_DEVICE_STRICT (PTE_ATTR(MAIR_DEVICE_STRICT) | PTE_ACCESSED | PTE_UXN | PTE_PXN)

/* Blocks of the kernel's window, see boot_map.c. */
#define WINDOW_POOL 256
#define WINDOW_POOL_END 508
#define WINDOW_UART 508
#define WINDOW_FDT 510

extern uint64_t kernel_l2[512];

#endif
