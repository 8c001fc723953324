/*
 * The parts of a GICv2 (ARM IHI 0048B) that GICv3 has differently: CPU interface by registers,
 * SGIs and routing by a mask of at most eight CPUs.
 */
#include "hal/arm64/arm64_priv.h"

#define GICD_SGIR 0xf00
#define GICC_CTLR 0x0000
#define GICC_PMR 0x0004
#define GICC_IAR 0x000c
#define GICC_EOIR 0x0010
#define GICC_DIR 0x1000
#define GICC_BYTES 0x2000

/* Groups 0 and 1, acknowledged by one register, group 0 as FIQ, EOImode 1. */
#define GICC_CTLR_VALUE 0x20fu

static uint32_t acknowledge(void)
{
	return hal_mmio_read32(arm64.gic.cpu_interface + GICC_IAR) & 0x1fff;
}

static void drop(uint32_t ack)
{
	hal_mmio_write32(arm64.gic.cpu_interface + GICC_EOIR, ack);
}

static void deactivate(uint32_t ack)
{
	hal_mmio_write32(arm64.gic.cpu_interface + GICC_DIR, ack);
}

/* Bit 15 would send it in group 1; for the one in group 0 it is clear. */
static void send(const struct arm64_cpu *target, unsigned sgi)
{
	uint32_t group = sgi == SGI_STOP && arm64.gic.stop_by_fiq ? 0 : 1u << 15;

	hal_mmio_write32(arm64.gic.distributor + GICD_SGIR, target->gic_mask << 16 | group | sgi);
}

static void route(unsigned intid, const struct arm64_cpu *target)
{
	hal_mmio_write8(arm64.gic.distributor + GICD_ITARGETSR + intid, (uint8_t)target->gic_mask);
}

static void enable_private(unsigned intid)
{
	hal_mmio_write32(arm64.gic.distributor + GICD_ISENABLER, 1u << intid);
}

/* The distributor answers a read of its own registers at once. */
static void settle(void)
{
	(void)hal_mmio_read32(arm64.gic.distributor + GICD_CTLR);
}

/* The target registers of private interrupts read as the CPU that reads them. */
static void init_cpu(struct arm64_cpu *cpu)
{
	unsigned i;

	for (i = 0; i < 32 && cpu->gic_mask == 0; i++)
		cpu->gic_mask = hal_mmio_read8(arm64.gic.distributor + GICD_ITARGETSR + i);
	if (cpu->gic_mask == 0)
		cpu->gic_mask = 1; /* with one CPU they read as zero */
	gic_init_private(arm64.gic.distributor);
	hal_mmio_write32(arm64.gic.cpu_interface + GICC_PMR, 0xf0);
	hal_mmio_write32(arm64.gic.cpu_interface + GICC_CTLR, GICC_CTLR_VALUE);
}

static const struct gic_ops gicv2_ops = {
	.init_cpu = init_cpu,
	.acknowledge = acknowledge,
	.drop = drop,
	.deactivate = deactivate,
	.send = send,
	.route = route,
	.enable_private = enable_private,
	.settle = settle,
};

void gicv2_init(uint32_t node)
{
	struct fdt_range distributor, interface;

	if (fdt_reg(&arm64.fdt, node, 0, &distributor) != 0 ||
	    fdt_reg(&arm64.fdt, node, 1, &interface) != 0 || distributor.bytes < PAGE_BYTES ||
	    interface.bytes < GICC_BYTES ||
	    hal_mmio_map(distributor.base, PAGE_BYTES, &arm64.gic.distributor) != 0 ||
	    hal_mmio_map(interface.base, GICC_BYTES, &arm64.gic.cpu_interface) != 0)
		boot_fail("interrupts", "the GICv2's registers cannot be reached");
	arm64.gic.ops = &gicv2_ops;
	arm64.gic.version = 2;
	hal_mmio_write32(arm64.gic.distributor + GICD_CTLR, 0);
	gic_init_shared();
	hal_mmio_write32(arm64.gic.distributor + GICD_CTLR, 3);
}
