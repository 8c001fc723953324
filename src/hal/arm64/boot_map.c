/*
 * The first page tables, made with the MMU off.
 *
 * This code runs where the image was loaded, not where it is linked, on memory that counts as
 * Device: it may use nothing but its own file's tables and arguments, and no absolute address. It
 * makes an identity map of the block that head.S lies in, and the map of the kernel: text r-x,
 * read-only data r--, data rw-, the lowest page of the boot stack left out as its guard. The
 * tables lie in .bss, so they are zero.
 *
 * The 1 GiB window of the kernel, in blocks of 2 MiB: 0..3 the image; 256..507 page tables at boot
 * (kernel_map.c); 508 the serial port; 509 unused; 510 and 511 the device tree, read-only.
 */
#include "hal/arm64/arm64_priv.h"
#include "hal/arm64/pagetable.h"

#define KERNEL_TABLES 4

static uint64_t identity_l1[512] __attribute__((aligned(4096)));
static uint64_t identity_l2[512] __attribute__((aligned(4096)));
static uint64_t kernel_l1[512] __attribute__((aligned(4096)));
static uint64_t kernel_l3[KERNEL_TABLES][512] __attribute__((aligned(4096)));
uint64_t identity_l0[512] __attribute__((aligned(4096)));
uint64_t kernel_l0[512] __attribute__((aligned(4096)));
uint64_t kernel_l2[512] __attribute__((aligned(4096)));
uint64_t empty_table[512] __attribute__((aligned(4096)));

extern char boot_stack[];

void boot_map(paddr_t fdt, paddr_t phys, uint64_t virt);

static void map_identity(paddr_t phys)
{
	identity_l0[phys >> 39 & 511] = (paddr_t)identity_l1 | PTE_TABLE;
	identity_l1[phys >> 30 & 511] = (paddr_t)identity_l2 | PTE_TABLE;
	identity_l2[phys >> 21 & 511] = phys | PTE_BLOCK | PTE_KERNEL | PTE_READ_ONLY | PTE_UXN;
}

static void map_image(paddr_t phys)
{
	paddr_t text = (paddr_t)text_end, rodata = (paddr_t)rodata_end, end = (paddr_t)kernel_end;
	paddr_t guard = (paddr_t)boot_stack, page;
	uint64_t i, bits;

	for (i = 0; i < KERNEL_TABLES; i++)
		kernel_l2[i] = (paddr_t)kernel_l3[i] | PTE_TABLE;
	for (page = phys, i = 0; page < end; page += PAGE_BYTES, i++) {
		bits = PTE_PAGE | PTE_KERNEL | PTE_UXN;
		if (page < text)
			bits |= PTE_READ_ONLY;
		else if (page < rodata)
			bits |= PTE_READ_ONLY | PTE_PXN;
		else
			bits |= PTE_PXN;
		kernel_l3[i >> 9][i & 511] = page == guard ? 0 : page | bits;
	}
}

void boot_map(paddr_t fdt, paddr_t phys, uint64_t virt)
{
	uint64_t bits = PTE_BLOCK | PTE_KERNEL | PTE_READ_ONLY | PTE_UXN | PTE_PXN;
	paddr_t block = ALIGN_DOWN(fdt, BLOCK_BYTES);

	map_identity(phys);
	map_image(phys);
	kernel_l0[virt >> 39 & 511] = (paddr_t)kernel_l1 | PTE_TABLE;
	kernel_l1[virt >> 30 & 511] = (paddr_t)kernel_l2 | PTE_TABLE;
	if (fdt != 0 && fdt < 1ull << 48) {
		kernel_l2[WINDOW_FDT] = block | bits;
		kernel_l2[WINDOW_FDT + 1] = (block + BLOCK_BYTES) | bits;
	}
	__asm__ volatile("dsb sy" ::: "memory");
}
