/*
 * What the files of the ARM64 machine know of each other.
 *
 * All state that lasts lies in one struct arm64 (state.c). Kernel code runs with IRQ masked in
 * PSTATE at all times: a pending interrupt stays pending in the interrupt controller until the
 * kernel takes it at one of the points of the contract, so that the controller itself is the set
 * of pending bits. FIQ is never masked; it means "stop for ever" (hal_cpu_stop_others()).
 */
#ifndef HAL_ARM64_PRIV_H
#define HAL_ARM64_PRIV_H

#include "hal/arm64/layout.h"
#include "hal/arm64/gic.h"
#include "hal/base.h"
#include "hal/common/fdt.h"
#include "hal/common/ram.h"
#include "hal/hal.h"

#include <stdatomic.h>

#define FAIL_STATUS 125 /* as a panic of the kernel */
#define PAGE_BYTES 4096ull
#define BLOCK_BYTES (2ull << 20)

#define READ_SYSREG(name)                                                                          \
	({                                                                                         \
		uint64_t value_;                                                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                       \
		value_;                                                                            \
	})
#define WRITE_SYSREG(name, value)                                                                  \
	__asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

/* ---- State ---- */

#define DEVICES_MAX 128

struct arm64_cpu {
	uint64_t fault_stack;  /* top of the stack that exceptions of the kernel use. Set once */
	struct hal_user *user; /* whose FPU registers this CPU holds. Own CPU only */
	unsigned id;	       /* Set once */
	uint64_t mpidr;	       /* affinity fields. Set once */
	uint64_t stack;	       /* lowest byte of the idle stack. Set once */
	bool irq_enabled;      /* in the sense of the contract. Own CPU only */
	unsigned relaxed;      /* calls of hal_cpu_relax(). Own CPU only */
	bool can_nap;	       /* what ends timer_nap() is let through. Own CPU only */
	unsigned faults;       /* exceptions of the kernel so far. Own CPU only */
	_Atomic bool kicked;   /* HAL_IRQ_KICK is pending */
	_Atomic bool running;
	unsigned gic_mask;	 /* GICv2: this CPU's bit as a target. Own CPU sets it once */
	uintptr_t redistributor; /* GICv3. Set once */
};

struct messages { /* GICv2m frame */
	paddr_t doorbell; /* 0: there is none */
	unsigned first, count; /* controller's numbers. Set once */
	_Atomic unsigned taken;
};

struct asids {
	_Atomic uint64_t used[1024]; /* a bit for each; 0 is never given out */
	_Atomic unsigned hint;
};

struct pci_host {
	uintptr_t config; /* mapped ECAM; 0: there is none. Set once */
	uint32_t node;
	unsigned bus_first, bus_last;
	struct hal_range window;
};

struct random {
	enum { RANDOM_NONE, RANDOM_RNDR, RANDOM_SEED } source; /* Set once */
	uint32_t key[8];				       /* Guarded by lock */
	atomic_flag lock;
};

struct arm64 {
	struct hal_boot boot;
	struct fdt fdt;
	char cmdline[HAL_CMDLINE_MAX];
	paddr_t kernel_phys;	/* where the image lies */
	struct ram_map ram;	/* all of it. Set once */
	struct ram_map free;	/* what is the kernel's, until up_boot() */
	struct arm64_cpu cpus[HAL_CPUS_MAX];
	unsigned cpu_count;
	struct gic gic;
	uintptr_t uart;		/* 0: none found */
	bool psci_smc;		/* conduit */
	bool psci;
	unsigned timer_intid; /* of the virtual timer */
	unsigned nap_intid;   /* of the physical timer; 0: there is none */
	uint64_t timer_hz, ns_per_tick, ticks_per_ns; /* the latter two as 32.32 */
	uint64_t epoch_ns;
	uint64_t pstate_mask;	/* what user code may have in PSTATE */
	unsigned asid_bits;
	_Atomic paddr_t pool_next;   /* page tables and stacks made before up_boot() */
	paddr_t pool_end;	     /* Set once */
	paddr_t pool_window;	     /* what the window shows. Set once */
	bool direct_map;	     /* is there. Set once */
	bool kernel_runs;	     /* up_boot() was called. Set once */
	struct hal_device devices[DEVICES_MAX];
	unsigned device_count;
	struct messages messages;
	struct pci_host pci;
	struct random random;
	struct asids asids;
};

extern struct arm64 arm64;

static inline struct arm64_cpu *this_cpu(void)
{
	struct arm64_cpu *cpu;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(cpu));
	return cpu;
}

/* The linker script's. */
extern char kernel_start[], text_end[], rodata_end[], kernel_end[];

static inline paddr_t image_phys(const void *addr)
{
	return (paddr_t)((uintptr_t)addr - (uintptr_t)kernel_start) + arm64.kernel_phys;
}

/* ---- boot.c, ram.c, log.c ---- */

HAL_NORETURN void arm64_start(paddr_t fdt, paddr_t kernel_phys);
HAL_NORETURN void arm64_start_cpu(void);

/* Says on the log that the machine cannot boot and why, and powers off. */
HAL_NORETURN void boot_fail(const char *what, const char *why);
void log_text(const char *text);
void log_number(const char *before, uint64_t value, const char *after); /* hexadecimal */
void log_init(void);

void boot_ram_find(paddr_t fdt);

/* ---- kernel_map.c ---- */

#define RAM_END_MAX 0x0000ff0000000000ull /* of what the direct map reaches below the kernel */

uintptr_t kernel_map_uart(paddr_t regs); /* before there is a direct map */
void kernel_map_ram(void);
bool kernel_mapped(uintptr_t addr);
bool kernel_guarded(uintptr_t addr); /* by hal_guard_set() */
void *kernel_boot_alloc(size_t bytes); /* zeroed pages, before up_boot() alone. Never fails */

/* ---- cpu.c, psci.c, context.S ---- */

void psci_init(void);
void cpu_find_all(void);
int psci_cpu_on(uint64_t mpidr, paddr_t entry, uint64_t arg);
HAL_NORETURN void psci_off(bool reset);
void context_switch(uint64_t *from, uint64_t to);
void context_start(void);
extern char secondary_entry[];

/* ---- timer.c, entropy.c ---- */

void entropy_init(void);
void timer_init(void);
void timer_init_cpu(void);
void timer_nap(void);  /* sleeps for a few microseconds, or until an interrupt is pending */
bool timer_take(void); /* silences an expired timer; false: it has not expired */

/* ---- mmu.c, user.c, vectors.S ---- */

/* This CPU is about to run in the space, and may hold translations of it from now on. */
void mmu_enter(struct hal_mmu *mmu, unsigned cpu);

enum vector { VECTOR_SYNC, VECTOR_IRQ, VECTOR_FIQ, VECTOR_SERROR };

void user_init(void);
void user_init_cpu(void);
void user_release_fpu(struct arm64_cpu *cpu); /* the live FPU state goes to its owner */
void fpu_save(void *fpu);
void fpu_load(const void *fpu);
unsigned user_enter(struct hal_user *user, uint64_t ttbr0, uint64_t ttbr0_none);
extern char vectors[];
extern uint64_t empty_table[512]; /* TTBR0 while the kernel runs */
extern uint64_t kernel_l0[512];

/* ---- device.c, pci.c ---- */

void device_find_all(void);
void device_add(const struct hal_device *device);
void pci_find(void);

#endif
