/*
 * Interrupt handlers: a list for each number. The list is read without a lock in up_irq() and
 * changed under kernel.irq.lock; a handler that is detached stays in place with its function
 * cleared until its slot is used again, so that a reader on another CPU never loses its way.
 */
#include "core/irq.h"

#include "core/cpu.h"
#include "core/klib.h"
#include "core/sched.h"
#include "core/slab.h"
#include "core/state.h"
#include "core/task.h"
#include "core/timer.h"
#include "core/trace.h"

typedef void irq_function(void *arg);

/* Never freed. */
struct irq_handler {
	_Atomic(struct irq_handler *) next;
	_Atomic(irq_function *) function; /* NULL: free for reuse */
	_Atomic(void *) arg;
	_Atomic(const char *) name;
};

void irq_init(void)
{
	spinlock_init(&kernel.irq.lock, LOCK_RANK_OBJECT, "irq handlers");
}

/* The first handler in use, or (used == false) the first free one, from `at` on. */
static struct irq_handler *find_handler(unsigned irq, bool used)
{
	struct irq_handler *at = atomic_load(&kernel.irq.lines[irq].first);

	while (at && (atomic_load(&at->function) != NULL) != used)
		at = atomic_load(&at->next);
	return at;
}

int irq_attach(unsigned irq, unsigned cpu, const char *name, irq_function *handler, void *arg)
{
	struct irq_handler *slot;

	if (irq < HAL_IRQ_DEVICE || irq >= HAL_IRQ_MAX || cpu >= hal_cpu_count())
		return -EINVAL;
	spin_lock(&kernel.irq.lock);
	slot = find_handler(irq, false);
	if (!slot) {
		slot = kmalloc(sizeof(*slot));
		if (!slot) {
			spin_unlock(&kernel.irq.lock);
			return -ENOMEM;
		}
		atomic_store(&slot->next, atomic_load(&kernel.irq.lines[irq].first));
		atomic_store(&kernel.irq.lines[irq].first, slot);
	}
	atomic_store(&slot->arg, arg);
	atomic_store(&slot->name, name);
	atomic_store(&slot->function, handler);
	spin_unlock(&kernel.irq.lock);
	return hal_irq_unmask(irq, cpu);
}

void irq_detach(unsigned irq, irq_function *handler, void *arg)
{
	struct irq_handler *at;

	spin_lock(&kernel.irq.lock);
	for (at = atomic_load(&kernel.irq.lines[irq].first); at; at = atomic_load(&at->next)) {
		if (atomic_load(&at->function) == handler && atomic_load(&at->arg) == arg)
			atomic_store(&at->function, NULL);
	}
	if (!find_handler(irq, true))
		hal_irq_mask(irq);
	spin_unlock(&kernel.irq.lock);
}

uint64_t irq_count(unsigned irq, unsigned cpu)
{
	return irq < HAL_IRQ_MAX ? atomic_load(&kernel.irq.lines[irq].counts[cpu]) : 0;
}

const char *irq_name(unsigned irq)
{
	const struct irq_handler *handler;

	if (irq == HAL_IRQ_TIMER)
		return "timer";
	if (irq == HAL_IRQ_KICK)
		return "kick";
	handler = irq < HAL_IRQ_MAX ? find_handler(irq, true) : NULL;
	return handler ? atomic_load(&handler->name) : NULL;
}

static void call_handlers(unsigned irq)
{
	struct irq_handler *at = atomic_load(&kernel.irq.lines[irq].first);

	for (; at; at = atomic_load(&at->next)) {
		irq_function *function = atomic_load(&at->function);

		if (function)
			function(atomic_load(&at->arg));
	}
	hal_irq_done(irq);
}

void up_irq(unsigned irq)
{
	struct cpu *cpu = cpu_this();
	struct trace_cause before;
	uint64_t count;

	ASSERT(irq < HAL_IRQ_MAX);
	count = atomic_fetch_add_explicit(&kernel.irq.lines[irq].counts[cpu->id], 1,
					  memory_order_relaxed) + 1;
	before = trace_begin(TRACE_IRQ, irq, count);
	cpu->irq_depth++;
	if (cpu->thread)
		account_add(&cpu->thread->account.interrupts, 1);
	if (irq == HAL_IRQ_TIMER)
		timer_interrupt();
	else if (irq == HAL_IRQ_KICK)
		sched_kick();
	else
		call_handlers(irq);
	cpu->irq_depth--;
	trace_end(before);
}
