/*
 * The entropy device (virtio 1.2, section 5.4): gives the core some random bytes at boot.
 *
 * No state.
 */
#include "services/drivers/virtio/virtio.h"

#include "core/log.h"
#include "core/page.h"
#include "core/random.h"
#include "core/slab.h"

#define SEED_BYTES 64

static int stir(struct virtio_device *device, void *page)
{
	struct virtio_transfer *transfer = kmalloc(sizeof(*transfer));
	int err;

	if (!transfer)
		return -ENOMEM;
	virtio_transfer_init(transfer);
	virtio_transfer_add(transfer, hal_virt_to_phys(page), SEED_BYTES, true);
	err = virtio_run(&device->queues[0], transfer);
	if (!err)
		random_add(page, transfer->bytes);
	memset(page, 0, SEED_BYTES);
	kfree(transfer);
	return err;
}

int virtio_entropy_probe(struct virtio_device *device)
{
	struct page *page = page_alloc_zeroed(0);
	int err = page ? virtio_begin(device, 0) : -ENOMEM;

	if (!err)
		err = virtio_queue_start(device, 0);
	if (!err)
		err = virtio_ready(device);
	if (err) {
		if (page)
			page_put(page);
		virtio_abandon(device);
		return err;
	}
	/* From here on the device has an interrupt handler, and so it stays. */
	if (stir(device, page_to_virt(page)) == 0)
		log_write(LOG_INFO, "virtio", "%s: random numbers", device->name);
	page_put(page);
	return 0;
}
