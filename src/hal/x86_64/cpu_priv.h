/*
 * What the files of this machine share: the CPUs, their features, requests between them, memory
 * for tables, and interrupt vectors.
 */
#ifndef HAL_X86_64_CPU_PRIV_H
#define HAL_X86_64_CPU_PRIV_H

#include "hal/hal.h"
#include "hal/x86_64/layout.h"

#include <stdatomic.h>

#define IST_BYTES 8192
#define PENDING_WORDS (HAL_IRQ_MAX / 64)
#define PCID_SLOTS 8u	/* address spaces whose translations a CPU keeps; PCIDs 1..PCID_SLOTS */
#define GDT_ENTRIES 10
#define ENTRY_STACK_WORDS 32

/* What the CPU pushed and entry.S saved, of interrupted kernel code. */
struct x86_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Task state segment (Intel SDM vol. 3, 8.7). */
struct x86_tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

enum x86_request_kind {
	REQUEST_TLB_USER,   /* translations of a user space are no longer true */
	REQUEST_TLB_KERNEL, /* one page of the kernel's */
	REQUEST_FPU_SAVE,   /* bring the FPU registers of a user into its struct */
};

/* Work that one CPU asks of others, which do it in a vector. One at a time for each that asks. */
struct x86_request {
	enum x86_request_kind kind;
	struct hal_mmu *mmu;
	struct hal_user *user;
	uint64_t addr, pages;
	_Atomic uint64_t waiting; /* a bit for each CPU that has not done it yet */
};

/* Whether a CPU waits in hal_cpu_idle(). It uses no translation then that a TLB request can be
 * about, so that it is not woken up for one, but told to drop all when it goes on. */
enum x86_idle { IDLE_NO, IDLE_YES, IDLE_STALE };

/* A CPU. gs points here while the kernel runs. */
struct x86_cpu {
	struct x86_cpu *self;	/* layout.h knows the first six */
	uint64_t kernel_rsp;	/* in x86_user_enter() */
	struct hal_user *user;	/* whose code runs */
	uint64_t scratch;
	uint64_t trap_error;	/* error code of the exception that ended user code */
	uint32_t id, apic_id;	/* Set once */

	bool irq_enabled;	/* as the contract means it. Own CPU only */
	_Atomic uint64_t pending[PENDING_WORDS]; /* interrupts not taken yet */
	_Atomic uint64_t requests; /* a bit for each CPU whose `request` is to be done here */
	struct x86_request request;
	_Atomic int idle; /* enum x86_idle */

	uint64_t timer_deadline_ns; /* Own CPU only, hardware interrupts off */

	/* From here on: own CPU, hardware interrupts off. */
	struct hal_mmu *mmu;		      /* in CR3, NULL: the kernel's own */
	struct hal_mmu *pcid_mmu[PCID_SLOTS]; /* whose PCID it is, NULL: nobody's */
	unsigned pcid_next;

	struct hal_user *fpu_user; /* whose values the FPU registers hold */
	bool fpu_changed;	   /* they are newer than its struct */
	uint64_t fs_base, gs_base; /* of user code, as the CPU has them */
	bool user_segments;	   /* ds, es, fs or gs are not all null */

	uintptr_t stack;	/* lowest byte of the idle stack. Set once */
	_Atomic bool alive;	/* has set itself up */
	_Atomic bool started;	/* hal_cpu_start() was called */
	_Atomic bool halted;	/* never runs again */

	uint64_t gdt[GDT_ENTRIES] __attribute__((aligned(16)));
	struct x86_tss tss __attribute__((aligned(16)));
	uint64_t entry_stack[ENTRY_STACK_WORDS] __attribute__((aligned(16)));
	uint8_t ist[IST_COUNT][IST_BYTES] __attribute__((aligned(16)));
};

struct x86_features {
	bool nx, big_pages_1g, pge, pcid, smep, smap, umip, fsgsbase;
	bool xsave, xsaveopt, rdrand, rdseed, x2apic, tsc_deadline, mce;
	uint64_t xcr0;		/* the components that are kept for user code */
	uint32_t mxcsr_mask;
	unsigned phys_bits;
};

/* The machine's whole state besides struct x86_cpu; each member belongs to the file named. */
extern struct x86_features x86_features;		/* cpu.c. Set once */
extern struct x86_cpu *x86_cpus[HAL_CPUS_MAX];		/* cpu.c. Set once */
extern struct x86_cpu x86_boot_cpu;			/* cpu.c */
extern unsigned x86_cpu_total;				/* smp.c. Set once */
extern _Atomic uint64_t x86_stopped;			/* smp.c: CPUs that never run again */

extern char kernel_base[], kernel_start[], kernel_text_start[], kernel_text_end[];
extern char kernel_rodata_start[], kernel_rodata_end[], kernel_data_start[], kernel_end[];

/* This CPU. The answer is good as long as no context switch happens. */
static inline struct x86_cpu *x86_cpu_this(void)
{
	struct x86_cpu *cpu;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(cpu) : "i"(CPU_SELF));
	return cpu;
}

static inline paddr_t kernel_to_phys(const void *addr)
{
	return (paddr_t)((uintptr_t)addr - (uintptr_t)kernel_base);
}

/* ---- entry.S ---- */
extern char x86_entry_stubs[], x86_entry_syscall[], x86_context_start[];
unsigned x86_user_enter(struct hal_user *user, bool sysret);
void x86_context_switch(uint64_t *save_rsp, uint64_t load_rsp);

/* ---- head.S, boot.c ---- */
HAL_NORETURN void x86_boot_on_stack(uintptr_t top, void (*entry)(void));
HAL_NORETURN void x86_boot(uint32_t magic, paddr_t table);

/* Zeroed pages while the machine boots, from the kernel later. 0 if there are none. */
paddr_t x86_page_alloc(void);

/* ---- cpu.c ---- */
void x86_cpu_find_features(void);
void x86_cpu_setup(struct x86_cpu *cpu); /* this CPU: tables, control registers, gs */

/* ---- trap.c ---- */
void x86_trap_init(void);
void x86_trap_load(void);
void x86_kernel_vector(struct x86_frame *frame);
void x86_paranoid_vector(struct x86_frame *frame);

/* ---- smp.c ---- */
void x86_smp_init(void);	     /* finds the others, and begins to start them */
void x86_smp_start_all(void);    /* at least 10 ms later; less is enough for CPUs of this century */
HAL_NORETURN void x86_cpu_main(void);
void x86_smp_serve_requests(void);		     /* in VECTOR_REQUEST */
void x86_smp_request(struct x86_request *request, uint64_t cpus); /* asks and waits */
void x86_smp_wake(struct x86_cpu *cpu);	     /* makes it look at its pending words */
HAL_NORETURN void x86_smp_stop_this(void);

/* ---- irq.c ---- */
void x86_irq_silence_pics(void); /* first of all */
void x86_irq_init(void);
void x86_irq_set_pending(struct x86_cpu *cpu, unsigned irq);
void x86_irq_clear_pending(struct x86_cpu *cpu, unsigned irq);
bool x86_irq_any_pending(struct x86_cpu *cpu);
void x86_irq_set_trigger(uint32_t gsi, bool level, bool active_low); /* before it is unmasked */
void x86_irq_vector(unsigned vector); /* any vector from VECTOR_EXCEPTIONS on */

/* ---- clock.c ---- */
void x86_clock_init(void);
void x86_clock_init_cpu(void);
void x86_clock_timer_vector(void);
void x86_clock_delay_us(unsigned us);

/* ---- paging.c ---- */
void x86_paging_init(void);
void x86_paging_flush(void); /* all translations, on this CPU */
void x86_paging_load(void); /* the kernel's tables, on this CPU */
paddr_t x86_paging_kernel_root_phys(void);
void x86_paging_copy_kernel_half(uint64_t *root);
bool x86_paging_is_mapped(uintptr_t addr);
bool x86_paging_is_guarded(uintptr_t addr); /* by hal_guard_set() */
int x86_paging_map_device(paddr_t phys, size_t bytes, uintptr_t *addr); /* 0 or -ENOMEM */

/* ---- mmu.c ---- */
void x86_mmu_load(struct x86_cpu *cpu, struct hal_mmu *mmu); /* hardware interrupts off */
bool x86_mmu_peek(struct hal_mmu *mmu, uint64_t addr, uint8_t *byte); /* of user memory */
void x86_mmu_serve(struct x86_cpu *cpu, const struct x86_request *request);

/* ---- fpu.c ---- */
void x86_fpu_find_features(void);
void x86_fpu_setup(void);
void x86_fpu_prepare(struct hal_user *user); /* fetches its values from another CPU, if need be */
void x86_fpu_load(struct x86_cpu *cpu, struct hal_user *user); /* hardware interrupts off */
void x86_fpu_save(struct x86_cpu *cpu);			   /* hardware interrupts off */
void x86_fpu_serve(struct x86_cpu *cpu, const struct x86_request *request);

#endif
