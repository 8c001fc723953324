/*
 * Virtio devices (virtio 1.2): what the transports and the drivers of this folder share.
 *
 * A device is set up by virtio_begin(), virtio_queue_start() for each queue, virtio_ready(). Then
 * its driver submits transfers; the device's interrupt finishes them. A device that breaks the
 * rules is reset and taken out of use: every transfer, present and future, ends with -EIO.
 *
 * Lock: virtio_device.lock (LOCK_RANK_DRIVER).
 */
#ifndef SERVICES_DRIVERS_VIRTIO_VIRTIO_H
#define SERVICES_DRIVERS_VIRTIO_VIRTIO_H

#include "core/wait.h"
#include "hal/hal.h"
#include "services/drivers/virtio/ring.h"

#define VIRTIO_QUEUES_MAX 4 /* of one device */
#define VIRTIO_BUFFERS_MAX 34 /* of one transfer */
#define VIRTIO_NAME_MAX 32

#define VIRTIO_ID_BLOCK 2
#define VIRTIO_ID_CONSOLE 3
#define VIRTIO_ID_ENTROPY 4

#define VIRTIO_F_VERSION_1 ((uint64_t)1 << 32)
#define VIRTIO_F_ACCESS_PLATFORM ((uint64_t)1 << 33)

struct virtio_device;

/* Where a queue's parts lie. */
struct virtio_queue_place {
	uint16_t index, size;
	paddr_t desc, avail, used;
};

/* How registers are reached. No call blocks. */
struct virtio_transport {
	uint8_t (*status)(struct virtio_device *device);
	void (*set_status)(struct virtio_device *device, uint8_t status);
	uint64_t (*features)(struct virtio_device *device);
	void (*set_features)(struct virtio_device *device, uint64_t features);
	uint16_t (*queue_size_max)(struct virtio_device *device, uint16_t queue); /* 0: none */
	int (*queue_enable)(struct virtio_device *device, const struct virtio_queue_place *place);
	void (*notify)(struct virtio_device *device, uint16_t queue);
	uint32_t (*config32)(struct virtio_device *device, unsigned offset);
	uint32_t (*generation)(struct virtio_device *device);
	void (*acknowledge)(struct virtio_device *device); /* silences the interrupt */
};

struct virtio_queue {
	struct virtio_device *device;
	uint16_t index;
	bool started;
	struct ring ring; /* Guarded by device->lock */
	void *memory;	  /* of the ring; stays for as long as the device */
};

struct virtio_device {
	char name[VIRTIO_NAME_MAX]; /* for people: "virtio-block at 0x..." */
	uint32_t id;		    /* VIRTIO_ID_* */
	const struct virtio_transport *transport;
	struct spinlock lock;
	uint64_t features; /* negotiated. Set once */
	bool broken;	   /* Guarded by lock */
	struct wait_queue space; /* woken when a queue has room again, or the device broke */
	struct virtio_queue queues[VIRTIO_QUEUES_MAX];
	unsigned irq; /* Set once */

	/* The transport's own. Set once */
	uintptr_t regs;	   /* mmio: all registers; PCI: the common configuration */
	uintptr_t notify_base, isr, config;
	uint32_t config_bytes;
	uint32_t notify_multiplier;
	uint16_t notify_offsets[VIRTIO_QUEUES_MAX];
	uint16_t vector; /* MSI-X vector of all queues, or VIRTIO_NO_VECTOR */
};

#define VIRTIO_NO_VECTOR 0xffff

/* A request on its way. The submitter's memory until it is done. */
struct virtio_transfer {
	struct ring_buffer buffers[VIRTIO_BUFFERS_MAX];
	unsigned out, in;     /* buffers the device reads, then buffers it writes */
	struct spinlock finish_lock; /* below the device's; held while it is being finished */
	struct wait_queue wait;
	_Atomic bool done;
	int result;	      /* once done: 0 or -EIO */
	uint32_t bytes;	      /* once done: what the device wrote */
};

/* Resets the device and negotiates: `wanted` of what it offers, VERSION_1 always. 0, -EIO,
 * -EOPNOTSUPP for a device that is only legacy. */
HAL_USE_RESULT int virtio_begin(struct virtio_device *device, uint64_t wanted);
HAL_USE_RESULT int virtio_queue_start(struct virtio_device *device, uint16_t queue);
/* From here on the device works; its interrupt is attached. */
HAL_USE_RESULT int virtio_ready(struct virtio_device *device);
/* Gives up a device whose set-up failed. */
void virtio_abandon(struct virtio_device *device);

void virtio_transfer_init(struct virtio_transfer *transfer);
void virtio_transfer_add(struct virtio_transfer *transfer, paddr_t addr, uint32_t bytes, bool in);

/* Hands it to the device; waits for room. 0 or -EIO. */
HAL_USE_RESULT int virtio_submit(struct virtio_queue *queue, struct virtio_transfer *transfer);
/* Waits for the end of a submitted transfer. 0, -EIO; -EINTR: not done, still the device's. */
HAL_USE_RESULT int virtio_wait(struct virtio_transfer *transfer, unsigned wait_flags);
/* Both, not interruptible. */
HAL_USE_RESULT int virtio_run(struct virtio_queue *queue, struct virtio_transfer *transfer);

/* A field of the device's configuration; 64 bits are read without tearing. */
uint32_t virtio_config32(struct virtio_device *device, unsigned offset);
uint64_t virtio_config64(struct virtio_device *device, unsigned offset);

/* Takes the device out of use, with a line on the log that says why. */
void virtio_break(struct virtio_device *device, const char *why);

/* ---- Transports: fill `device` for what was found. 0; -ENODEV: nothing there; other errors were
 * logged. ---- */

HAL_USE_RESULT int virtio_mmio_attach(const struct hal_device *found,
				      struct virtio_device *device);
HAL_USE_RESULT int virtio_pci_attach(const struct hal_device *found, struct virtio_device *device);

/* ---- Drivers: take a device that a transport found. 0 or -ERRNO, logged. ---- */

HAL_USE_RESULT int virtio_block_probe(struct virtio_device *device);
HAL_USE_RESULT int virtio_console_probe(struct virtio_device *device);
HAL_USE_RESULT int virtio_entropy_probe(struct virtio_device *device);
void virtio_console_flush(void); /* writes out what the trace channel still holds */

#endif
