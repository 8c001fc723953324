/*
 * The interrupt descriptor table, and exceptions in the kernel: each ends in up_panic() with the
 * place and the frame. Vectors from VECTOR_EXCEPTIONS on are irq.c's. User code's exceptions do
 * not come here: x86_user_enter() returns them to user.c.
 */
#include "hal/x86_64/asm.h"
#include "hal/x86_64/cpu_priv.h"

#define GATE_INTERRUPT 0x8e00ull
#define GATE_USER 0x6000ull /* may be raised by user code with the instruction for it */
#define STUB_BYTES 16
#define PAGE_FAULT_WRITE 2u
#define PAGE_FAULT_EXEC 16u

static struct {
	uint64_t low, high;
} idt[256] __attribute__((aligned(16))); /* Set once, before other CPUs run */

static const char *const exception_names[VECTOR_EXCEPTIONS] = {
	"divide error", "debug trap", "NMI", "breakpoint", "overflow", "bound range",
	"invalid opcode", "no FPU", "double fault", "coprocessor overrun", "invalid TSS",
	"segment not present", "stack fault", "general protection fault", "page fault",
	"reserved exception", "x87 error", "alignment check", "machine check", "SIMD error",
	"virtualization exception", "control protection",
};

static void set_gate(unsigned vector, unsigned ist, bool user)
{
	uint64_t addr = (uintptr_t)x86_entry_stubs + vector * STUB_BYTES;
	uint64_t flags = GATE_INTERRUPT | (user ? GATE_USER : 0) | ist;

	idt[vector].low = (addr & 0xffff) | (uint64_t)SELECTOR_KERNEL_CODE << 16 | flags << 32 |
			  (addr >> 16 & 0xffff) << 48;
	idt[vector].high = addr >> 32;
}

void x86_trap_init(void)
{
	for (unsigned vector = 0; vector < 256; vector++)
		set_gate(vector, 0, vector == VECTOR_BREAKPOINT || vector == VECTOR_FOREIGN_CALL);
	set_gate(VECTOR_NMI, IST_NMI, false);
	set_gate(VECTOR_DOUBLE_FAULT, IST_DOUBLE_FAULT, false);
	set_gate(VECTOR_MACHINE_CHECK, IST_MACHINE_CHECK, false);
	set_gate(VECTOR_DEBUG, IST_DEBUG, false);
}

void x86_trap_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (uintptr_t)idt};

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* The frame pointer that a report may follow; 0 if it points nowhere. */
static uintptr_t usable_frame(const struct x86_frame *f)
{
	bool usable = f->rbp % sizeof(uintptr_t) == 0 && x86_paging_is_mapped(f->rbp) &&
		      x86_paging_is_mapped(f->rbp + sizeof(uintptr_t));

	return usable ? f->rbp : 0;
}

static HAL_NORETURN void panic_double_fault(const struct x86_frame *f)
{
	uint64_t addr = read_cr2();

	if (x86_paging_is_guarded(addr))
		up_panic(f->rip, usable_frame(f),
			 "a kernel stack has run over its end (guard page of %lx, rsp %lx)",
			 (unsigned long)addr, (unsigned long)f->rsp);
	up_panic(f->rip, usable_frame(f),
		 "double fault in the kernel (rsp %lx, last fault at %lx)",
		 (unsigned long)f->rsp, (unsigned long)addr);
}

static HAL_NORETURN void panic_page_fault(const struct x86_frame *f)
{
	uint64_t addr = read_cr2();
	const char *access = f->error & PAGE_FAULT_EXEC	   ? "execute"
			     : f->error & PAGE_FAULT_WRITE ? "write"
							   : "read";

	up_panic(f->rip, usable_frame(f),
		 "page fault in the kernel: cannot %s %lx%s (error %lx, rsp %lx)", access,
		 (unsigned long)addr, x86_paging_is_guarded(addr) ? ", a guard page" : "",
		 (unsigned long)f->error, (unsigned long)f->rsp);
}

void x86_kernel_vector(struct x86_frame *frame)
{
	const char *name;

	if (frame->vector >= VECTOR_EXCEPTIONS) {
		x86_irq_vector((unsigned)frame->vector);
		return;
	}
	if (frame->vector == VECTOR_PAGE_FAULT)
		panic_page_fault(frame);
	name = exception_names[frame->vector];
	up_panic(frame->rip, usable_frame(frame),
		 "%s in the kernel (vector %lu, error %lx, rsp %lx)", name ? name : "exception",
		 (unsigned long)frame->vector, (unsigned long)frame->error,
		 (unsigned long)frame->rsp);
}

void x86_paranoid_vector(struct x86_frame *frame)
{
	switch (frame->vector) {
	case VECTOR_NMI:
		if (atomic_load(&x86_stopped) & 1ull << x86_cpu_this()->id)
			x86_smp_stop_this();
		up_panic(frame->rip, usable_frame(frame),
			 "NMI that nobody sent: a hardware error? (port 61: %x)",
			 in8(0x61));
	case VECTOR_DOUBLE_FAULT:
		panic_double_fault(frame);
	case VECTOR_MACHINE_CHECK:
		up_panic(frame->rip, usable_frame(frame),
			 "machine check: the hardware reports an error");
	default:
		up_panic(frame->rip, usable_frame(frame), "debug trap in the kernel");
	}
}
