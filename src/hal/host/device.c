/*
 * The devices of the machine: which there are, and the way to their registers.
 */
#include "hal/host/device_priv.h"

#include "hal/host/host_priv.h"

void device_create_all(void)
{
}

void device_stop_all(void)
{
}

bool device_read_input(bool wait)
{
	(void)wait;
	return false;
}

bool hal_device_next(unsigned *cursor, struct hal_device *device)
{
	(void)cursor;
	(void)device;
	return false;
}

int hal_mmio_map(paddr_t regs, size_t bytes, uintptr_t *base)
{
	(void)regs;
	(void)bytes;
	(void)base;
	return -EINVAL;
}

/* ---- Registers ---- */

static uint64_t read_register(uintptr_t addr, unsigned bytes)
{
	up_panic(0, 0, "a read of %u bytes at %p, where no device is", bytes, (void *)addr);
}

static void write_register(uintptr_t addr, unsigned bytes, uint64_t value)
{
	up_panic(0, 0, "a write of %u bytes (%lx) at %p, where no device is", bytes, value,
		 (void *)addr);
}

uint8_t hal_mmio_read8(uintptr_t addr)
{
	return (uint8_t)read_register(addr, 1);
}

uint16_t hal_mmio_read16(uintptr_t addr)
{
	return (uint16_t)read_register(addr, 2);
}

uint32_t hal_mmio_read32(uintptr_t addr)
{
	return (uint32_t)read_register(addr, 4);
}

uint64_t hal_mmio_read64(uintptr_t addr)
{
	return read_register(addr, 8);
}

void hal_mmio_write8(uintptr_t addr, uint8_t value)
{
	write_register(addr, 1, value);
}

void hal_mmio_write16(uintptr_t addr, uint16_t value)
{
	write_register(addr, 2, value);
}

void hal_mmio_write32(uintptr_t addr, uint32_t value)
{
	write_register(addr, 4, value);
}

void hal_mmio_write64(uintptr_t addr, uint64_t value)
{
	write_register(addr, 8, value);
}

/* ---- PCI: there is none ---- */

uint32_t hal_pci_read(uint32_t pci, unsigned offset, unsigned bytes)
{
	(void)pci;
	(void)offset;
	return (uint32_t)((1ull << bytes * 8) - 1);
}

void hal_pci_write(uint32_t pci, unsigned offset, unsigned bytes, uint32_t value)
{
	(void)pci;
	(void)offset;
	(void)bytes;
	(void)value;
}

bool hal_pci_window(paddr_t *base, uint64_t *bytes)
{
	(void)base;
	(void)bytes;
	return false;
}
