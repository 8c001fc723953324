/*
 * Time: the virtual counter of the generic timer, which all CPUs share, and the virtual timer's
 * interrupt on each. The wall clock comes from a PL031 real-time clock where there is one.
 */
#include "hal/arm64/arm64_priv.h"

#define NS_PER_SECOND 1000000000ull
#define TIMER_ENABLE 1u
#define TIMER_FIRED 4u
/* Of the node's list: secure, physical, virtual, hypervisor. */
#define INTERRUPT_PHYSICAL 1
#define INTERRUPT_VIRTUAL 2
#define NAP_NS 10000ull
#define CYCLES_MAX (1ull << 62)

static uint64_t read_counter(void)
{
	isb();
	return READ_SYSREG(cntvct_el0);
}

static uint64_t scale(uint64_t value, uint64_t factor_32_32)
{
	return (uint64_t)((unsigned __int128)value * factor_32_32 >> 32);
}

uint64_t hal_time_ns(void)
{
	return scale(read_counter(), arm64.ns_per_tick);
}

uint64_t hal_time_epoch_ns(void)
{
	return arm64.epoch_ns;
}

/* The first count at which hal_time_ns() is at least `deadline_ns`. */
static uint64_t count_of(uint64_t deadline_ns)
{
	uint64_t count = scale(deadline_ns, arm64.ticks_per_ns);

	while (scale(count, arm64.ns_per_tick) < deadline_ns)
		count++;
	return count;
}

void hal_timer_set(uint64_t deadline_ns)
{
	if (deadline_ns >= CYCLES_MAX) {
		WRITE_SYSREG(cntv_ctl_el0, 0);
		isb();
		return;
	}
	WRITE_SYSREG(cntv_cval_el0, count_of(deadline_ns));
	WRITE_SYSREG(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

bool timer_take(void)
{
	if (READ_SYSREG(cntv_ctl_el0) != (TIMER_ENABLE | TIMER_FIRED))
		return false;
	WRITE_SYSREG(cntv_ctl_el0, 0);
	isb();
	return true;
}

/* Nobody sees the interrupt of the physical timer: it is gone before interrupts are taken. */
void timer_nap(void)
{
	if (!this_cpu()->can_nap)
		return;
	WRITE_SYSREG(cntp_tval_el0, scale(NAP_NS, arm64.ticks_per_ns));
	WRITE_SYSREG(cntp_ctl_el0, TIMER_ENABLE);
	isb();
	__asm__ volatile("wfi" ::: "memory");
	WRITE_SYSREG(cntp_ctl_el0, 0);
	isb();
}

static void read_wall_clock(void)
{
	uint32_t node = FDT_ROOT;
	struct fdt_range regs;
	uintptr_t base;

	while (fdt_next(&arm64.fdt, &node)) {
		if (!fdt_compatible(&arm64.fdt, node, "arm,pl031") ||
		    !fdt_enabled(&arm64.fdt, node) ||
		    fdt_reg(&arm64.fdt, node, 0, &regs) != 0 || regs.bytes < 4 ||
		    hal_mmio_map(regs.base, 4, &base) != 0)
			continue;
		arm64.epoch_ns = hal_mmio_read32(base) * NS_PER_SECOND - hal_time_ns();
		return;
	}
}

/* The controller's number of one of the timer's interrupts; 0: it has none. */
static unsigned find_interrupt(uint32_t node, unsigned index)
{
	struct fdt_interrupt interrupt;

	if (fdt_interrupt(&arm64.fdt, node, index, &interrupt) != 0 || interrupt.count < 3 ||
	    interrupt.cells[0] != 1 || interrupt.cells[1] >= 16)
		return 0;
	return 16 + interrupt.cells[1];
}

void timer_init(void)
{
	uint32_t node = FDT_ROOT;

	arm64.timer_hz = READ_SYSREG(cntfrq_el0);
	if (arm64.timer_hz < 1000000 || arm64.timer_hz > 4 * NS_PER_SECOND)
		boot_fail("timer", "the firmware has not set CNTFRQ_EL0");
	arm64.ns_per_tick = (NS_PER_SECOND << 32) / arm64.timer_hz;
	arm64.ticks_per_ns = (arm64.timer_hz << 32) / NS_PER_SECOND;
	while (arm64.timer_intid == 0) {
		if (!fdt_next(&arm64.fdt, &node))
			boot_fail("timer", "the device tree has no arm,armv8-timer");
		if (!fdt_compatible(&arm64.fdt, node, "arm,armv8-timer"))
			continue;
		arm64.timer_intid = find_interrupt(node, INTERRUPT_VIRTUAL);
		arm64.nap_intid = find_interrupt(node, INTERRUPT_PHYSICAL);
	}
	read_wall_clock();
}

/* User code may read the virtual counter, and nothing else of the timer. */
void timer_init_cpu(void)
{
	WRITE_SYSREG(cntkctl_el1, 2);
	WRITE_SYSREG(cntv_ctl_el0, 0);
	WRITE_SYSREG(cntp_ctl_el0, 0);
	isb();
	arm64.gic.ops->enable_private(arm64.timer_intid);
	if (arm64.nap_intid != 0) {
		arm64.gic.ops->enable_private(arm64.nap_intid);
		this_cpu()->can_nap = true;
	}
}
