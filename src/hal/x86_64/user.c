/*
 * Running user code: hal_user_run().
 *
 * From `cli` to the return, interrupts are off in hardware; user code runs with them on. A vector
 * that comes meanwhile is handled here, and user code goes on if nothing is pending for the kernel.
 *
 * Invariant: what is loaded for user code cannot fault in the kernel. rip, fs_base and gs_base are
 * canonical, or the run ends as a trap; flags are masked; cs and ss are the user's own; data
 * segments are null or the user's; fpu.c sees to the FPU registers.
 */
#include "hal/base.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/cpu_priv.h"

/* CF PF AF ZF SF TF DF OF NT RF AC ID: what user code may have as it likes. */
#define USER_FLAGS 0x254dd5ull
#define PAGE_FAULT_WRITE 2u
#define PAGE_FAULT_RESERVED 8u
#define PAGE_FAULT_EXEC 16u
#define OPCODE_SYSENTER 0x340fu
#define INT80_BYTES 2

static bool is_canonical(uint64_t addr)
{
	return (uint64_t)((int64_t)(addr << 16) >> 16) == addr;
}

static uint64_t user_selector(uint64_t selector)
{
	return (selector & 0xfffc) == (SELECTOR_USER_DATA & ~3) ? SELECTOR_USER_DATA : 0;
}

static void set_trap(struct hal_event *event, enum hal_trap trap, uint64_t addr)
{
	event->kind = HAL_EVENT_TRAP;
	event->trap = trap;
	event->addr = addr;
}

/* Makes the registers fit for user code. False, with a trap, where they cannot be. */
static bool prepare_registers(struct hal_regs *regs, struct hal_event *event)
{
	regs->rflags = (regs->rflags & USER_FLAGS) | RFLAGS_IF | RFLAGS_FIXED;
	regs->cs = SELECTOR_USER_CODE;
	regs->ss = SELECTOR_USER_DATA;
	regs->ds = user_selector(regs->ds);
	regs->es = user_selector(regs->es);
	regs->fs = user_selector(regs->fs);
	regs->gs = user_selector(regs->gs);
	if (is_canonical(regs->rip) && is_canonical(regs->fs_base) && is_canonical(regs->gs_base))
		return true;
	set_trap(event, HAL_TRAP_PROTECTION,
		 !is_canonical(regs->rip)	? regs->rip
		 : !is_canonical(regs->fs_base) ? regs->fs_base
						: regs->gs_base);
	return false;
}

/* SYSRET takes rip and flags from rcx and r11, and must not meet the trap flags. */
static bool can_sysret(const struct hal_regs *regs)
{
	return regs->rcx == regs->rip && regs->r11 == regs->rflags &&
	       !(regs->rflags & (RFLAGS_TF | RFLAGS_RF)) && !(regs->rip >> 47);
}

static void load_selectors(const struct hal_regs *regs)
{
	__asm__ volatile("movl %0, %%ds\n\t"
			 "movl %1, %%es\n\t"
			 "movl %2, %%fs\n\t"
			 "swapgs\n\t" /* the load of gs clears its base: let it be the user's */
			 "movl %3, %%gs\n\t"
			 "swapgs"
			 :
			 : "r"((uint32_t)regs->ds), "r"((uint32_t)regs->es),
			   "r"((uint32_t)regs->fs), "r"((uint32_t)regs->gs)
			 : "memory");
}

static void load_segments(struct x86_cpu *cpu, const struct hal_regs *regs)
{
	bool any = regs->ds | regs->es | regs->fs | regs->gs;

	if (any || cpu->user_segments) {
		load_selectors(regs);
		cpu->user_segments = any;
		cpu->fs_base = rdmsr(MSR_FS_BASE);
		cpu->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	}
	if (cpu->fs_base != regs->fs_base)
		wrmsr(MSR_FS_BASE, cpu->fs_base = regs->fs_base);
	if (cpu->gs_base != regs->gs_base)
		wrmsr(MSR_KERNEL_GS_BASE, cpu->gs_base = regs->gs_base);
}

/* User code can change the bases by loading a selector, and with FSGSBASE at any time. */
static void save_segments(struct x86_cpu *cpu, struct hal_regs *regs)
{
	uint32_t ds, es, fs, gs;

	__asm__ volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	regs->ds = ds;
	regs->es = es;
	regs->fs = fs;
	regs->gs = gs;
	if (!x86_features.fsgsbase && !cpu->user_segments && !(ds | es | fs | gs))
		return;
	cpu->user_segments = ds | es | fs | gs;
	regs->fs_base = cpu->fs_base = rdmsr(MSR_FS_BASE);
	regs->gs_base = cpu->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

static void set_fault(struct hal_event *event, uint64_t error, uint64_t addr)
{
	if (error & PAGE_FAULT_RESERVED)
		up_panic(0, 0, "a user page table is broken at %lx (error %lx)",
			 (unsigned long)addr, (unsigned long)error);
	event->kind = HAL_EVENT_FAULT;
	event->addr = addr;
	event->access = error & PAGE_FAULT_EXEC	   ? HAL_PROT_EXEC
			: error & PAGE_FAULT_WRITE ? HAL_PROT_WRITE
						   : HAL_PROT_READ;
}

/* sysenter is turned off, so that it arrives as a fault. */
static bool is_sysenter(struct hal_mmu *mmu, uint64_t rip)
{
	uint8_t low, high;

	return x86_mmu_peek(mmu, rip, &low) && x86_mmu_peek(mmu, rip + 1, &high) &&
	       (low | (unsigned)high << 8) == OPCODE_SYSENTER;
}

static enum hal_trap trap_of(unsigned vector)
{
	switch (vector) {
	case VECTOR_DIVIDE:
		return HAL_TRAP_DIVIDE;
	case VECTOR_DEBUG:
		return HAL_TRAP_STEP;
	case VECTOR_BREAKPOINT:
		return HAL_TRAP_BREAKPOINT;
	case VECTOR_UNDEFINED:
		return HAL_TRAP_ILLEGAL;
	case VECTOR_X87:
	case VECTOR_SIMD:
		return HAL_TRAP_FPU;
	case VECTOR_ALIGNMENT:
		return HAL_TRAP_ALIGNMENT;
	case VECTOR_OVERFLOW:
	case VECTOR_BOUND:
	case VECTOR_SEGMENT:
	case VECTOR_STACK:
	case VECTOR_PROTECTION:
		return HAL_TRAP_PROTECTION;
	default:
		return HAL_TRAP_MACHINE;
	}
}

/* What `vector` means for the kernel. False: nothing, user code may go on. */
static bool handle_vector(struct hal_mmu *mmu, struct hal_user *user, unsigned vector,
			  struct hal_event *event)
{
	struct hal_regs *regs = &user->regs;

	if (vector == VECTOR_SYSCALL) {
		event->kind = HAL_EVENT_SYSCALL;
		return true;
	}
	if (vector == VECTOR_PAGE_FAULT) {
		set_fault(event, x86_cpu_this()->trap_error, read_cr2());
		return true;
	}
	if (vector == VECTOR_FOREIGN_CALL) {
		regs->rip -= INT80_BYTES;
		set_trap(event, HAL_TRAP_FOREIGN, 0);
		return true;
	}
	if (vector >= VECTOR_EXCEPTIONS) {
		x86_irq_vector(vector);
		return false;
	}
	if ((vector == VECTOR_PROTECTION || vector == VECTOR_UNDEFINED) &&
	    is_sysenter(mmu, regs->rip))
		set_trap(event, HAL_TRAP_FOREIGN, 0);
	else
		set_trap(event, trap_of(vector), 0);
	return true;
}

void hal_user_run(struct hal_mmu *mmu, struct hal_user *user, struct hal_event *event)
{
	struct x86_cpu *cpu = x86_cpu_this();
	bool done = false;

	memset(event, 0, sizeof(*event));
	x86_fpu_prepare(user);
	cli();
	while (!done) {
		unsigned vector;

		if (x86_irq_any_pending(cpu)) {
			event->kind = HAL_EVENT_INTERRUPT;
			break;
		}
		if (!prepare_registers(&user->regs, event))
			break;
		x86_mmu_load(cpu, mmu);
		x86_fpu_load(cpu, user);
		load_segments(cpu, &user->regs);
		vector = x86_user_enter(user, can_sysret(&user->regs));
		save_segments(cpu, &user->regs);
		done = handle_vector(mmu, user, vector, event);
	}
	sti();
}
