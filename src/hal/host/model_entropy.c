/*
 * virtio entropy (virtio 1.2, 5.4): fills what the driver offers with random numbers.
 */
#include "hal/host/model.h"

#include "hal/base.h"
#include "hal/host/host_priv.h"
#include "hal/host/seeded.h"

#include <stdlib.h>

#define LATENCY_LEAST_NS 2000 /* in seeded mode */
#define LATENCY_SPREAD_NS 20000
#define REQUEST_BYTES_MAX 4096u /* what is filled of one chain */

static void fill(void *arg)
{
	struct vdev_device *device = arg;
	struct vdev_chain chain;
	uint8_t bytes[REQUEST_BYTES_MAX];

	while (vdev_pop(device, 0, &chain)) {
		uint32_t count = MIN(chain.in_bytes, REQUEST_BYTES_MAX);

		if (hal_entropy(bytes, count))
			count = 0;
		vdev_push(device, &chain, vdev_copy_in(&chain, 0, bytes, count));
	}
}

static void fill_later(void *arg)
{
	struct vdev_device *device = arg;

	pthread_mutex_lock(&device->lock);
	device->later = false;
	fill(device);
	pthread_mutex_unlock(&device->lock);
}

static void notify(struct vdev_device *device, unsigned queue)
{
	(void)queue;
	if (!host.seeded)
		fill(device);
	else if (!device->later)
		seeded_complete_later(LATENCY_LEAST_NS, LATENCY_SPREAD_NS, fill_later, device);
	device->later = host.seeded;
}

static void reset(struct vdev_device *device)
{
	if (host.seeded)
		seeded_forget(device);
}

static const struct vdev_model model = {
	.name = "entropy",
	.id = VDEV_ID_ENTROPY,
	.queue_count = 1,
	.notify = notify,
	.reset = reset,
};

struct vdev_device *model_entropy_create(unsigned irq)
{
	struct vdev_device *device = aligned_alloc(64, ALIGN_UP(sizeof(*device), 64));

	if (!device)
		host_refuse("no memory for a device");
	vdev_init(device, &model, irq);
	return device;
}
