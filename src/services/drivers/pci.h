/*
 * PCI functions: configuration space, capabilities, BARs, MSI-X (PCI Local Bus 3.0, MSI-X ECN).
 * Only where hal_has(HAL_HAS_PCI). Used by one thread, at boot.
 */
#ifndef SERVICES_DRIVERS_PCI_H
#define SERVICES_DRIVERS_PCI_H

#include "hal/hal.h"

#define PCI_BARS_COUNT 6
#define PCI_CAPABILITIES_MAX 48 /* all that fit into 192 bytes */

#define PCI_VENDOR 0x00
#define PCI_DEVICE 0x02
#define PCI_SUBSYSTEM 0x2e
#define PCI_CAPABILITY_VENDOR 0x09
#define PCI_CAPABILITY_MSIX 0x11

struct pci_bar {
	paddr_t addr; /* 0: there is none, or none that is usable */
	uint64_t bytes;
};

struct pci_function {
	uint32_t address; /* as hal_pci_read() takes it */
	struct pci_bar bars[PCI_BARS_COUNT];
};

/* Walks the functions once and finds out which part of the window firmware has used. */
void pci_start(void);

/* Reads the memory BARs, places those that are not, and enables memory and bus mastering. 0 or
 * -ENOSPC. */
HAL_USE_RESULT int pci_enable(uint32_t address, struct pci_function *function);

/* The offset of the first capability `id` behind offset `after` (0: from the start); 0: none. */
unsigned pci_capability(const struct pci_function *function, unsigned id, unsigned after);

/* Gives the function one MSI-X message, vector 0. Its interrupt by `irq`. 0; -EOPNOTSUPP, -ENOSPC,
 * -EINVAL: use the line. */
HAL_USE_RESULT int pci_message(const struct pci_function *function, unsigned *irq);

#endif
