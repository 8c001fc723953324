/*
 * The host machine, a Linux process: the inline part of the HAL contract. Chosen by configure as
 * hal/machine.h.
 */
#ifndef HAL_MACHINE_H
#define HAL_MACHINE_H

#include "hal/arch.h"
#include "hal/types.h"

#define HAL_MACHINE_NAME "host"
#define HAL_MACHINE_VERSION 1 /* of the contract that this machine implements */

/* Where the machine's memory is mapped in the kernel process: application memory in plain, ASan,
 * TSan and MSan builds alike. */
#define HAL_DIRECT_MAP_BASE 0x7e8000000000ull

/* Of a kernel stack, guard page included; larger than on hardware: libc, sanitizers run on it. */
#define HAL_STACK_BYTES 131072

struct hal_context {
	void *sp;	 /* callee-saved registers are on the stack */
	void *stack;	 /* lowest byte and size, for sanitizers, Valgrind and gdb */
	size_t stack_bytes;
	const char *name;
	void *fake_stack; /* ASan's */
	void *fiber;	  /* TSan's */
	unsigned valgrind_id;
	void (*entry)(void *);
	void *arg;
	struct hal_context *prev, *next; /* the list that gdb shows */
};

struct host_space;

struct hal_mmu {
	struct host_space *space; /* the stub process and its exchange pages. Set once */
};

void hal_cpu_relax(void);

/* Devices are threads: the order is made by one atomic word, so that ThreadSanitizer sees it. */
void hal_dma_rmb(void);
void hal_dma_wmb(void);

uint8_t hal_mmio_read8(uintptr_t addr);
uint16_t hal_mmio_read16(uintptr_t addr);
uint32_t hal_mmio_read32(uintptr_t addr);
uint64_t hal_mmio_read64(uintptr_t addr);
void hal_mmio_write8(uintptr_t addr, uint8_t value);
void hal_mmio_write16(uintptr_t addr, uint16_t value);
void hal_mmio_write32(uintptr_t addr, uint32_t value);
void hal_mmio_write64(uintptr_t addr, uint64_t value);

#endif
