/*
 * All mutable global state of the core, in one struct: with the machine's memory and each thread's
 * user registers it is the whole system. Each module declares its part in its own header (struct
 * <module>_state) and says there what guards it. No other file of core has a mutable global.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "core/cpu.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/main.h"
#include "core/memory.h"
#include "core/object.h"
#include "core/options.h"
#include "core/page_priv.h"
#include "core/panic.h"
#include "core/random.h"
#include "core/sched_priv.h"
#include "core/service.h"
#include "core/slab_priv.h"
#include "core/space_priv.h"
#include "core/task.h"
#include "core/timer.h"
#include "core/trace.h"

struct kernel {
	struct cpu cpus[HAL_CPUS_MAX]; /* id is right from the start: locks need it */
	struct log_state log;
	struct panic_state panic;
	struct object_state object;
	struct options_state options;
	struct page_allocator pages;
	struct slab_allocator slabs;
	struct irq_state irq;
	struct main_state main;
	struct memory_state memory;
	struct random_state random;
	struct sched_state sched;
	struct service_registry service;
	struct space_state space;
	struct task_state task;
	struct timer_state timer;
	struct trace_state trace;
};

extern struct kernel kernel;

/* Sets what must be right before anything else runs, and may be logged. First in up_boot(). */
void state_init(void);

#endif
