/*
 * ARM64 hardware: the inline part of the HAL contract. Chosen by configure as hal/machine.h.
 */
#ifndef HAL_MACHINE_H
#define HAL_MACHINE_H

#include "hal/arch.h"
#include "hal/types.h"

#define HAL_MACHINE_NAME "arm64"
#define HAL_MACHINE_VERSION 1 /* of the contract that this machine implements */
#define HAL_DIRECT_MAP_BASE 0xffff000000000000ull
#define HAL_STACK_BYTES 32768 /* of a kernel stack, guard page included; a power of two of pages */

/* Callee-saved registers are on the stack. */
struct hal_context {
	uint64_t sp;
};

struct hal_mmu {
	paddr_t root;	/* of the level 0 table. Set once */
	uint64_t asid;	/* Set once */
	uint64_t cpus;	/* a bit per CPU that may hold translations. Atomic */
};

void hal_cpu_relax(void);

static inline void hal_dma_rmb(void)
{
	__asm__ volatile("dmb oshld" ::: "memory");
}

static inline void hal_dma_wmb(void)
{
	__asm__ volatile("dmb oshst" ::: "memory");
}

#define HAL_MMIO_ACCESS(bits, suffix, reg)                                                         \
	static inline uint##bits##_t hal_mmio_read##bits(uintptr_t addr)                           \
	{                                                                                          \
		uint##bits##_t value;                                                              \
		__asm__ volatile("ldr" suffix " %" reg "0, [%1]\n\tdmb oshld"                      \
				 : "=r"(value)                                                     \
				 : "r"(addr)                                                       \
				 : "memory");                                                      \
		return value;                                                                      \
	}                                                                                          \
	static inline void hal_mmio_write##bits(uintptr_t addr, uint##bits##_t value)              \
	{                                                                                          \
		__asm__ volatile("dmb oshst\n\tstr" suffix " %" reg "0, [%1]"                      \
				 :                                                                 \
				 : "r"(value), "r"(addr)                                           \
				 : "memory");                                                      \
	}

HAL_MMIO_ACCESS(8, "b", "w")
HAL_MMIO_ACCESS(16, "h", "w")
HAL_MMIO_ACCESS(32, "", "w")
HAL_MMIO_ACCESS(64, "", "x")

#undef HAL_MMIO_ACCESS

#endif
