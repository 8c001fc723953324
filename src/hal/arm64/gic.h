/*
 * The interrupt controller, for the files of this machine: one struct, a table of what GICv2 and
 * GICv3 do differently, and the registers that both distributors have (ARM IHI 0048B, IHI 0069).
 */
#ifndef HAL_ARM64_GIC_H
#define HAL_ARM64_GIC_H

#include "hal/common/fdt.h"
#include "hal/cpu.h"

#include <stdatomic.h>

#define SGI_KICK 0u
#define SGI_STOP 15u
#define GIC_NONE 1020u /* interrupt numbers from here on mean: none */

#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_IGROUPR 0x080
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_ICACTIVER 0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xc00

struct arm64_cpu;

/* What GICv2 and GICv3 have differently. */
struct gic_ops {
	void (*init_cpu)(struct arm64_cpu *cpu);
	uint32_t (*acknowledge)(void); /* takes the highest pending one; >= 1020: none */
	void (*drop)(uint32_t ack);    /* ends its priority; it stays active */
	void (*deactivate)(uint32_t ack);
	void (*send)(const struct arm64_cpu *target, unsigned sgi);
	void (*route)(unsigned intid, const struct arm64_cpu *target);
	void (*enable_private)(unsigned intid);
	void (*settle)(void); /* waits until the distributor has done what it was told */
};

struct gic {
	const struct gic_ops *ops; /* Set once */
	uintptr_t distributor;	   /* Set once */
	uintptr_t cpu_interface;   /* GICv2. Set once */
	uint32_t node;		   /* in the device tree. Set once */
	unsigned version;	   /* 2 or 3. Set once */
	unsigned lines;		   /* interrupt numbers it has, at most 1020. Set once */
	bool stop_by_fiq;	   /* group 0 is ours. Set once */
	atomic_flag lock;	   /* the distributor's shared words */
};

void gic_init(void);
void gicv2_init(uint32_t node);
void gicv3_init(uint32_t node);
void gic_init_shared(void);
void gic_init_private(uintptr_t regs);

/* The contract's number of an interrupt of the device tree, with its trigger set; 0: none. */
unsigned gic_irq_of(const struct fdt_interrupt *interrupt);

#endif
