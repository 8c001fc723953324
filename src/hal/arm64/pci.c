/*
 * PCI behind a pci-host-ecam-generic bridge: configuration space is memory. Pins reach interrupts
 * by "interrupt-map"; messages by a GICv2m frame where the tree has one (a GICv3's ITS is not
 * used: hal_irq_message() then says -EOPNOTSUPP, and drivers take the pin).
 *
 * Functions are found on the root bus, and behind bridges that the firmware has given bus numbers.
 */
#include "hal/arm64/arm64_priv.h"

#define CONFIG_VENDOR 0x00
#define CONFIG_HEADER 0x0c
#define CONFIG_SECONDARY 0x18
#define CONFIG_PIN 0x3c
#define BRIDGE_DEPTH_MAX 8

#define SPACE_KIND (3u << 24)
#define SPACE_MEMORY_32 (2u << 24)
#define SPACE_MEMORY_64 (3u << 24)
#define SPACE_PREFETCH (1u << 30)

#define V2M_TYPER 0x008
#define V2M_SETSPI 0x040

static uintptr_t config_address(uint32_t pci, unsigned offset)
{
	unsigned bus = pci >> 8;

	if (arm64.pci.config == 0 || bus < arm64.pci.bus_first || bus > arm64.pci.bus_last ||
	    offset >= 4096)
		return 0;
	return arm64.pci.config + ((uintptr_t)(pci - (arm64.pci.bus_first << 8)) << 12) + offset;
}

static void check_access(unsigned offset, unsigned bytes)
{
	if ((bytes != 1 && bytes != 2 && bytes != 4) || offset % bytes != 0)
		up_panic(0, 0, "hal_pci: %u bytes at %x", bytes, offset);
}

uint32_t hal_pci_read(uint32_t pci, unsigned offset, unsigned bytes)
{
	uintptr_t addr = config_address(pci, offset);

	check_access(offset, bytes);
	if (addr == 0)
		return UINT32_MAX >> (32 - 8 * bytes);
	if (bytes == 1)
		return hal_mmio_read8(addr);
	return bytes == 2 ? hal_mmio_read16(addr) : hal_mmio_read32(addr);
}

void hal_pci_write(uint32_t pci, unsigned offset, unsigned bytes, uint32_t value)
{
	uintptr_t addr = config_address(pci, offset);

	check_access(offset, bytes);
	if (addr == 0)
		return;
	if (bytes == 1)
		hal_mmio_write8(addr, (uint8_t)value);
	else if (bytes == 2)
		hal_mmio_write16(addr, (uint16_t)value);
	else
		hal_mmio_write32(addr, value);
}

bool hal_pci_window(paddr_t *base, uint64_t *bytes)
{
	if (arm64.pci.window.bytes == 0)
		return false;
	*base = arm64.pci.window.base;
	*bytes = arm64.pci.window.bytes;
	return true;
}

/* A window below 4 GiB serves every BAR; one above only BARs of 64 bits. */
static void find_window(void)
{
	struct fdt_window window;
	bool found = false;
	unsigned i;

	for (i = 0; fdt_window(&arm64.fdt, arm64.pci.node, i, &window) == 0; i++) {
		unsigned kind = window.flags & SPACE_KIND;

		if ((kind != SPACE_MEMORY_32 && kind != SPACE_MEMORY_64) ||
		    (window.flags & SPACE_PREFETCH) || window.child != window.parent)
			continue;
		if (kind == SPACE_MEMORY_32 || !found)
			arm64.pci.window = (struct hal_range){window.parent, window.bytes};
		found = true;
		if (kind == SPACE_MEMORY_32)
			return;
	}
}

static void add_function(uint32_t pci)
{
	struct hal_device device = {.bus = HAL_BUS_PCI, .name = "pci", .pci = pci};
	unsigned pin = hal_pci_read(pci, CONFIG_PIN, 4) >> 8 & 255;
	struct fdt_interrupt interrupt;

	if (pin >= 1 && pin <= 4 &&
	    fdt_interrupt_map(&arm64.fdt, arm64.pci.node, pci << 8, pin, &interrupt) == 0)
		device.irq = gic_irq_of(&interrupt);
	device_add(&device);
}

/* Buses behind a bridge have higher numbers than its own: the recursion ends. */
static void scan_bus(unsigned bus, unsigned depth)
{
	unsigned slot, function, functions;

	for (slot = 0; slot < 32; slot++) {
		functions = 1;
		for (function = 0; function < functions; function++) {
			uint32_t pci = bus << 8 | slot << 3 | function;
			uint32_t header, buses;

			if ((hal_pci_read(pci, CONFIG_VENDOR, 4) & 0xffff) == 0xffff)
				continue;
			header = hal_pci_read(pci, CONFIG_HEADER, 4) >> 16 & 255;
			if (function == 0 && (header & 0x80))
				functions = 8;
			add_function(pci);
			buses = hal_pci_read(pci, CONFIG_SECONDARY, 4) >> 8 & 255;
			if ((header & 0x7f) == 1 && buses > bus && depth < BRIDGE_DEPTH_MAX)
				scan_bus(buses, depth + 1);
		}
	}
}

static void find_messages(void)
{
	uint32_t node = FDT_ROOT, typer;
	struct fdt_range regs;
	uintptr_t base;

	while (fdt_next(&arm64.fdt, &node)) {
		if (!fdt_compatible(&arm64.fdt, node, "arm,gic-v2m-frame") ||
		    fdt_reg(&arm64.fdt, node, 0, &regs) != 0 || regs.bytes < PAGE_BYTES ||
		    hal_mmio_map(regs.base, PAGE_BYTES, &base) != 0)
			continue;
		typer = hal_mmio_read32(base + V2M_TYPER);
		arm64.messages.first = typer >> 16 & 0x3ff;
		arm64.messages.count = typer & 0x3ff;
		arm64.messages.doorbell = regs.base + V2M_SETSPI;
		return;
	}
}

int hal_irq_message(unsigned *irq, uint64_t *addr, uint32_t *data)
{
	struct fdt_interrupt interrupt = {.controller = arm64.gic.node, .count = 3};
	unsigned taken, intid;

	if (arm64.messages.doorbell == 0)
		return -EOPNOTSUPP;
	taken = atomic_fetch_add(&arm64.messages.taken, 1);
	if (taken >= arm64.messages.count) {
		atomic_fetch_sub(&arm64.messages.taken, 1);
		return -ENOSPC;
	}
	intid = arm64.messages.first + taken;
	interrupt.cells[1] = intid - 32;
	interrupt.cells[2] = 1; /* an edge */
	*irq = gic_irq_of(&interrupt);
	*addr = arm64.messages.doorbell;
	*data = intid;
	return *irq == 0 ? -ENOSPC : 0;
}

void pci_find(void)
{
	struct fdt_range config;
	struct fdt_value buses;
	uint32_t node = FDT_ROOT;

	do {
		if (!fdt_next(&arm64.fdt, &node))
			return;
	} while (!fdt_compatible(&arm64.fdt, node, "pci-host-ecam-generic") ||
		 !fdt_enabled(&arm64.fdt, node));
	if (fdt_reg(&arm64.fdt, node, 0, &config) != 0 || config.bytes < 1u << 20 ||
	    fdt_get(&arm64.fdt, node, "bus-range", &buses) != 0 || buses.bytes != 8) {
		log_text("cloudos: ignored a PCI bridge without configuration space\n");
		return;
	}
	arm64.pci.node = node;
	arm64.pci.bus_first = fdt_cell(&buses, 0) & 255;
	arm64.pci.bus_last = fdt_cell(&buses, 1) & 255;
	if (arm64.pci.bus_last < arm64.pci.bus_first ||
	    arm64.pci.bus_last - arm64.pci.bus_first >= config.bytes >> 20)
		arm64.pci.bus_last = arm64.pci.bus_first + (unsigned)(config.bytes >> 20) - 1;
	if (arm64.pci.bus_last > 255 || hal_mmio_map(config.base, config.bytes, &arm64.pci.config))
		return;
	find_window();
	find_messages();
	scan_bus(arm64.pci.bus_first, 0);
}
