/*
 * The virtio service: finds all devices and gives each to its driver.
 *
 * State: none; a device's memory belongs to its driver from a successful probe on, and stays.
 */
#include "services/drivers/virtio/virtio.h"

#include "core/log.h"
#include "core/service.h"
#include "core/slab.h"
#include "services/drivers/pci.h"
#include "services/placement.h"

static const struct {
	uint32_t id;
	int (*probe)(struct virtio_device *device);
} drivers[] = {
	{VIRTIO_ID_BLOCK, virtio_block_probe},
	{VIRTIO_ID_CONSOLE, virtio_console_probe},
	{VIRTIO_ID_ENTROPY, virtio_entropy_probe},
};

static int attach(const struct hal_device *found, struct virtio_device *device)
{
	if (found->bus == HAL_BUS_VIRTIO_MMIO)
		return virtio_mmio_attach(found, device);
	if (found->bus == HAL_BUS_PCI)
		return virtio_pci_attach(found, device);
	return -ENODEV;
}

static int probe(struct virtio_device *device)
{
	for (size_t i = 0; i < ARRAY_COUNT(drivers); i++) {
		if (drivers[i].id == device->id)
			return drivers[i].probe(device);
	}
	log_write(LOG_INFO, "virtio", "%s: there is no driver for it", device->name);
	return -ENODEV;
}

static int virtio_start(void)
{
	struct hal_device found;
	unsigned cursor = 0;

	pci_start();
	while (hal_device_next(&cursor, &found)) {
		struct virtio_device *device = kmalloc(sizeof(*device));

		if (!device)
			return -ENOMEM;
		if (attach(&found, device) || probe(device))
			kfree(device);
	}
	return 0;
}

const struct service virtio_service = {
	.name = "virtio",
	.class_name = placement_class_virtio,
	.needs = {NULL},
	.start = virtio_start,
	.stop = virtio_console_flush,
};
