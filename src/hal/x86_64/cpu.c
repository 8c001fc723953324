/*
 * One CPU: what it can do, its descriptor tables, its control registers, and gs, through which the
 * kernel finds struct x86_cpu.
 *
 * x86_cpu_setup() is called by each CPU for itself, once; everything here is set once then.
 */
#include "hal/x86_64/cpu_priv.h"

#include "hal/base.h"
#include "hal/x86_64/asm.h"

#define DESCRIPTOR_CODE_KERNEL 0x00af9b000000ffffull
#define DESCRIPTOR_DATA_KERNEL 0x00cf93000000ffffull
#define DESCRIPTOR_DATA_USER 0x00cff3000000ffffull
#define DESCRIPTOR_CODE_USER 0x00affb000000ffffull
#define TSS_PRESENT 0x89ull

/* Everything but the fixed bit, so that the kernel starts with all flags clear. */
#define SYSCALL_FLAGS_CLEARED 0x257fd5ull

struct x86_features x86_features;
struct x86_cpu *x86_cpus[HAL_CPUS_MAX] = {&x86_boot_cpu};
struct x86_cpu x86_boot_cpu;

#define ASSERT_OFFSET(type, field, value)                                                          \
	_Static_assert(offsetof(struct type, field) == (value), #field " lies as in layout.h")
ASSERT_OFFSET(x86_cpu, self, CPU_SELF);
ASSERT_OFFSET(x86_cpu, kernel_rsp, CPU_KERNEL_RSP);
ASSERT_OFFSET(x86_cpu, user, CPU_USER);
ASSERT_OFFSET(x86_cpu, scratch, CPU_SCRATCH);
ASSERT_OFFSET(x86_cpu, trap_error, CPU_TRAP_ERROR);
ASSERT_OFFSET(x86_cpu, id, CPU_ID);
ASSERT_OFFSET(hal_user, regs, 0);
ASSERT_OFFSET(hal_regs, r15, REGS_R15);
ASSERT_OFFSET(hal_regs, rbp, REGS_RBP);
ASSERT_OFFSET(hal_regs, rax, REGS_RAX);
ASSERT_OFFSET(hal_regs, rdi, REGS_RDI);
ASSERT_OFFSET(hal_regs, orig_rax, REGS_ORIG_RAX);
ASSERT_OFFSET(hal_regs, rip, REGS_RIP);
ASSERT_OFFSET(hal_regs, rflags, REGS_RFLAGS);
ASSERT_OFFSET(hal_regs, rsp, REGS_RSP);
ASSERT_OFFSET(hal_regs, ss, REGS_SS);
_Static_assert(sizeof(struct x86_frame) == 176, "frames are as entry.S pushes them");
_Static_assert(sizeof(struct x86_tss) == 104, "the TSS is the CPU's");
_Static_assert(HAL_MACHINE_VERSION == HAL_VERSION, "this machine implements the contract");

void x86_cpu_find_features(void)
{
	struct x86_features *f = &x86_features;
	uint32_t leaf_max = cpuid(0, 0).eax, extended_max = cpuid(0x80000000, 0).eax;
	struct cpuid_result r = cpuid(1, 0);

	f->x2apic = r.ecx & 1u << 21;
	f->tsc_deadline = r.ecx & 1u << 24;
	f->xsave = r.ecx & 1u << 26;
	f->rdrand = r.ecx & 1u << 30;
	f->pcid = r.ecx & 1u << 17;
	f->mce = r.edx & 1u << 7;
	f->pge = r.edx & 1u << 13;
	if (leaf_max >= 7) {
		r = cpuid(7, 0);
		f->fsgsbase = r.ebx & 1u << 0;
		f->smep = r.ebx & 1u << 7;
		f->rdseed = r.ebx & 1u << 18;
		f->smap = r.ebx & 1u << 20;
		f->umip = r.ecx & 1u << 2;
	}
	r = cpuid(0x80000001, 0);
	f->nx = r.edx & 1u << 20;
	f->big_pages_1g = r.edx & 1u << 26;
	f->phys_bits = extended_max >= 0x80000008 ? cpuid(0x80000008, 0).eax & 0xff : 36;
	x86_fpu_find_features();
}

/* The vectors that may hit where gs or the stack are not to be trusted have stacks of their own;
 * the word above the frame says whose they are (entry.S). */
static void set_up_stacks(struct x86_cpu *cpu)
{
	memset(&cpu->tss, 0, sizeof(cpu->tss));
	cpu->tss.rsp[0] = (uintptr_t)&cpu->entry_stack[ENTRY_STACK_WORDS];
	for (unsigned i = 0; i < IST_COUNT; i++) {
		uint64_t *top = (uint64_t *)(cpu->ist[i] + IST_BYTES - 16);

		*top = (uintptr_t)cpu;
		cpu->tss.ist[i] = (uintptr_t)top;
	}
	cpu->tss.io_map = sizeof(cpu->tss);
}

static void load_gdt(struct x86_cpu *cpu)
{
	uint64_t tss = (uintptr_t)&cpu->tss;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt};

	memset(cpu->gdt, 0, sizeof(cpu->gdt));
	cpu->gdt[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_CODE_KERNEL;
	cpu->gdt[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_DATA_KERNEL;
	cpu->gdt[SELECTOR_USER_DATA / 8] = DESCRIPTOR_DATA_USER;
	cpu->gdt[SELECTOR_USER_CODE / 8] = DESCRIPTOR_CODE_USER;
	cpu->gdt[SELECTOR_TSS / 8] = (sizeof(cpu->tss) - 1) | (tss & 0xffffff) << 16 |
				     TSS_PRESENT << 40 | (tss >> 24 & 0xff) << 56;
	cpu->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
	__asm__ volatile("lgdt %0\n\t"
			 "movl %1, %%ss\n\t"
			 "ltr %w2"
			 :
			 : "m"(pointer), "r"(SELECTOR_KERNEL_DATA), "r"(SELECTOR_TSS)
			 : "memory");
}

static void set_control_registers(void)
{
	const struct x86_features *f = &x86_features;
	uint64_t cr0 = read_cr0(), cr4 = read_cr4();

	cr0 &= ~(CR0_EM | CR0_TS | CR0_AM);
	cr0 |= CR0_MP | CR0_NE | CR0_WP | CR0_AM; /* AM: user code may ask for alignment checks */
	write_cr0(cr0);
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_DE;
	cr4 |= f->mce ? CR4_MCE : 0;
	cr4 |= f->pge ? CR4_PGE : 0;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	cr4 |= f->umip ? CR4_UMIP : 0;
	cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	write_cr4(cr4);
	/* PCIDs can be turned on only while the current one is 0, as it is before user code ran. */
	if (f->pcid)
		write_cr4(cr4 | CR4_PCIDE);
}

static void set_up_syscalls(void)
{
	uint64_t efer = rdmsr(MSR_EFER) | EFER_SYSCALL;

	wrmsr(MSR_EFER, x86_features.nx ? efer | EFER_NXE : efer);
	wrmsr(MSR_STAR, (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	wrmsr(MSR_LSTAR, (uintptr_t)x86_entry_syscall);
	wrmsr(MSR_CSTAR, 0);
	wrmsr(MSR_SFMASK, SYSCALL_FLAGS_CLEARED);
	wrmsr(MSR_SYSENTER_CS, 0); /* sysenter faults */
}

void x86_cpu_setup(struct x86_cpu *cpu)
{
	cpu->self = cpu;
	set_up_stacks(cpu);
	load_gdt(cpu);
	wrmsr(MSR_GS_BASE, (uintptr_t)cpu);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	wrmsr(MSR_FS_BASE, 0);
	x86_trap_load();
	set_control_registers();
	set_up_syscalls();
	x86_fpu_setup();
}

__attribute__((noinline)) unsigned hal_cpu_id(void)
{
	unsigned id;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(id) : "i"(CPU_ID) : "memory");
	return id;
}

void hal_cpu_halt(void)
{
	x86_smp_stop_this();
}
