/*
 * The parts of a GICv3 (ARM IHI 0069) that GICv2 has differently: a redistributor for each CPU,
 * the CPU interface by system registers, affinity routing.
 */
#include "hal/arm64/arm64_priv.h"

#define GICD_IROUTER 0x6000
#define GICD_BYTES 0x10000
#define GICD_CTLR_RWP (1u << 31)
#define GICD_CTLR_GROUPS 0x3u
#define GICD_CTLR_ARE 0x30u

#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI 0x10000 /* the second frame */
#define GICR_TYPER_VLPIS 2u
#define GICR_TYPER_LAST 16u
#define GICR_FRAME_BYTES 0x20000u
#define WAKER_SLEEP 2u
#define WAKER_ASLEEP 4u

#define REGIONS_MAX 32
#define SPINS_MAX 1000000u

/* ICC_* by encoding: assemblers know the names only with an extension switched on. */
#define ICC_IAR1 s3_0_c12_c12_0
#define ICC_EOIR1 s3_0_c12_c12_1
#define ICC_DIR s3_0_c12_c11_1
#define ICC_SGI1R s3_0_c12_c11_5
#define ICC_SGI0R s3_0_c12_c11_7
#define ICC_PMR s3_0_c4_c6_0
#define ICC_CTLR s3_0_c12_c12_4
#define ICC_SRE s3_0_c12_c12_5
#define ICC_IGRPEN0 s3_0_c12_c12_6
#define ICC_IGRPEN1 s3_0_c12_c12_7
#define READ(name) READ_SYSREG_OF(name)
#define WRITE(name, value) WRITE_SYSREG_OF(name, value)
#define READ_SYSREG_OF(name) READ_SYSREG(name)
#define WRITE_SYSREG_OF(name, value) WRITE_SYSREG(name, value)

static void settle(void)
{
	unsigned spins;

	for (spins = 0; spins < SPINS_MAX; spins++)
		if (!(hal_mmio_read32(arm64.gic.distributor + GICD_CTLR) & GICD_CTLR_RWP))
			return;
}

static uint32_t acknowledge(void)
{
	uint32_t ack = (uint32_t)READ(ICC_IAR1) & 0xffffff;

	__asm__ volatile("dsb sy" ::: "memory");
	return ack;
}

static void drop(uint32_t ack)
{
	WRITE(ICC_EOIR1, ack);
	isb();
}

static void deactivate(uint32_t ack)
{
	WRITE(ICC_DIR, ack);
	isb();
}

static void send(const struct arm64_cpu *target, unsigned sgi)
{
	uint64_t id = target->mpidr;
	uint64_t value = (id >> 32 & 255) << 48 | (id >> 16 & 255) << 32 | (id >> 8 & 255) << 16 |
			 (id >> 4 & 15) << 44 | (uint64_t)sgi << 24 | 1ull << (id & 15);

	__asm__ volatile("dsb ishst" ::: "memory");
	if (sgi == SGI_STOP && arm64.gic.stop_by_fiq)
		WRITE(ICC_SGI0R, value);
	else
		WRITE(ICC_SGI1R, value);
	isb();
}

static void route(unsigned intid, const struct arm64_cpu *target)
{
	hal_mmio_write64(arm64.gic.distributor + GICD_IROUTER + intid * 8ul, target->mpidr);
}

static void enable_private(unsigned intid)
{
	hal_mmio_write32(this_cpu()->redistributor + GICR_SGI + GICD_ISENABLER, 1u << intid);
}

/* Looks for the CPU's redistributor in one region of them. */
static bool find_in_region(struct arm64_cpu *cpu, uintptr_t base, uint64_t bytes)
{
	uint64_t affinity = cpu->mpidr >> 8 & 0xff000000, type, step;

	affinity |= cpu->mpidr & 0xffffff;
	while (bytes >= GICR_FRAME_BYTES) {
		type = hal_mmio_read64(base + GICR_TYPER);
		if (type >> 32 == affinity) {
			cpu->redistributor = base;
			return true;
		}
		step = (type & GICR_TYPER_VLPIS) ? 2 * GICR_FRAME_BYTES : GICR_FRAME_BYTES;
		if ((type & GICR_TYPER_LAST) || bytes < step)
			return false;
		base += step;
		bytes -= step;
	}
	return false;
}

/* Frames are mapped as far as they are looked at, four CPUs' worth at least at a time. */
static bool find_redistributor(struct arm64_cpu *cpu)
{
	uint32_t regions, i;
	struct fdt_range range;
	uint64_t bytes;
	uintptr_t base;

	if (fdt_get_u32(&arm64.fdt, arm64.gic.node, "#redistributor-regions", &regions) != 0)
		regions = 1;
	for (i = 0; i < regions && i < REGIONS_MAX; i++) {
		if (fdt_reg(&arm64.fdt, arm64.gic.node, 1 + i, &range) != 0)
			return false;
		bytes = 2ull * GICR_FRAME_BYTES * arm64.cpu_count;
		if (range.bytes < bytes)
			bytes = range.bytes;
		if (hal_mmio_map(range.base, bytes, &base) == 0 &&
		    find_in_region(cpu, base, bytes))
			return true;
	}
	return false;
}

static void wake_redistributor(uintptr_t base)
{
	uint32_t waker = hal_mmio_read32(base + GICR_WAKER);
	unsigned spins;

	hal_mmio_write32(base + GICR_WAKER, waker & ~WAKER_SLEEP);
	for (spins = 0; spins < SPINS_MAX; spins++)
		if (!(hal_mmio_read32(base + GICR_WAKER) & WAKER_ASLEEP))
			return;
}

static void init_cpu(struct arm64_cpu *cpu)
{
	if (!find_redistributor(cpu))
		boot_fail("interrupts", "a CPU has no GICv3 redistributor");
	wake_redistributor(cpu->redistributor);
	gic_init_private(cpu->redistributor + GICR_SGI);
	WRITE(ICC_SRE, 7);
	isb();
	WRITE(ICC_PMR, 0xf0);
	WRITE(ICC_CTLR, 2); /* EOImode 1 */
	WRITE(ICC_IGRPEN0, 1);
	WRITE(ICC_IGRPEN1, 1);
	isb();
}

static const struct gic_ops gicv3_ops = {
	.init_cpu = init_cpu,
	.acknowledge = acknowledge,
	.drop = drop,
	.deactivate = deactivate,
	.send = send,
	.route = route,
	.enable_private = enable_private,
	.settle = settle,
};

void gicv3_init(uint32_t node)
{
	struct fdt_range distributor;

	if (fdt_reg(&arm64.fdt, node, 0, &distributor) != 0 || distributor.bytes < GICD_BYTES ||
	    hal_mmio_map(distributor.base, GICD_BYTES, &arm64.gic.distributor) != 0)
		boot_fail("interrupts", "the GICv3's registers cannot be reached");
	arm64.gic.ops = &gicv3_ops;
	arm64.gic.version = 3;
	hal_mmio_write32(arm64.gic.distributor + GICD_CTLR, 0);
	settle();
	hal_mmio_write32(arm64.gic.distributor + GICD_CTLR, GICD_CTLR_ARE);
	settle();
	gic_init_shared();
	settle();
	hal_mmio_write32(arm64.gic.distributor + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GROUPS);
	settle();
}
