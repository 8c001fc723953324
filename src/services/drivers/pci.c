/*
 * PCI functions. Firmware may have placed BARs or not: those without an address get one from what
 * is left of the machine's window, above the highest that is placed.
 *
 * State: struct pci, one thread at boot.
 */
#include "services/drivers/pci.h"

#include "core/klib.h"
#include "core/log.h"

#define REG_COMMAND 0x04
#define REG_STATUS 0x06
#define REG_HEADER_TYPE 0x0e
#define REG_BAR 0x10
#define REG_CAPABILITIES 0x34

#define COMMAND_MEMORY 0x0002u
#define COMMAND_MASTER 0x0004u
#define COMMAND_NO_LINE 0x0400u
#define STATUS_CAPABILITIES 0x0010u

#define BAR_IO 1u
#define BAR_64 4u
#define BAR_FLAGS 15u

#define MSIX_CONTROL 2
#define MSIX_TABLE 4
#define MSIX_ENABLE 0x8000u
#define MSIX_MASK_ALL 0x4000u
#define MSIX_ENTRY_BYTES 16u

static struct {
	paddr_t free, end; /* what is left of the window; free == end: nothing */
} pci;

static uint32_t read_config(uint32_t address, unsigned offset)
{
	return hal_pci_read(address, offset, 4);
}

static void write_config(uint32_t address, unsigned offset, uint32_t value)
{
	hal_pci_write(address, offset, 4, value);
}

/* BARs of a function: bridges have only two. */
static unsigned count_bars(uint32_t address)
{
	return (hal_pci_read(address, REG_HEADER_TYPE, 1) & 0x7f) == 0 ? PCI_BARS_COUNT : 0;
}

/* Reads one BAR; `wide` says that it takes the next one too. Decoding must be off. */
static struct pci_bar probe_bar(uint32_t address, unsigned offset, bool *wide)
{
	struct pci_bar bar = {0, 0};
	uint32_t low = read_config(address, offset), high = 0;
	uint64_t mask;

	*wide = !(low & BAR_IO) && (low & 6) == BAR_64;
	if (low & BAR_IO)
		return bar;
	write_config(address, offset, UINT32_MAX);
	mask = read_config(address, offset) & ~BAR_FLAGS;
	write_config(address, offset, low);
	if (*wide) {
		high = read_config(address, offset + 4);
		write_config(address, offset + 4, UINT32_MAX);
		mask |= (uint64_t)read_config(address, offset + 4) << 32;
		write_config(address, offset + 4, high);
	} else if (mask) {
		mask |= (uint64_t)UINT32_MAX << 32;
	}
	if (!mask)
		return bar;
	bar.addr = (uint64_t)high << 32 | (low & ~BAR_FLAGS);
	bar.bytes = ~mask + 1;
	return bar;
}

/* Reads all BARs with decoding off; the command register is put back. */
static void probe_bars(struct pci_function *function)
{
	uint32_t address = function->address;
	uint32_t command = hal_pci_read(address, REG_COMMAND, 2);

	hal_pci_write(address, REG_COMMAND, 2, command & ~(COMMAND_MEMORY | COMMAND_MASTER));
	memset(function->bars, 0, sizeof(function->bars));
	for (unsigned i = 0; i < count_bars(address); i++) {
		bool wide;

		function->bars[i] = probe_bar(address, REG_BAR + 4 * i, &wide);
		if (wide)
			i++;
	}
	hal_pci_write(address, REG_COMMAND, 2, command);
}

void pci_start(void)
{
	struct hal_device found;
	unsigned cursor = 0;
	uint64_t bytes;

	if (!hal_has(HAL_HAS_PCI) || !hal_pci_window(&pci.free, &bytes))
		return;
	pci.end = pci.free + bytes;
	while (hal_device_next(&cursor, &found)) {
		struct pci_function function = {.address = found.pci};

		if (found.bus != HAL_BUS_PCI)
			continue;
		probe_bars(&function);
		for (unsigned i = 0; i < PCI_BARS_COUNT; i++) {
			const struct pci_bar *bar = &function.bars[i];

			if (bar->addr >= pci.free && bar->addr < pci.end)
				pci.free = MIN(bar->addr + bar->bytes, pci.end);
		}
	}
}

static int place_bar(struct pci_function *function, unsigned i)
{
	struct pci_bar *bar = &function->bars[i];
	unsigned offset = REG_BAR + 4 * i;
	paddr_t addr = ALIGN_UP(pci.free, MAX(bar->bytes, (uint64_t)HAL_PAGE_SIZE));
	bool wide = (read_config(function->address, offset) & 6) == BAR_64;

	if (addr < pci.free || addr > pci.end || bar->bytes > pci.end - addr ||
	    (!wide && addr + bar->bytes > (uint64_t)1 << 32))
		return -ENOSPC;
	write_config(function->address, offset, (uint32_t)addr);
	if (wide)
		write_config(function->address, offset + 4, (uint32_t)(addr >> 32));
	bar->addr = addr;
	pci.free = addr + bar->bytes;
	return 0;
}

int pci_enable(uint32_t address, struct pci_function *function)
{
	uint32_t command = hal_pci_read(address, REG_COMMAND, 2);

	function->address = address;
	probe_bars(function);
	for (unsigned i = 0; i < PCI_BARS_COUNT; i++) {
		int err = 0;

		if (function->bars[i].bytes && !function->bars[i].addr)
			err = place_bar(function, i);
		if (err) {
			log_write(LOG_ERROR, "pci",
				  "%x: no room for BAR %u of %llu bytes in the memory window",
				  address, i, (unsigned long long)function->bars[i].bytes);
			return err;
		}
	}
	hal_pci_write(address, REG_COMMAND, 2, command | COMMAND_MEMORY | COMMAND_MASTER);
	return 0;
}

unsigned pci_capability(const struct pci_function *function, unsigned id, unsigned after)
{
	unsigned at = hal_pci_read(function->address, REG_CAPABILITIES, 1) & ~3u;
	bool passed = after == 0;

	if (!(hal_pci_read(function->address, REG_STATUS, 2) & STATUS_CAPABILITIES))
		return 0;
	for (unsigned i = 0; at >= 0x40 && i < PCI_CAPABILITIES_MAX; i++) {
		if (passed && hal_pci_read(function->address, at, 1) == id)
			return at;
		if (at == after)
			passed = true;
		at = hal_pci_read(function->address, at + 1, 1) & ~3u;
	}
	return 0;
}

int pci_message(const struct pci_function *function, unsigned *irq)
{
	unsigned capability = pci_capability(function, PCI_CAPABILITY_MSIX, 0);
	uint32_t address = function->address;
	const struct pci_bar *bar;
	uint32_t table, offset, data;
	uint64_t target;
	uintptr_t entry;
	int err;

	if (!capability)
		return -EOPNOTSUPP;
	table = read_config(address, capability + MSIX_TABLE);
	offset = table & ~7u;
	if ((table & 7) >= PCI_BARS_COUNT)
		return -EINVAL;
	bar = &function->bars[table & 7];
	if (!bar->addr || offset > bar->bytes || bar->bytes - offset < MSIX_ENTRY_BYTES)
		return -EINVAL;
	err = hal_mmio_map(bar->addr + offset, MSIX_ENTRY_BYTES, &entry);
	if (!err)
		err = hal_irq_message(irq, &target, &data);
	if (err)
		return err;
	hal_pci_write(address, capability + MSIX_CONTROL, 2, MSIX_ENABLE | MSIX_MASK_ALL);
	hal_mmio_write32(entry, (uint32_t)target);
	hal_mmio_write32(entry + 4, (uint32_t)(target >> 32));
	hal_mmio_write32(entry + 8, data);
	hal_mmio_write32(entry + 12, 0);
	hal_pci_write(address, capability + MSIX_CONTROL, 2, MSIX_ENABLE);
	hal_pci_write(address, REG_COMMAND, 2,
		      hal_pci_read(address, REG_COMMAND, 2) | COMMAND_NO_LINE);
	return 0;
}
