/*
 * What the machine calls in the kernel. A test of the contract implements these and nothing else.
 */
#ifndef HAL_UP_H
#define HAL_UP_H

#include "hal/types.h"

#include <stdarg.h>

/* Boot CPU, once, interrupts disabled, on its idle stack. Never returns. */
HAL_NORETURN void up_boot(void);

/* Every other CPU, once, after hal_cpu_start(). As above. */
HAL_NORETURN void up_cpu_start(void);

/*
 * An interrupt of this CPU is taken: called with interrupts disabled, at the points that the
 * contract names, once for each number that was pending. For a device interrupt the kernel calls
 * hal_irq_done(irq) when the device is silent.
 */
void up_irq(unsigned irq);

/*
 * One zeroed page of RAM for the machine's own tables, and back. 0 or -ENOMEM. Never waits; may
 * be called inside hal_mmu_* and hal_guard_set(), so the kernel must not hold the locks of its
 * page allocator there.
 */
HAL_USE_RESULT int up_page_alloc(paddr_t *page);
void up_page_free(paddr_t page);

/* The machine cannot go on: a fault in the kernel, a broken device. printf-style, at least %s %d
 * %u %x %lx %p. `pc` and `frame` (frame pointer) say where, 0 if not known. */
HAL_NORETURN void up_panic(uintptr_t pc, uintptr_t frame, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
