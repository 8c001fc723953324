/*
 * Interrupts of the contract, over a GICv2 or GICv3.
 *
 * The controller holds all pending interrupts; a CPU acknowledges them only at the points of
 * the contract. Acknowledging and ending an interrupt are split (EOImode 1): its priority is
 * dropped at once, but a device interrupt stays active, and so is not delivered again, until
 * hal_irq_done(). SGIs and the timer are deactivated at once.
 *
 * Numbers: contract number 8 + n is shared peripheral interrupt n of the device tree.
 *
 * Group 0 arrives as FIQ, which the kernel never masks: the SGI that stops a CPU for ever is in
 * it, all others are in group 1. Where group 0 belongs to the secure world that SGI is an ordinary
 * interrupt, and a CPU stops at the next point where it takes interrupts.
 */
#include "hal/arm64/arm64_priv.h"

#define PRIORITY_ALL 0xa0a0a0a0u
#define INTID_SPI 32u
#define SPIS_MAX (HAL_IRQ_MAX - HAL_IRQ_DEVICE)
#define ISR_IRQ (1u << 7)

HAL_NORETURN void stop_cpu(void);

static void lock_gic(void)
{
	while (atomic_flag_test_and_set_explicit(&arm64.gic.lock, memory_order_acquire))
		hal_cpu_relax();
}

static void unlock_gic(void)
{
	atomic_flag_clear_explicit(&arm64.gic.lock, memory_order_release);
}

/* ---- Taking ---- */

bool hal_irq_pending(void)
{
	return atomic_load_explicit(&this_cpu()->kicked, memory_order_acquire) ||
	       (READ_SYSREG(isr_el1) & ISR_IRQ) != 0;
}

static void take_one(uint32_t ack)
{
	unsigned intid = ack & 0xffffff;

	/* A GICv2 says with an SGI which CPU sent it, and wants that back. */
	if (arm64.gic.version == 2)
		intid = ack & 0x3ff;
	arm64.gic.ops->drop(ack);
	if (intid >= INTID_SPI) {
		up_irq(intid - INTID_SPI + HAL_IRQ_DEVICE);
		return;
	}
	if (intid == SGI_STOP)
		stop_cpu();
	if (intid == arm64.timer_intid && timer_take()) {
		arm64.gic.ops->deactivate(ack);
		up_irq(HAL_IRQ_TIMER);
		return;
	}
	arm64.gic.ops->deactivate(ack);
}

/* The flag is looked at after the controller: the SGI that followed it is then already dropped,
 * or comes later and finds no flag. */
static void take_pending(void)
{
	struct arm64_cpu *cpu = this_cpu();

	while ((READ_SYSREG(isr_el1) & ISR_IRQ) != 0) {
		uint32_t ack = arm64.gic.ops->acknowledge();

		if ((ack & 0x3ff) >= GIC_NONE && (ack & 0xffffff) < 1024)
			break;
		take_one(ack);
	}
	if (atomic_load_explicit(&cpu->kicked, memory_order_relaxed) &&
	    atomic_exchange_explicit(&cpu->kicked, false, memory_order_acquire))
		up_irq(HAL_IRQ_KICK);
}

bool hal_irq_disable(void)
{
	struct arm64_cpu *cpu = this_cpu();
	bool before = cpu->irq_enabled;

	cpu->irq_enabled = false;
	return before;
}

void hal_irq_enable(void)
{
	if (hal_irq_pending())
		take_pending();
	this_cpu()->irq_enabled = true;
}

void hal_irq_restore(bool enable)
{
	if (enable)
		hal_irq_enable();
	else
		this_cpu()->irq_enabled = false;
}

bool hal_irq_enabled(void)
{
	return this_cpu()->irq_enabled;
}

/* ---- Device interrupts ---- */

/* The controller's number, or 0 if `irq` is no device interrupt that it has. */
static unsigned intid_of(unsigned irq)
{
	unsigned intid = irq - HAL_IRQ_DEVICE + INTID_SPI;

	if (irq < HAL_IRQ_DEVICE || irq >= HAL_IRQ_MAX || intid >= arm64.gic.lines)
		return 0;
	return intid;
}

static void write_bit(unsigned offset, unsigned intid)
{
	hal_mmio_write32(arm64.gic.distributor + offset + intid / 32 * 4, 1u << intid % 32);
}

int hal_irq_unmask(unsigned irq, unsigned cpu)
{
	unsigned intid = intid_of(irq);

	if (intid == 0 || cpu >= arm64.cpu_count)
		return -EINVAL;
	lock_gic();
	arm64.gic.ops->route(intid, &arm64.cpus[cpu]);
	write_bit(GICD_ISENABLER, intid);
	unlock_gic();
	return 0;
}

void hal_irq_mask(unsigned irq)
{
	unsigned intid = intid_of(irq);

	if (intid == 0)
		up_panic(0, 0, "hal_irq_mask: %u is no device interrupt", irq);
	write_bit(GICD_ICENABLER, intid);
	arm64.gic.ops->settle();
}

void hal_irq_done(unsigned irq)
{
	unsigned intid = intid_of(irq);

	if (intid == 0)
		up_panic(0, 0, "hal_irq_done: %u is no device interrupt", irq);
	write_bit(GICD_ICACTIVER, intid);
}

/* ---- Setting up ---- */

/* Cells: kind (0: shared), number, trigger (bits 0 and 1: an edge). */
unsigned gic_irq_of(const struct fdt_interrupt *interrupt)
{
	unsigned intid, shift;
	uintptr_t config;
	uint32_t word;

	if (interrupt->controller != arm64.gic.node || interrupt->count < 3 ||
	    interrupt->cells[0] != 0 || interrupt->cells[1] >= SPIS_MAX)
		return 0;
	intid = interrupt->cells[1] + INTID_SPI;
	if (intid >= arm64.gic.lines)
		return 0;
	config = arm64.gic.distributor + GICD_ICFGR + intid / 16 * 4;
	shift = intid % 16 * 2;
	lock_gic();
	word = hal_mmio_read32(config) & ~(3u << shift);
	hal_mmio_write32(config, word | ((interrupt->cells[2] & 3) != 0 ? 2u << shift : 0));
	unlock_gic();
	return intid - INTID_SPI + HAL_IRQ_DEVICE;
}

/* SGIs and PPIs, in the distributor (GICv2) or a redistributor's second frame (GICv3). */
void gic_init_private(uintptr_t regs)
{
	unsigned i;

	hal_mmio_write32(regs + GICD_ICENABLER, ~0u);
	hal_mmio_write32(regs + GICD_ICACTIVER, ~0u);
	hal_mmio_write32(regs + GICD_IGROUPR, ~(1u << SGI_STOP));
	arm64.gic.stop_by_fiq = (hal_mmio_read32(regs + GICD_IGROUPR) & 1) != 0;
	for (i = 0; i < 32; i += 4)
		hal_mmio_write32(regs + GICD_IPRIORITYR + i, PRIORITY_ALL);
	hal_mmio_write32(regs + GICD_ISENABLER, 1u << SGI_KICK | 1u << SGI_STOP);
}

/* All shared interrupts masked, in group 1, at one priority. */
void gic_init_shared(void)
{
	uintptr_t base = arm64.gic.distributor;
	unsigned i;

	arm64.gic.lines = 32 * ((hal_mmio_read32(base + GICD_TYPER) & 31) + 1);
	if (arm64.gic.lines > GIC_NONE)
		arm64.gic.lines = GIC_NONE;
	for (i = INTID_SPI; i < arm64.gic.lines; i += 32) {
		hal_mmio_write32(base + GICD_ICENABLER + i / 8, ~0u);
		hal_mmio_write32(base + GICD_ICACTIVER + i / 8, ~0u);
		hal_mmio_write32(base + GICD_IGROUPR + i / 8, ~0u);
	}
	for (i = INTID_SPI; i < arm64.gic.lines; i += 4)
		hal_mmio_write32(base + GICD_IPRIORITYR + i, PRIORITY_ALL);
}

void gic_init(void)
{
	uint32_t node = FDT_ROOT;

	while (fdt_next(&arm64.fdt, &node)) {
		if (!fdt_enabled(&arm64.fdt, node))
			continue;
		if (fdt_compatible(&arm64.fdt, node, "arm,gic-v3"))
			gicv3_init(node);
		else if (fdt_compatible(&arm64.fdt, node, "arm,cortex-a15-gic") ||
			 fdt_compatible(&arm64.fdt, node, "arm,gic-400"))
			gicv2_init(node);
		else
			continue;
		arm64.gic.node = node;
		return;
	}
	boot_fail("interrupts", "the device tree has no GICv2 or GICv3");
}
