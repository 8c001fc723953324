/*
 * CPUs, kernel contexts and interrupts.
 *
 * CPUs are numbered from 0 (the one that boots) without gaps. Each starts with interrupts
 * disabled, on a stack that the machine gives it and that stays its own for ever: the kernel makes
 * it the stack of that CPU's idle thread.
 */
#ifndef HAL_CPU_H
#define HAL_CPU_H

#include "hal/types.h"

/* Interrupt numbers. The first two are private to each CPU; device lines and messages follow. */
#define HAL_IRQ_TIMER 0u /* the deadline of hal_timer_set() has passed */
#define HAL_IRQ_KICK 1u  /* another CPU called hal_cpu_kick() */
#define HAL_IRQ_DEVICE 8u
#define HAL_IRQ_MAX 256u

/* ---- CPUs ---- */

/* How many CPUs the machine has: 1..HAL_CPUS_MAX. The same from boot to the end. */
unsigned hal_cpu_count(void);

/*
 * The CPU this code runs on, 0..hal_cpu_count()-1. Never inlined: on some machines the answer
 * must be read anew after each hal_context_switch().
 */
unsigned hal_cpu_id(void);

/* Starts CPU `cpu`, which then calls up_cpu_start(). 0; -EIO if it does not answer; -EBUSY if it
 * runs already. Called on the boot CPU. */
HAL_USE_RESULT int hal_cpu_start(unsigned cpu);

/*
 * Waits until an interrupt of this CPU is pending, and returns with it still pending. Called with
 * interrupts disabled. May return early. In seeded mode virtual time jumps to the next deadline.
 */
void hal_cpu_idle(void);

/* Makes HAL_IRQ_KICK pending on `cpu` (which may be this one) and ends its idling or user run. */
void hal_cpu_kick(unsigned cpu);

/* A hint in a loop that waits for another CPU. hal_cpu_relax(void) is inline, in hal/machine.h. */

/* Stops every other CPU where it stands, for a panic: whatever it does, it never runs again. */
void hal_cpu_stop_others(void);

/* Stops this CPU for ever. */
HAL_NORETURN void hal_cpu_halt(void);

/* ---- Kernel contexts: what a kernel thread is to the machine ---- */

/* struct hal_context is defined by the machine in hal/machine.h; the kernel only embeds it. */
struct hal_context;

/*
 * Prepares a context that will call entry(arg) on the given stack at the first switch to it, with
 * interrupts disabled. `stack` is the lowest byte, 16-byte aligned; the memory stays the
 * caller's. `name` is shown by debuggers and must live as long as the context. entry never
 * returns. A zeroed struct hal_context that is the `from` of a switch is filled by it.
 */
void hal_context_init(struct hal_context *context, const char *name, void *stack,
		      size_t stack_bytes, void (*entry)(void *), void *arg);

/* Saves where this code is in `from` and goes on in `to`. Interrupts are disabled and stay so. */
void hal_context_switch(struct hal_context *from, struct hal_context *to);

/* Ends a context that never runs again. Called from another context. */
void hal_context_fini(struct hal_context *context);

/*
 * The call chain of this code, innermost first, from frame pointers: up to `max` return addresses
 * into `pcs`. The count. Stops quietly at the first frame that makes no sense.
 */
unsigned hal_backtrace(uintptr_t *pcs, unsigned max);

/* ---- Interrupts ---- */

/* Disables taking interrupts on this CPU. Whether they were enabled before. */
bool hal_irq_disable(void);

/* Enables taking interrupts on this CPU, after up_irq() was called for all that are pending. */
void hal_irq_enable(void);

/* Enables (as hal_irq_enable()) if `enable`, else leaves them disabled. */
void hal_irq_restore(bool enable);

bool hal_irq_enabled(void);

/* Whether an interrupt is pending on this CPU. A poll point for long loops in the kernel. */
bool hal_irq_pending(void);

/*
 * Lets device interrupt `irq` through to `cpu`, or no longer. A line that is asserted while it is
 * masked is delivered when it is unmasked. 0; -EINVAL for a number that is no device interrupt.
 */
HAL_USE_RESULT int hal_irq_unmask(unsigned irq, unsigned cpu);
void hal_irq_mask(unsigned irq);

/*
 * Says that the driver has silenced the device. Until then a level-triggered line that up_irq()
 * was called for is not delivered again. Called once for each up_irq() of a device interrupt.
 */
void hal_irq_done(unsigned irq);

#include "hal/machine.h"

#endif
