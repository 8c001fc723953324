/*
 * Running user code, and its registers.
 *
 * General registers are in struct hal_user whenever the kernel runs. FPU registers stay in the CPU
 * that ran the user code last (arm64_cpu.user says whose they are) until another user needs them,
 * the kernel asks for them, or the thread leaves this CPU: hal_context_switch() saves them, so
 * that they are never to be fetched from another CPU.
 */
#include "hal/arm64/arm64_priv.h"

#define PSTATE_NZCV 0xf0000000ull
#define PSTATE_SSBS (1ull << 12)
#define PSTATE_BTYPE (3ull << 10)
#define PSTATE_DIT (1ull << 24)
#define ESR_WRITE (1u << 6)
#define ESR_CACHE_OP (1u << 8)
#define FIELD(reg, shift) ((reg) >> (shift) & 15)

/* Exception classes (ESR_EL1.EC) of user code that have a meaning of their own. */
#define CLASS_WAIT 0x01
#define CLASS_SVC32 0x11
#define CLASS_SVC64 0x15
#define CLASS_FETCH_ABORT 0x20
#define CLASS_PC_ALIGNMENT 0x22
#define CLASS_DATA_ABORT 0x24
#define CLASS_SP_ALIGNMENT 0x26
#define CLASS_FPU 0x2c
#define CLASS_SERROR 0x2f
#define CLASS_BREAKPOINT 0x30
#define CLASS_STEP 0x32
#define CLASS_WATCHPOINT 0x34
#define CLASS_BRK 0x3c

void user_init(void)
{
	uint64_t pfr0 = READ_SYSREG(id_aa64pfr0_el1), pfr1 = READ_SYSREG(id_aa64pfr1_el1);

	arm64.pstate_mask = PSTATE_NZCV;
	if (FIELD(pfr1, 4) != 0)
		arm64.pstate_mask |= PSTATE_SSBS;
	if (FIELD(pfr1, 0) != 0)
		arm64.pstate_mask |= PSTATE_BTYPE;
	if (FIELD(pfr0, 48) != 0)
		arm64.pstate_mask |= PSTATE_DIT;
	if (FIELD(READ_SYSREG(id_aa64mmfr0_el1), 4) != 0)
		arm64.asid_bits = 16;
	else
		arm64.asid_bits = 8;
}

/* FPU open, SVE and SME closed; no debug, no counters for user code; PAN where there is one. */
void user_init_cpu(void)
{
	uint64_t counters = FIELD(READ_SYSREG(id_aa64dfr0_el1), 8);

	WRITE_SYSREG(cpacr_el1, 3ull << 20);
	WRITE_SYSREG(mdscr_el1, 1ull << 12);
	WRITE_SYSREG(tpidrro_el0, 0);
	if (counters != 0 && counters != 15)
		WRITE_SYSREG(pmuserenr_el0, 0);
	if (FIELD(READ_SYSREG(id_aa64mmfr1_el1), 20) != 0)
		__asm__ volatile(".inst 0xd500419f"); /* msr pan, #1 */
	isb();
}

void hal_user_init(struct hal_user *user, vaddr_t pc, vaddr_t sp)
{
	memset(user, 0, sizeof(*user));
	user->regs.pc = pc;
	user->regs.sp = sp;
	user->regs.syscall = UINT64_MAX;
}

void user_release_fpu(struct arm64_cpu *cpu)
{
	if (cpu->user != NULL)
		fpu_save(cpu->user->fpu);
	cpu->user = NULL;
}

void hal_user_sync(struct hal_user *user)
{
	if (this_cpu()->user == user)
		user_release_fpu(this_cpu());
}

void hal_user_copy(struct hal_user *copy, struct hal_user *user)
{
	hal_user_sync(user);
	*copy = *user;
}

void hal_user_fini(struct hal_user *user)
{
	if (this_cpu()->user == user)
		this_cpu()->user = NULL;
}

/* ---- Events ---- */

static void set_trap(struct hal_event *event, enum hal_trap trap, vaddr_t addr)
{
	event->kind = HAL_EVENT_TRAP;
	event->trap = trap;
	event->addr = addr;
}

/* The address that was touched; the top byte of a user address is a tag. */
static vaddr_t fault_address(void)
{
	uint64_t far = READ_SYSREG(far_el1);

	return (far & 1ull << 55) ? far : far & ~(0xffull << 56);
}

static void decode_abort(struct hal_event *event, uint64_t esr, bool fetch)
{
	unsigned status = esr & 63;

	event->addr = fault_address();
	if (status < 0x10) {
		event->kind = HAL_EVENT_FAULT;
		if (fetch)
			event->access = HAL_PROT_EXEC;
		else if ((esr & ESR_WRITE) != 0 && (esr & ESR_CACHE_OP) == 0)
			event->access = HAL_PROT_WRITE;
		else
			event->access = HAL_PROT_READ;
	} else if (status == 0x21) {
		set_trap(event, HAL_TRAP_ALIGNMENT, event->addr);
	} else {
		set_trap(event, HAL_TRAP_MACHINE, event->addr);
	}
}

static void decode_sync(struct hal_user *user, struct hal_event *event)
{
	uint64_t esr = READ_SYSREG(esr_el1);
	unsigned class = esr >> 26 & 63;

	switch (class) {
	case CLASS_WAIT:
		/* WFI, WFE: nothing may come for long. To the program, it came at once. */
		user->regs.pc += 4;
		return;
	case CLASS_SVC64:
		user->regs.syscall = user->regs.x[8];
		user->regs.orig_x0 = user->regs.x[0];
		event->kind = HAL_EVENT_SYSCALL;
		return;
	case CLASS_FETCH_ABORT:
	case CLASS_DATA_ABORT:
		decode_abort(event, esr, class == CLASS_FETCH_ABORT);
		return;
	case CLASS_BRK:
		user->regs.pc += 4;
		set_trap(event, HAL_TRAP_BREAKPOINT, 0);
		return;
	case CLASS_PC_ALIGNMENT:
		set_trap(event, HAL_TRAP_ALIGNMENT, user->regs.pc);
		return;
	case CLASS_SP_ALIGNMENT:
		set_trap(event, HAL_TRAP_ALIGNMENT, user->regs.sp);
		return;
	case CLASS_FPU:
		set_trap(event, HAL_TRAP_FPU, 0);
		return;
	case CLASS_BREAKPOINT:
	case CLASS_STEP:
	case CLASS_WATCHPOINT:
		set_trap(event, HAL_TRAP_STEP, 0);
		return;
	case CLASS_SVC32:
		set_trap(event, HAL_TRAP_FOREIGN, 0);
		return;
	case CLASS_SERROR:
		set_trap(event, HAL_TRAP_MACHINE, 0);
		return;
	}
	set_trap(event, HAL_TRAP_ILLEGAL, 0);
}

void hal_user_run(struct hal_mmu *mmu, struct hal_user *user, struct hal_event *event)
{
	struct arm64_cpu *cpu = this_cpu();
	uint64_t asid = mmu->asid << 48;
	unsigned vector;

	*event = (struct hal_event){.kind = HAL_EVENT_INTERRUPT};
	user->regs.syscall = UINT64_MAX;
	if (hal_irq_pending())
		return;
	if (cpu->user != user) {
		user_release_fpu(cpu);
		fpu_load(user->fpu);
		cpu->user = user;
	}
	mmu_enter(mmu, cpu->id);
	user->regs.pstate &= arm64.pstate_mask;
	vector = user_enter(user, mmu->root | asid, image_phys(empty_table) | asid);
	user->regs.pstate &= arm64.pstate_mask;
	if (vector == VECTOR_SYNC)
		decode_sync(user, event);
	else if (vector != VECTOR_IRQ)
		set_trap(event, HAL_TRAP_MACHINE, 0);
}
