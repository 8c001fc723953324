/*
 * The devices of this machine, in an order that does not change: virtio-mmio devices that the DSDT
 * names (QEMU's microvm), those that the command line names in Linux's words
 * (virtio_mmio.device=SIZE@BASE:IRQ), then all functions on PCI buses by address.
 *
 * A PCI function that uses no message gets its interrupt by the line that the firmware left in its
 * config space, an interrupt of the ISA bus; the chipset's own routing (_PRT) would need an
 * interpreter of AML.
 */
#include "hal/base.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define CURSOR_CMDLINE 0x100u /* cursors: DSDT below, command line from here */
#define CURSOR_PCI 0x200u     /* and PCI functions from here, by number */
#define PCI_FUNCTIONS (1u << 16)
#define PCI_BUS_FUNCTIONS 256u
#define PCI_VENDOR 0x00
#define PCI_HEADER_TYPE 0x0e
#define PCI_MULTI_FUNCTION 0x80u
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_INTERRUPT_PIN 0x3d
#define OPTION "virtio_mmio.device="

static bool next_acpi(unsigned *cursor, struct hal_device *device)
{
	const struct acpi_virtio *virtio;

	if (*cursor >= x86_acpi.virtio_count)
		return false;
	virtio = &x86_acpi.virtio[(*cursor)++];
	x86_irq_set_trigger(virtio->gsi, virtio->level, virtio->active_low);
	*device = (struct hal_device){.bus = HAL_BUS_VIRTIO_MMIO,
				      .name = "virtio-mmio",
				      .regs = virtio->regs,
				      .regs_bytes = virtio->bytes,
				      .irq = HAL_IRQ_DEVICE + virtio->gsi};
	return true;
}

/* ---- The command line ---- */

static unsigned digit_of(char c)
{
	return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
	       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
	       : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
				      : 16;
}

/* A number, decimal or 0x, perhaps with K or M; moves `*text` behind it. False if there is none. */
static bool read_number(const char **text, uint64_t *value)
{
	const char *c = *text, *start;
	unsigned base = 10;

	if (c[0] == '0' && (c[1] == 'x' || c[1] == 'X')) {
		base = 16;
		c += 2;
	}
	for (start = c, *value = 0; digit_of(*c) < base; c++)
		*value = *value * base + digit_of(*c);
	if (c == start)
		return false;
	if (*c == 'K' || *c == 'k')
		*value <<= 10, c++;
	else if (*c == 'M' || *c == 'm')
		*value <<= 20, c++;
	*text = c;
	return true;
}

static bool read_virtio_word(const char *c, struct hal_device *device)
{
	uint64_t bytes, regs, gsi;

	if (!read_number(&c, &bytes) || *c++ != '@' || !read_number(&c, &regs) || *c++ != ':' ||
	    !read_number(&c, &gsi) || (*c && *c != ' ' && *c != ':') ||
	    gsi >= HAL_IRQ_MAX - HAL_IRQ_DEVICE)
		return false;
	x86_irq_set_trigger((uint32_t)gsi, true, false);
	*device = (struct hal_device){.bus = HAL_BUS_VIRTIO_MMIO,
				      .name = "virtio-mmio",
				      .regs = regs,
				      .regs_bytes = bytes,
				      .irq = HAL_IRQ_DEVICE + (unsigned)gsi};
	return true;
}

static bool begins_with(const char *text, const char *prefix)
{
	while (*prefix && *text == *prefix)
		text++, prefix++;
	return !*prefix;
}

/* The word of the command line that begins with OPTION, `skip` such words further. */
static const char *find_word(unsigned skip)
{
	const char *line = x86_boot_state.tables.cmdline;

	for (const char *c = line; *c; c++)
		if ((c == line || c[-1] == ' ') && begins_with(c, OPTION) && !skip--)
			return c + sizeof(OPTION) - 1;
	return NULL;
}

static bool next_cmdline(unsigned *cursor, struct hal_device *device)
{
	while (*cursor < CURSOR_PCI) {
		const char *word = find_word((*cursor)++ - CURSOR_CMDLINE);

		if (!word)
			return false;
		if (read_virtio_word(word, device))
			return true;
	}
	return false;
}

/* ---- PCI ---- */

static unsigned find_line(uint32_t function)
{
	uint32_t line = hal_pci_read(function, PCI_INTERRUPT_LINE, 1);
	const struct acpi_isa_irq *isa;

	if (!hal_pci_read(function, PCI_INTERRUPT_PIN, 1) || !line || line >= ACPI_ISA_IRQS)
		return 0;
	isa = &x86_acpi.isa_irqs[line];
	x86_irq_set_trigger(isa->gsi, true, isa->active_low);
	return HAL_IRQ_DEVICE + isa->gsi;
}

static bool pci_exists(uint32_t function)
{
	return (hal_pci_read(function, PCI_VENDOR, 2) & 0xffff) != 0xffff;
}

static bool next_pci(unsigned *cursor, struct hal_device *device)
{
	while (x86_pci_there() && *cursor < CURSOR_PCI + PCI_FUNCTIONS) {
		uint32_t function = *cursor - CURSOR_PCI;

		if (!x86_pci_has_bus(function >> 8)) {
			*cursor = CURSOR_PCI + ALIGN_DOWN(function, PCI_BUS_FUNCTIONS) +
				  PCI_BUS_FUNCTIONS;
			continue;
		}
		if (!pci_exists(function)) {
			/* Without function 0 there are no others. */
			*cursor += function & 7 ? 1 : 8;
			continue;
		}
		if (!(function & 7) && !(hal_pci_read(function, PCI_HEADER_TYPE, 1) &
					 PCI_MULTI_FUNCTION))
			*cursor += 8;
		else
			*cursor += 1;
		*device = (struct hal_device){.bus = HAL_BUS_PCI,
					      .name = "pci",
					      .irq = find_line(function),
					      .pci = function};
		return true;
	}
	return false;
}

bool hal_device_next(unsigned *cursor, struct hal_device *device)
{
	if (*cursor < CURSOR_CMDLINE) {
		if (next_acpi(cursor, device))
			return true;
		*cursor = CURSOR_CMDLINE;
	}
	if (*cursor < CURSOR_PCI) {
		if (next_cmdline(cursor, device))
			return true;
		*cursor = CURSOR_PCI;
	}
	return next_pci(cursor, device);
}
