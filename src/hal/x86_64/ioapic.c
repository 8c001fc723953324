/*
 * The IO-APICs (Intel 82093AA): a table of routes, reached through an index and a data register, so
 * that callers need a lock: irq.c's.
 */
#include "hal/base.h"
#include "hal/x86_64/apic.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define DEFAULT_ADDR 0xfec00000ull /* where there is no MADT */
#define SELECT 0x00
#define WINDOW 0x10
#define REG_VERSION 0x01
#define REG_ROUTES 0x10
#define ROUTE_ACTIVE_LOW (1u << 13)
#define ROUTE_LEVEL (1u << 15)
#define ROUTE_MASKED (1u << 16)
#define PINS_MAX 240u

static struct {
	struct {
		uintptr_t regs;
		uint32_t gsi_base, pins;
	} chips[ACPI_IOAPICS_MAX];
	unsigned count;
} ioapic; /* Set once */

static uint32_t read_reg(unsigned chip, unsigned reg)
{
	hal_mmio_write32(ioapic.chips[chip].regs + SELECT, reg);
	return hal_mmio_read32(ioapic.chips[chip].regs + WINDOW);
}

static void write_reg(unsigned chip, unsigned reg, uint32_t value)
{
	hal_mmio_write32(ioapic.chips[chip].regs + SELECT, reg);
	hal_mmio_write32(ioapic.chips[chip].regs + WINDOW, value);
}

static void add_chip(paddr_t regs, uint32_t gsi_base)
{
	unsigned chip = ioapic.count;
	uint32_t version;

	if (hal_mmio_map(regs, HAL_PAGE_SIZE, &ioapic.chips[chip].regs))
		return; /* ACPI names an address that cannot be one */
	version = read_reg(chip, REG_VERSION);
	if (version == UINT32_MAX)
		return; /* nothing there */
	ioapic.chips[chip].gsi_base = gsi_base;
	ioapic.chips[chip].pins = MIN((version >> 16 & 0xff) + 1, PINS_MAX);
	ioapic.count++;
	for (unsigned pin = 0; pin < ioapic.chips[chip].pins; pin++)
		write_reg(chip, REG_ROUTES + 2 * pin, ROUTE_MASKED);
}

void x86_ioapic_init(void)
{
	for (unsigned i = 0; i < x86_acpi.ioapic_count; i++)
		add_chip(x86_acpi.ioapics[i].addr, x86_acpi.ioapics[i].gsi_base);
	if (!x86_acpi.ioapic_count)
		add_chip(DEFAULT_ADDR, 0);
}

/* The chip and pin of a GSI; false if no chip has it. */
static bool find_pin(uint32_t gsi, unsigned *chip, unsigned *reg)
{
	for (unsigned i = 0; i < ioapic.count; i++) {
		uint32_t pin = gsi - ioapic.chips[i].gsi_base;

		if (gsi >= ioapic.chips[i].gsi_base && pin < ioapic.chips[i].pins) {
			*chip = i;
			*reg = REG_ROUTES + 2 * pin;
			return true;
		}
	}
	return false;
}

unsigned x86_ioapic_gsi_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ioapic.count; i++)
		count = MAX(count, ioapic.chips[i].gsi_base + ioapic.chips[i].pins);
	return count;
}

bool x86_ioapic_has(uint32_t gsi)
{
	unsigned chip, reg;

	return find_pin(gsi, &chip, &reg);
}

void x86_ioapic_set(uint32_t gsi, const struct ioapic_route *route)
{
	unsigned chip, reg;
	uint32_t low = route->vector | (route->active_low ? ROUTE_ACTIVE_LOW : 0) |
		       (route->level ? ROUTE_LEVEL : 0);

	if (!find_pin(gsi, &chip, &reg))
		return;
	write_reg(chip, reg, low | ROUTE_MASKED);
	write_reg(chip, reg + 1, route->apic_id << 24);
	if (!route->masked)
		write_reg(chip, reg, low);
}

void x86_ioapic_mask(uint32_t gsi, bool masked)
{
	unsigned chip, reg;
	uint32_t low;

	if (!find_pin(gsi, &chip, &reg))
		return;
	low = read_reg(chip, reg);
	write_reg(chip, reg, masked ? low | ROUTE_MASKED : low & ~ROUTE_MASKED);
}
