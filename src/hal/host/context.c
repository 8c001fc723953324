/*
 * Kernel contexts are fibers: a stack, and a switch of a few instructions (switch.S).
 *
 * All contexts are in one list for the debugger, guarded by host.context_lock. Sanitizers and
 * Valgrind hear of each switch (sanitizer.h). A call chain is read by frame pointers, within the
 * stack that the CPU runs on: its context's, or its signal stack while it crashes.
 */
#include "hal/host/host_priv.h"

#include "hal/base.h"
#include "hal/host/sanitizer.h"

#define SAVED_REGISTERS 6 /* that host_context_swap() pops before it returns */

void host_context_swap(void **save_sp, void *load_sp);
void host_context_first(void);
void host_context_begin(void);

static void list_insert(struct hal_context *context)
{
	pthread_mutex_lock(&host.context_lock);
	context->prev = NULL;
	context->next = host.contexts;
	if (host.contexts)
		host.contexts->prev = context;
	host.contexts = context;
	pthread_mutex_unlock(&host.context_lock);
}

static void list_remove(struct hal_context *context)
{
	pthread_mutex_lock(&host.context_lock);
	if (context->prev)
		context->prev->next = context->next;
	else
		host.contexts = context->next;
	if (context->next)
		context->next->prev = context->prev;
	context->prev = context->next = NULL;
	pthread_mutex_unlock(&host.context_lock);
}

void hal_context_init(struct hal_context *context, const char *name, void *stack,
		      size_t stack_bytes, void (*entry)(void *), void *arg)
{
	uintptr_t top = ALIGN_DOWN((uintptr_t)stack + stack_bytes, 16);
	uintptr_t *sp = (uintptr_t *)top;

	if ((uintptr_t)stack % 16 || stack_bytes < 4096 || !entry)
		up_panic(0, 0, "hal_context_init: bad stack %p or entry: %s", stack, name);
	/* host_context_first() starts 16 bytes below, so that its call is aligned by the ABI. */
	*--sp = 0;
	*--sp = 0;
	*--sp = (uintptr_t)host_context_first;
	for (int i = 0; i < SAVED_REGISTERS; i++)
		*--sp = 0;
	*context = (struct hal_context){
		.sp = sp,
		.stack = stack,
		.stack_bytes = stack_bytes,
		.name = name,
		.entry = entry,
		.arg = arg,
	};
	sanitizer_fiber_create(context);
	sanitizer_stack_register(context);
	list_insert(context);
}

/* A context that was never prepared is the one of this thread's own stack. */
static void adopt_thread(struct hal_context *context, const struct host_cpu *cpu)
{
	context->stack = cpu->boot.stack;
	context->stack_bytes = cpu->boot.stack_bytes;
	context->name = cpu->boot.name;
	sanitizer_fiber_adopt(context);
	list_insert(context);
}

void hal_context_switch(struct hal_context *from, struct hal_context *to)
{
	struct host_cpu *cpu = host_cpu_this();

	if (!from->stack)
		adopt_thread(from, cpu);
	cpu->context = to;
	sanitizer_leave(from, to);
	sanitizer_fiber_switch(to);
	host_context_swap(&from->sp, to->sp);
	sanitizer_enter(from);
}

/* Called by host_context_first() on the new stack. */
void host_context_begin(void)
{
	struct hal_context *context = host_cpu_this()->context;

	sanitizer_enter(context);
	context->entry(context->arg);
	up_panic(0, 0, "the kernel context '%s' returned from its function", context->name);
}

void hal_context_fini(struct hal_context *context)
{
	list_remove(context);
	sanitizer_stack_drop(context);
	sanitizer_fiber_destroy(context);
	context->stack = NULL;
}

/* Whether a frame of two words at `frame` lies on a stack that this CPU may be running on. */
static bool frame_is_ours(const struct host_cpu *cpu, uintptr_t frame)
{
	const struct hal_context *context = cpu->context ? cpu->context : &cpu->boot;
	uintptr_t low = (uintptr_t)context->stack;
	uintptr_t signal_low = (uintptr_t)cpu->signal_stack;

	if (frame % sizeof(uintptr_t))
		return false;
	if (frame >= low && frame + 16 <= low + context->stack_bytes)
		return true;
	return signal_low && frame >= signal_low && frame + 16 <= signal_low + HOST_SIGNAL_STACK;
}

__attribute__((noinline, no_sanitize("address"), no_sanitize("thread"))) unsigned
hal_backtrace(uintptr_t *pcs, unsigned max)
{
	const struct host_cpu *cpu = host_cpu_this();
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	unsigned count = 0;

	while (cpu && count < max && frame_is_ours(cpu, frame)) {
		const uintptr_t *words = (const uintptr_t *)frame;

		if (!words[1])
			break;
		pcs[count++] = words[1];
		/* Frames rise on one stack; the only way down is from the signal stack. */
		if (words[0] <= frame && !frame_is_ours(cpu, words[0]))
			break;
		if (words[0] == frame)
			break;
		frame = words[0];
	}
	return count;
}
