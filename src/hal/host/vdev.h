/*
 * The device side of virtio 1.2: transport over MMIO (section 4.2.2), split queues (2.7).
 *
 * A device is a model (a constant table of functions) and this state. The model takes chains of
 * buffers that the driver offers, works on them, and gives them back. Whatever the driver wrote
 * is checked here; what breaks the rules makes the device ask for a reset (NEEDS_RESET), and its
 * queues stand still until then.
 */
#ifndef HAL_HOST_VDEV_H
#define HAL_HOST_VDEV_H

#include "hal/types.h"

#include <pthread.h>
#include <stdatomic.h>

#define VDEV_QUEUES_MAX 4
#define VDEV_QUEUE_SIZE_MAX 256
#define VDEV_SEGMENTS_MAX 130 /* of a chain: a block request of 128 and its two ends */
#define VDEV_CONFIG_BYTES 64
#define VDEV_CHAIN_BYTES_MAX (16u << 20)

enum vdev_id { VDEV_ID_BLOCK = 2, VDEV_ID_CONSOLE = 3, VDEV_ID_ENTROPY = 4 };

struct vdev_device;

struct vdev_model {
	const char *name;
	enum vdev_id id;
	unsigned queue_count;
	/* The driver has offered something in `queue`. Device lock held; on the devices' thread,
	 * or in seeded mode on the CPU. */
	void (*notify)(struct vdev_device *device, unsigned queue);
	/* The driver resets the device: forget all chains. Device lock held. */
	void (*reset)(struct vdev_device *device);
};

struct vdev_queue {
	uint16_t size;
	bool ready;
	uint64_t desc, avail, used; /* physical addresses of the three parts */
	uint16_t next_avail, next_used;
};

/* All guarded by lock, but what says otherwise. */
struct vdev_device {
	pthread_mutex_t lock;
	const struct vdev_model *model; /* Set once */
	void *state;			  /* the model's own. Set once */
	unsigned irq;			  /* Set once */
	uint64_t features;		  /* offered. Set once */
	uint64_t driver_features;
	uint32_t features_select, driver_features_select, queue_select;
	uint32_t status, interrupt_status, generation;
	struct vdev_queue queues[VDEV_QUEUES_MAX];
	uint8_t config[VDEV_CONFIG_BYTES];
	uint32_t config_bytes;	   /* Set once */
	uint32_t epoch;		   /* counts resets: work of an earlier one is dropped */
	bool later;		   /* seeded mode: the model's work is due at some time */
	_Atomic uint32_t notified; /* queues that the driver has notified, a bit each */
};

struct vdev_segment {
	uint8_t *data;
	uint32_t bytes;
};

/* A chain of buffers: first those the device reads (out), then those it writes (in). */
struct vdev_chain {
	uint16_t queue, head;
	uint16_t out_count, in_count;
	uint32_t out_bytes, in_bytes;
	struct vdev_segment segments[VDEV_SEGMENTS_MAX];
};

void vdev_init(struct vdev_device *device, const struct vdev_model *model, unsigned irq);

/* Registers, `offset` from the device's first; any thread, takes the lock. A write to QueueNotify
 * sets the bit in `notified` and returns true: the caller makes the model look. */
uint64_t vdev_read(struct vdev_device *device, unsigned offset, unsigned bytes);
bool vdev_write(struct vdev_device *device, unsigned offset, unsigned bytes, uint64_t value);

/* Calls the model for all notified queues. Takes the lock. */
void vdev_serve(struct vdev_device *device);

/* The next chain of a queue. False if there is none, or the driver broke the rules. Lock held. */
bool vdev_pop(struct vdev_device *device, unsigned queue, struct vdev_chain *chain);

/* Whether vdev_pop() would find one. Lock held. */
bool vdev_has_chain(struct vdev_device *device, unsigned queue);

/* Gives a chain back with `written` bytes in its in segments. Lock held. */
void vdev_push(struct vdev_device *device, const struct vdev_chain *chain, uint32_t written);

/* The model has changed the configuration. Lock held. */
void vdev_config_changed(struct vdev_device *device);

/* The driver did what it must not: the device stands still until it is reset. Lock held. */
void vdev_break(struct vdev_device *device);

/* Copies from the out (to the in) segments at `offset` of them; the bytes copied. */
uint32_t vdev_copy_out(const struct vdev_chain *chain, uint32_t offset, void *to,
			 uint32_t bytes);
uint32_t vdev_copy_in(const struct vdev_chain *chain, uint32_t offset, const void *from,
			uint32_t bytes);

#endif
