/*
 * Devices: found by iteration, reached through registers and DMA memory.
 *
 * On hardware a register access is a load or a store; on the host it reaches a device model. A
 * device sees the machine's RAM at its physical addresses, coherently.
 */
#ifndef HAL_DEVICE_H
#define HAL_DEVICE_H

#include "hal/types.h"

#include "hal/machine.h"

enum hal_bus {
	HAL_BUS_VIRTIO_MMIO, /* registers: virtio 1.2 section 4.2.2 */
	HAL_BUS_PCI,	     /* a function on a PCI bus; config space by hal_pci_* */
	HAL_BUS_PLATFORM,    /* something the machine names itself, see `name` */
};

struct hal_device {
	enum hal_bus bus;
	const char *name; /* for people; of a HAL_BUS_PLATFORM device also its kind */
	paddr_t regs;	  /* registers, physical; 0 for PCI */
	size_t regs_bytes;
	unsigned irq;	  /* its interrupt; 0: none */
	uint32_t pci;	  /* PCI: segment << 16 | bus << 8 | device << 3 | function */
};

/*
 * The next device after `*cursor`, which starts at 0. False at the end. The order is the same each
 * time and at each boot.
 */
bool hal_device_next(unsigned *cursor, struct hal_device *device);

/*
 * Makes the registers at physical [regs, regs + bytes) reachable with the calls below, and gives
 * their address in `base`. For ever. 0, -ENOMEM, -EINVAL for what is no device memory.
 */
HAL_USE_RESULT int hal_mmio_map(paddr_t regs, size_t bytes, uintptr_t *base);

/*
 * hal_mmio_read8/16/32/64(uintptr_t addr) and hal_mmio_write8/16/32/64(uintptr_t addr, value) are
 * in hal/machine.h. Accesses to one device happen in program order and once each; a write to RAM
 * before a hal_mmio_write is seen by the device before it. hal_dma_rmb(void) and
 * hal_dma_wmb(void) order loads and stores of RAM that is shared with a device.
 */

/* ---- PCI; only where hal_has(HAL_HAS_PCI) ---- */

/* Config space access of 1, 2 or 4 bytes, naturally aligned, offset < 4096. Reads of what is not
 * there give all ones. */
uint32_t hal_pci_read(uint32_t pci, unsigned offset, unsigned bytes);
void hal_pci_write(uint32_t pci, unsigned offset, unsigned bytes, uint32_t value);

/* The memory window that BARs may be placed in, as the boot firmware left it or the device tree
 * names it. Bus addresses are physical addresses. False: BARs are placed already. */
bool hal_pci_window(paddr_t *base, uint64_t *bytes);

/*
 * Takes a free interrupt number that a device raises by writing `data` to bus address `addr`
 * (MSI, MSI-X). 0; -ENOSPC when none is left; -EOPNOTSUPP if the machine has none.
 */
HAL_USE_RESULT int hal_irq_message(unsigned *irq, uint64_t *addr, uint32_t *data);

#endif
