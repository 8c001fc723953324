/*
 * What the kernel keeps for each CPU. Kernel code never moves to another CPU but in
 * hal_context_switch(): ask cpu_this() again after whatever may have switched.
 */
#ifndef CORE_CPU_H
#define CORE_CPU_H

#include "core/trace.h"
#include "hal/hal.h"

#include <stdatomic.h>

#define CPU_LOCKS_HELD_MAX 12

struct spinlock;
struct thread;

struct cpu {
	unsigned id;	       /* Set once */
	struct thread *thread; /* that runs here. Own CPU only */
	struct thread *idle;   /* its idle thread: the context it booted on. Set once */

	/* The spin locks held here, in the order of taking. Own CPU only. */
	struct spinlock *held[CPU_LOCKS_HELD_MAX];
	unsigned held_count;
	bool irq_restore; /* enable interrupts with the release of the last one */

	_Atomic bool online;	  /* runs threads */
	_Atomic bool reschedule;  /* should schedule at its next point */
	unsigned irq_depth;	  /* inside up_irq(). Own CPU only */
	struct trace_cause cause; /* the trace event that caused what is done now. Own CPU only */
} __attribute__((aligned(64)));

/* Both of this CPU. The id behind it is read anew each time (hal_cpu_id() is never inlined). */
struct cpu *cpu_this(void);
struct cpu *cpu_get(unsigned id);

/* How many CPUs run threads. A CPU that did not start is left out. */
unsigned cpu_count_online(void);

#endif
