/*
 * The list of devices: virtio-mmio nodes of the device tree, ascending by address, then the
 * functions on the PCI bus (pci.c enters them), ascending by number.
 */
#include "hal/arm64/arm64_priv.h"

void device_add(const struct hal_device *device)
{
	if (arm64.device_count == DEVICES_MAX) {
		log_text("cloudos: more devices than the machine lists, ignored one\n");
		return;
	}
	arm64.devices[arm64.device_count++] = *device;
}

static void add_virtio(uint32_t node)
{
	struct hal_device device = {.bus = HAL_BUS_VIRTIO_MMIO, .name = "virtio-mmio"};
	struct fdt_interrupt interrupt;
	struct fdt_range regs;
	unsigned i;

	if (fdt_reg(&arm64.fdt, node, 0, &regs) != 0 || regs.bytes < 0x100 ||
	    regs.bytes > BLOCK_BYTES) {
		log_text("cloudos: ignored a virtio-mmio node without registers\n");
		return;
	}
	device.regs = regs.base;
	device.regs_bytes = regs.bytes;
	if (fdt_interrupt(&arm64.fdt, node, 0, &interrupt) == 0)
		device.irq = gic_irq_of(&interrupt);
	device_add(&device);
	for (i = arm64.device_count - 1; i > 0 && arm64.devices[i - 1].regs > regs.base; i--) {
		struct hal_device other = arm64.devices[i - 1];

		arm64.devices[i - 1] = arm64.devices[i];
		arm64.devices[i] = other;
	}
}

void device_find_all(void)
{
	uint32_t node = FDT_ROOT;

	while (fdt_next(&arm64.fdt, &node))
		if (fdt_compatible(&arm64.fdt, node, "virtio,mmio") &&
		    fdt_enabled(&arm64.fdt, node))
			add_virtio(node);
}

bool hal_device_next(unsigned *cursor, struct hal_device *device)
{
	if (*cursor >= arm64.device_count)
		return false;
	*device = arm64.devices[(*cursor)++];
	return true;
}
