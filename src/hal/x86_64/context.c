/*
 * Kernel contexts and call chains. A context is a stack pointer: x86_context_switch() in entry.S
 * leaves the registers that a C function must keep on the stack. A switch also brings the FPU
 * registers of the user that this CPU ran into its struct: the thread may go on elsewhere.
 */
#include "hal/base.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/cpu_priv.h"

#define SAVED_REGISTERS 6 /* r15, r14, r13, r12, rbx, rbp: as x86_context_switch() pops them */

void hal_context_init(struct hal_context *context, const char *name, void *stack,
		      size_t stack_bytes, void (*entry)(void *), void *arg)
{
	uint64_t *top = (uint64_t *)((uintptr_t)stack + stack_bytes);

	(void)name; /* gdb finds the function's name in the frame below x86_context_start */
	*--top = 0; /* ends the call chain */
	*--top = 0;
	*--top = (uintptr_t)x86_context_start;
	top -= SAVED_REGISTERS;
	memset(top, 0, SAVED_REGISTERS * sizeof(*top));
	top[2] = (uintptr_t)arg;   /* r13 */
	top[3] = (uintptr_t)entry; /* r12 */
	context->rsp = (uintptr_t)top;
}

void hal_context_switch(struct hal_context *from, struct hal_context *to)
{
	struct x86_cpu *cpu = x86_cpu_this();

	if (cpu->fpu_changed) {
		bool restore = hardware_irq_disable();

		x86_fpu_save(cpu);
		hardware_irq_restore(restore);
	}
	x86_context_switch(&from->rsp, to->rsp);
}

void hal_context_fini(struct hal_context *context)
{
	context->rsp = 0;
}

static bool is_kernel_code(uintptr_t pc)
{
	return pc >= (uintptr_t)kernel_text_start && pc < (uintptr_t)kernel_text_end;
}

unsigned hal_backtrace(uintptr_t *pcs, unsigned max)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	unsigned count = 0;

	while (count < max && !(frame & 7) && x86_paging_is_mapped(frame) &&
	       x86_paging_is_mapped(frame + 8)) {
		const uintptr_t *link = (const uintptr_t *)frame;

		if (!is_kernel_code(link[1]))
			break;
		pcs[count++] = link[1];
		if (link[0] <= frame)
			break;
		frame = link[0];
	}
	return count;
}
