/*
 * x86_64 hardware: the inline part of the HAL contract. Chosen by configure as hal/machine.h.
 */
#ifndef HAL_MACHINE_H
#define HAL_MACHINE_H

#include "hal/arch.h"
#include "hal/types.h"

#define HAL_MACHINE_NAME "x86_64"
#define HAL_MACHINE_VERSION 1 /* of the contract that this machine implements */
#define HAL_DIRECT_MAP_BASE 0xffff800000000000ull
#define HAL_STACK_BYTES 32768 /* of a kernel stack, guard page included; a power of two of pages */

/* Callee-saved registers are on the stack. */
struct hal_context {
	uint64_t rsp;
};

struct hal_mmu {
	paddr_t root;	   /* of the PML4. Set once */
	uint64_t cpus;	   /* a bit per CPU that may hold translations. Atomic */
	uint64_t pcid;	   /* the machine's own */
};

static inline void hal_cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline void hal_dma_rmb(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void hal_dma_wmb(void)
{
	__asm__ volatile("" ::: "memory");
}

#define HAL_MMIO_ACCESS(bits, suffix)                                                              \
	static inline uint##bits##_t hal_mmio_read##bits(uintptr_t addr)                           \
	{                                                                                          \
		uint##bits##_t value;                                                              \
		__asm__ volatile("mov" suffix " %1, %0"                                            \
				 : "=r"(value)                                                     \
				 : "m"(*(volatile uint##bits##_t *)addr)                           \
				 : "memory");                                                      \
		return value;                                                                      \
	}                                                                                          \
	static inline void hal_mmio_write##bits(uintptr_t addr, uint##bits##_t value)              \
	{                                                                                          \
		__asm__ volatile("mov" suffix " %0, %1"                                            \
				 :                                                                 \
				 : "r"(value), "m"(*(volatile uint##bits##_t *)addr)               \
				 : "memory");                                                      \
	}

HAL_MMIO_ACCESS(8, "b")
HAL_MMIO_ACCESS(16, "w")
HAL_MMIO_ACCESS(32, "l")
HAL_MMIO_ACCESS(64, "q")

#undef HAL_MMIO_ACCESS

#endif
