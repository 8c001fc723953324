/*
 * PCI configuration space: memory-mapped (ECAM) where the MCFG names it, else through ports 0xcf8
 * and 0xcfc, which reach the first 256 bytes of segment 0. Lock: one for the two ports.
 *
 * BARs were placed by the firmware. Where there was none, none is in use and the kernel has no
 * window to place them in: hal_pci_window() says no.
 */
#include "hal/base.h"
#include "hal/x86_64/apic.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define CONFIG_ADDR 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u
#define BUS_BYTES (1ull << 20)
#define PORT_SPACE_BYTES 256u
#define PCI_BUSES 256u
#define PCI_SLOTS 32u
#define PCI_FUNCTIONS 8u
#define PCI_VENDOR 0x00
#define PCI_HEADER_TYPE 0x0e
#define PCI_SECONDARY_BUS 0x19
#define HEADER_TYPE_MASK 0x7fu
#define HEADER_TYPE_BRIDGE 1u

static struct {
	struct hardware_lock lock; /* of the ports */
	bool ports, there;	   /* Set once */
	uintptr_t ecam[ACPI_ECAMS_MAX]; /* where bus bus_first is mapped, 0: not. Set once */
	uint64_t buses[PCI_BUSES / 64]; /* bits of those that bridges lead to. Set once */
} pci;

static void map_ecams(void)
{
	for (unsigned i = 0; i < x86_acpi.ecam_count; i++) {
		const struct acpi_ecam *ecam = &x86_acpi.ecams[i];
		size_t bytes = (ecam->bus_last - ecam->bus_first + 1u) * BUS_BYTES;

		if (hal_mmio_map(ecam->base + ecam->bus_first * BUS_BYTES, bytes, &pci.ecam[i]))
			pci.ecam[i] = 0;
		else
			pci.there = true;
	}
}

static void follow_bridge(uint32_t function, unsigned bus)
{
	unsigned next;

	if ((hal_pci_read(function, PCI_HEADER_TYPE, 1) & HEADER_TYPE_MASK) != HEADER_TYPE_BRIDGE)
		return;
	next = hal_pci_read(function, PCI_SECONDARY_BUS, 1);
	if (next > bus)
		pci.buses[next / 64] |= 1ull << next % 64;
}

/* A read of what is not there is slow; there are 256 buses, and a few of them are real. */
static void find_buses(void)
{
	pci.buses[0] = 1;
	for (unsigned bus = 0; bus < PCI_BUSES; bus++) {
		for (unsigned slot = 0; slot < PCI_SLOTS && x86_pci_has_bus(bus); slot++) {
			uint32_t first = bus << 8 | slot << 3;

			if (hal_pci_read(first, PCI_VENDOR, 2) == 0xffff)
				continue;
			for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
				follow_bridge(first + i, bus);
		}
	}
}

void x86_pci_init(void)
{
	map_ecams();
	out32(CONFIG_ADDR, CONFIG_ENABLE);
	pci.ports = in32(CONFIG_ADDR) == CONFIG_ENABLE && in32(CONFIG_DATA) != UINT32_MAX;
	pci.there |= pci.ports;
	if (pci.there)
		find_buses();
}

bool x86_pci_has_bus(unsigned bus)
{
	return pci.buses[bus / 64] & 1ull << bus % 64;
}

bool x86_pci_there(void)
{
	return pci.there;
}

/* The address of a function's registers in an ECAM, or 0. */
static uintptr_t find_ecam(uint32_t function)
{
	uint32_t segment = function >> 16, bus = function >> 8 & 0xff;

	for (unsigned i = 0; i < x86_acpi.ecam_count; i++) {
		const struct acpi_ecam *ecam = &x86_acpi.ecams[i];

		if (pci.ecam[i] && segment == ecam->segment && bus >= ecam->bus_first &&
		    bus <= ecam->bus_last)
			return pci.ecam[i] + (bus - ecam->bus_first) * BUS_BYTES +
			       ((uintptr_t)(function & 0xff) << HAL_PAGE_SHIFT);
	}
	return 0;
}

static bool use_ports(uint32_t function, unsigned offset)
{
	return pci.ports && function < 1u << 16 && offset < PORT_SPACE_BYTES;
}

static void check_access(unsigned offset, unsigned bytes)
{
	if ((bytes != 1 && bytes != 2 && bytes != 4) || offset & (bytes - 1) ||
	    offset >= HAL_PAGE_SIZE)
		up_panic(0, 0, "hal_pci: bad access of %u bytes at %x", bytes, offset);
}

uint32_t hal_pci_read(uint32_t function, unsigned offset, unsigned bytes)
{
	uintptr_t addr = find_ecam(function);
	uint16_t port = (uint16_t)(CONFIG_DATA + (offset & 3));
	uint32_t value = UINT32_MAX >> (32 - 8 * bytes);
	bool restore;

	check_access(offset, bytes);
	if (addr)
		return bytes == 1   ? hal_mmio_read8(addr + offset)
		       : bytes == 2 ? hal_mmio_read16(addr + offset)
				    : hal_mmio_read32(addr + offset);
	if (!use_ports(function, offset))
		return value;
	restore = x86_apic_lock(&pci.lock);
	out32(CONFIG_ADDR, CONFIG_ENABLE | function << 8 | (offset & 0xfc));
	value = bytes == 1 ? in8(port) : bytes == 2 ? in16(port) : in32(port);
	x86_apic_unlock(&pci.lock, restore);
	return value;
}

void hal_pci_write(uint32_t function, unsigned offset, unsigned bytes, uint32_t value)
{
	uintptr_t addr = find_ecam(function);
	uint16_t port = (uint16_t)(CONFIG_DATA + (offset & 3));
	bool restore;

	check_access(offset, bytes);
	if (addr && bytes == 1)
		hal_mmio_write8(addr + offset, (uint8_t)value);
	else if (addr && bytes == 2)
		hal_mmio_write16(addr + offset, (uint16_t)value);
	else if (addr)
		hal_mmio_write32(addr + offset, value);
	if (addr || !use_ports(function, offset))
		return;
	restore = x86_apic_lock(&pci.lock);
	out32(CONFIG_ADDR, CONFIG_ENABLE | function << 8 | (offset & 0xfc));
	if (bytes == 1)
		out8(port, (uint8_t)value);
	else if (bytes == 2)
		out16(port, (uint16_t)value);
	else
		out32(port, value);
	x86_apic_unlock(&pci.lock, restore);
}

bool hal_pci_window(paddr_t *base, uint64_t *bytes)
{
	*base = 0;
	*bytes = 0;
	return false;
}
