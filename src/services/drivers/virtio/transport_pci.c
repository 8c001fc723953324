/*
 * The transport of PCI functions with the modern capabilities (virtio 1.2, section 4.1), interrupts
 * by MSI-X where the machine has it, else by the line.
 *
 * No state beyond struct virtio_device. Register accesses are made under the device's lock, or
 * before it is in use.
 */
#include "services/drivers/virtio/virtio.h"

#include "core/klib.h"
#include "core/log.h"
#include "services/drivers/pci.h"

#define VENDOR_VIRTIO 0x1af4
#define DEVICE_TRANSITIONAL 0x1000
#define DEVICE_MODERN 0x1040
#define DEVICE_END 0x1080

enum capability_type {
	CAPABILITY_COMMON = 1,
	CAPABILITY_NOTIFY = 2,
	CAPABILITY_ISR = 3,
	CAPABILITY_DEVICE = 4,
};

enum common_register {
	COMMON_DEVICE_FEATURES_SELECT = 0x00,
	COMMON_DEVICE_FEATURES = 0x04,
	COMMON_DRIVER_FEATURES_SELECT = 0x08,
	COMMON_DRIVER_FEATURES = 0x0c,
	COMMON_CONFIG_VECTOR = 0x10,
	COMMON_STATUS = 0x14,
	COMMON_GENERATION = 0x15,
	COMMON_QUEUE_SELECT = 0x16,
	COMMON_QUEUE_SIZE = 0x18,
	COMMON_QUEUE_VECTOR = 0x1a,
	COMMON_QUEUE_ENABLE = 0x1c,
	COMMON_QUEUE_NOTIFY = 0x1e,
	COMMON_QUEUE_DESC = 0x20,
	COMMON_QUEUE_AVAIL = 0x28,
	COMMON_QUEUE_USED = 0x30,
	COMMON_BYTES = 0x38,
};

static uint8_t pci_status(struct virtio_device *device)
{
	return hal_mmio_read8(device->regs + COMMON_STATUS);
}

static void pci_set_status(struct virtio_device *device, uint8_t status)
{
	hal_mmio_write8(device->regs + COMMON_STATUS, status);
}

static uint64_t pci_features(struct virtio_device *device)
{
	uint64_t features;

	hal_mmio_write32(device->regs + COMMON_DEVICE_FEATURES_SELECT, 1);
	features = (uint64_t)hal_mmio_read32(device->regs + COMMON_DEVICE_FEATURES) << 32;
	hal_mmio_write32(device->regs + COMMON_DEVICE_FEATURES_SELECT, 0);
	return features | hal_mmio_read32(device->regs + COMMON_DEVICE_FEATURES);
}

static void pci_set_features(struct virtio_device *device, uint64_t features)
{
	hal_mmio_write32(device->regs + COMMON_DRIVER_FEATURES_SELECT, 1);
	hal_mmio_write32(device->regs + COMMON_DRIVER_FEATURES, (uint32_t)(features >> 32));
	hal_mmio_write32(device->regs + COMMON_DRIVER_FEATURES_SELECT, 0);
	hal_mmio_write32(device->regs + COMMON_DRIVER_FEATURES, (uint32_t)features);
}

static uint16_t pci_queue_size_max(struct virtio_device *device, uint16_t queue)
{
	hal_mmio_write16(device->regs + COMMON_QUEUE_SELECT, queue);
	return hal_mmio_read16(device->regs + COMMON_QUEUE_SIZE);
}

static void write_address(struct virtio_device *device, unsigned reg, paddr_t addr)
{
	hal_mmio_write32(device->regs + reg, (uint32_t)addr);
	hal_mmio_write32(device->regs + reg + 4, (uint32_t)(addr >> 32));
}

static int pci_queue_enable(struct virtio_device *device, const struct virtio_queue_place *place)
{
	hal_mmio_write16(device->regs + COMMON_QUEUE_SELECT, place->index);
	hal_mmio_write16(device->regs + COMMON_QUEUE_SIZE, place->size);
	hal_mmio_write16(device->regs + COMMON_QUEUE_VECTOR, device->vector);
	if (hal_mmio_read16(device->regs + COMMON_QUEUE_VECTOR) != device->vector)
		return -ENOSPC;
	write_address(device, COMMON_QUEUE_DESC, place->desc);
	write_address(device, COMMON_QUEUE_AVAIL, place->avail);
	write_address(device, COMMON_QUEUE_USED, place->used);
	device->notify_offsets[place->index] = hal_mmio_read16(device->regs + COMMON_QUEUE_NOTIFY);
	hal_mmio_write16(device->regs + COMMON_QUEUE_ENABLE, 1);
	return 0;
}

static void pci_notify(struct virtio_device *device, uint16_t queue)
{
	uintptr_t offset = (uintptr_t)device->notify_offsets[queue] * device->notify_multiplier;

	hal_mmio_write16(device->notify_base + offset, queue);
}

static uint32_t pci_config32(struct virtio_device *device, unsigned offset)
{
	return offset + 4 <= device->config_bytes ? hal_mmio_read32(device->config + offset) : 0;
}

static uint32_t pci_generation(struct virtio_device *device)
{
	return hal_mmio_read8(device->regs + COMMON_GENERATION);
}

/* Reading the register lowers the line. A message needs no answer. */
static void pci_acknowledge(struct virtio_device *device)
{
	if (device->vector == VIRTIO_NO_VECTOR)
		(void)hal_mmio_read8(device->isr);
}

static const struct virtio_transport pci_transport = {
	.status = pci_status,
	.set_status = pci_set_status,
	.features = pci_features,
	.set_features = pci_set_features,
	.queue_size_max = pci_queue_size_max,
	.queue_enable = pci_queue_enable,
	.notify = pci_notify,
	.config32 = pci_config32,
	.generation = pci_generation,
	.acknowledge = pci_acknowledge,
};

/* The structure that a vendor capability of `type` describes, mapped: its bytes, 0 if none. */
static uint32_t map_structure(const struct pci_function *function, enum capability_type type,
			      uintptr_t *base, unsigned *capability)
{
	unsigned at = 0;

	while ((at = pci_capability(function, PCI_CAPABILITY_VENDOR, at)) != 0) {
		unsigned bar = hal_pci_read(function->address, at + 4, 1);
		uint32_t offset = hal_pci_read(function->address, at + 8, 4);
		uint32_t bytes = hal_pci_read(function->address, at + 12, 4);

		if (hal_pci_read(function->address, at + 3, 1) != type || bar >= PCI_BARS_COUNT)
			continue;
		if (!function->bars[bar].addr || offset > function->bars[bar].bytes ||
		    bytes > function->bars[bar].bytes - offset || bytes == 0)
			continue;
		if (hal_mmio_map(function->bars[bar].addr + offset, bytes, base))
			continue;
		*capability = at;
		return bytes;
	}
	return 0;
}

static int map_structures(const struct pci_function *function, struct virtio_device *device)
{
	unsigned capability;

	if (map_structure(function, CAPABILITY_COMMON, &device->regs, &capability) < COMMON_BYTES ||
	    !map_structure(function, CAPABILITY_ISR, &device->isr, &capability))
		return -EOPNOTSUPP;
	device->config_bytes =
		map_structure(function, CAPABILITY_DEVICE, &device->config, &capability);
	if (map_structure(function, CAPABILITY_NOTIFY, &device->notify_base, &capability) < 2)
		return -EOPNOTSUPP;
	device->notify_multiplier = hal_pci_read(function->address, capability + 16, 4);
	return 0;
}

/* The kind of device, 0 for what is no virtio device. */
static uint32_t virtio_id_of(uint32_t address)
{
	uint32_t device = hal_pci_read(address, PCI_DEVICE, 2);

	if (hal_pci_read(address, PCI_VENDOR, 2) != VENDOR_VIRTIO || device >= DEVICE_END)
		return 0;
	if (device >= DEVICE_MODERN)
		return device - DEVICE_MODERN;
	return device >= DEVICE_TRANSITIONAL ? hal_pci_read(address, PCI_SUBSYSTEM, 2) : 0;
}

int virtio_pci_attach(const struct hal_device *found, struct virtio_device *device)
{
	struct pci_function function;
	int err;

	device->id = virtio_id_of(found->pci);
	if (device->id == 0)
		return -ENODEV;
	str_format(device->name, sizeof(device->name), "virtio-%u at pci %x:%x.%x", device->id,
		   found->pci >> 8, found->pci >> 3 & 31, found->pci & 7);
	err = pci_enable(found->pci, &function);
	if (!err)
		err = map_structures(&function, device);
	if (err == -EOPNOTSUPP)
		log_write(LOG_ERROR, "virtio",
			  "%s has only the legacy interface and is not used; give QEMU "
			  "disable-legacy=on,disable-modern=off for it", device->name);
	if (err)
		return err;
	device->transport = &pci_transport;
	device->vector = 0;
	if (pci_message(&function, &device->irq)) {
		device->vector = VIRTIO_NO_VECTOR;
		device->irq = found->irq;
	}
	if (device->irq == 0) {
		log_write(LOG_ERROR, "virtio", "%s has no interrupt; not used", device->name);
		return -EINVAL;
	}
	return 0;
}
