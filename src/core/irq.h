/*
 * Interrupts: handlers, statistics. up_irq() of the HAL contract ends here.
 */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H

#include "core/lock.h"
#include "hal/hal.h"

/*
 * Calls handler(arg) for each interrupt `irq`, with interrupts disabled and no lock held, on
 * `cpu`. It silences the device; hal_irq_done() is called after it. A number may have several
 * handlers (shared lines), each of which is called. 0, -ENOMEM, -EINVAL.
 */
HAL_USE_RESULT int irq_attach(unsigned irq, unsigned cpu, const char *name,
			      void (*handler)(void *arg), void *arg);
void irq_detach(unsigned irq, void (*handler)(void *arg), void *arg);

uint64_t irq_count(unsigned irq, unsigned cpu); /* taken so far */
const char *irq_name(unsigned irq);		/* of the first handler, or NULL */

void irq_init(void);

struct irq_handler;

struct irq_line {
	_Atomic(struct irq_handler *) first;
	_Atomic uint64_t counts[HAL_CPUS_MAX];
};

struct irq_state {
	struct spinlock lock; /* of the lists' changes. LOCK_RANK_OBJECT */
	struct irq_line lines[HAL_IRQ_MAX];
};

#endif
