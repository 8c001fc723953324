/*
 * The transport of memory-mapped registers, version 2 (virtio 1.2, section 4.2.2).
 *
 * No state beyond struct virtio_device. Register accesses are made under the device's lock, or
 * before it is in use.
 */
#include "services/drivers/virtio/virtio.h"

#include "core/klib.h"
#include "core/log.h"

#define MAGIC 0x74726976u /* "virt" */

enum mmio_register {
	REG_MAGIC = 0x00,
	REG_VERSION = 0x04,
	REG_DEVICE_ID = 0x08,
	REG_DEVICE_FEATURES = 0x10,
	REG_DEVICE_FEATURES_SELECT = 0x14,
	REG_DRIVER_FEATURES = 0x20,
	REG_DRIVER_FEATURES_SELECT = 0x24,
	REG_QUEUE_SELECT = 0x30,
	REG_QUEUE_SIZE_MAX = 0x34,
	REG_QUEUE_SIZE = 0x38,
	REG_QUEUE_READY = 0x44,
	REG_QUEUE_NOTIFY = 0x50,
	REG_INTERRUPT_STATUS = 0x60,
	REG_INTERRUPT_ACK = 0x64,
	REG_STATUS = 0x70,
	REG_QUEUE_DESC = 0x80,
	REG_QUEUE_AVAIL = 0x90,
	REG_QUEUE_USED = 0xa0,
	REG_CONFIG_GENERATION = 0xfc,
	REG_CONFIG = 0x100,
};

static uint32_t read_reg(const struct virtio_device *device, unsigned reg)
{
	return hal_mmio_read32(device->regs + reg);
}

static void write_reg(const struct virtio_device *device, unsigned reg, uint32_t value)
{
	hal_mmio_write32(device->regs + reg, value);
}

static void write_reg_pair(const struct virtio_device *device, unsigned reg, uint64_t value)
{
	write_reg(device, reg, (uint32_t)value);
	write_reg(device, reg + 4, (uint32_t)(value >> 32));
}

static uint8_t mmio_status(struct virtio_device *device)
{
	return (uint8_t)read_reg(device, REG_STATUS);
}

static void mmio_set_status(struct virtio_device *device, uint8_t status)
{
	write_reg(device, REG_STATUS, status);
}

static uint64_t mmio_features(struct virtio_device *device)
{
	uint64_t features;

	write_reg(device, REG_DEVICE_FEATURES_SELECT, 1);
	features = (uint64_t)read_reg(device, REG_DEVICE_FEATURES) << 32;
	write_reg(device, REG_DEVICE_FEATURES_SELECT, 0);
	return features | read_reg(device, REG_DEVICE_FEATURES);
}

static void mmio_set_features(struct virtio_device *device, uint64_t features)
{
	write_reg(device, REG_DRIVER_FEATURES_SELECT, 1);
	write_reg(device, REG_DRIVER_FEATURES, (uint32_t)(features >> 32));
	write_reg(device, REG_DRIVER_FEATURES_SELECT, 0);
	write_reg(device, REG_DRIVER_FEATURES, (uint32_t)features);
}

static uint16_t mmio_queue_size_max(struct virtio_device *device, uint16_t queue)
{
	uint32_t max;

	write_reg(device, REG_QUEUE_SELECT, queue);
	max = read_reg(device, REG_QUEUE_SIZE_MAX);
	return (uint16_t)MIN(max, (uint32_t)UINT16_MAX);
}

static int mmio_queue_enable(struct virtio_device *device, const struct virtio_queue_place *place)
{
	write_reg(device, REG_QUEUE_SELECT, place->index);
	if (read_reg(device, REG_QUEUE_READY))
		return -EBUSY;
	write_reg(device, REG_QUEUE_SIZE, place->size);
	write_reg_pair(device, REG_QUEUE_DESC, place->desc);
	write_reg_pair(device, REG_QUEUE_AVAIL, place->avail);
	write_reg_pair(device, REG_QUEUE_USED, place->used);
	write_reg(device, REG_QUEUE_READY, 1);
	return read_reg(device, REG_QUEUE_READY) == 1 ? 0 : -EIO;
}

static void mmio_notify(struct virtio_device *device, uint16_t queue)
{
	write_reg(device, REG_QUEUE_NOTIFY, queue);
}

static uint32_t mmio_config32(struct virtio_device *device, unsigned offset)
{
	return read_reg(device, REG_CONFIG + offset);
}

static uint32_t mmio_generation(struct virtio_device *device)
{
	return read_reg(device, REG_CONFIG_GENERATION);
}

static void mmio_acknowledge(struct virtio_device *device)
{
	uint32_t bits = read_reg(device, REG_INTERRUPT_STATUS);

	if (bits)
		write_reg(device, REG_INTERRUPT_ACK, bits);
}

static const struct virtio_transport mmio_transport = {
	.status = mmio_status,
	.set_status = mmio_set_status,
	.features = mmio_features,
	.set_features = mmio_set_features,
	.queue_size_max = mmio_queue_size_max,
	.queue_enable = mmio_queue_enable,
	.notify = mmio_notify,
	.config32 = mmio_config32,
	.generation = mmio_generation,
	.acknowledge = mmio_acknowledge,
};

int virtio_mmio_attach(const struct hal_device *found, struct virtio_device *device)
{
	uint32_t version;
	int err = hal_mmio_map(found->regs, found->regs_bytes, &device->regs);

	if (err) {
		log_write(LOG_ERROR, "virtio", "registers at 0x%llx cannot be mapped: error %d",
			  (unsigned long long)found->regs, -err);
		return err;
	}
	if (read_reg(device, REG_MAGIC) != MAGIC)
		return -ENODEV;
	version = read_reg(device, REG_VERSION);
	device->id = read_reg(device, REG_DEVICE_ID);
	if (device->id == 0)
		return -ENODEV;
	if (version != 2) {
		log_write(LOG_ERROR, "virtio",
			  "the device at 0x%llx has the legacy interface (version %u) and is not "
			  "used; give QEMU -global virtio-mmio.force-legacy=false",
			  (unsigned long long)found->regs, version);
		return -EOPNOTSUPP;
	}
	device->transport = &mmio_transport;
	device->irq = found->irq;
	device->vector = VIRTIO_NO_VECTOR;
	str_format(device->name, sizeof(device->name), "virtio-%u at 0x%llx", device->id,
		   (unsigned long long)found->regs);
	return 0;
}
