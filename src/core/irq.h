/*
 * Interrupts: handlers, statistics. up_irq() of the HAL contract ends here.
 */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H

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

#endif
