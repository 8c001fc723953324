/*
 * The block device (virtio 1.2, section 5.2), behind the block seam.
 *
 * A request is a header, the pages, and a byte in which the device says how it went. Several may
 * be on their way at once; each has its own struct flight.
 *
 * State: struct disk, one a device, set once.
 */
#include "services/drivers/virtio/virtio.h"

#include "core/log.h"
#include "core/page.h"
#include "core/slab.h"
#include "services/drivers/block.h"

#define FEATURE_SEG_MAX ((uint64_t)1 << 2)
#define FEATURE_READ_ONLY ((uint64_t)1 << 5)
#define FEATURE_FLUSH ((uint64_t)1 << 9)

#define CONFIG_CAPACITY 0
#define CONFIG_SEG_MAX 12

#define TYPE_IN 0u
#define TYPE_OUT 1u
#define TYPE_FLUSH 4u

#define RESULT_OK 0
#define RESULT_NONE 0xff /* what the status byte holds until the device writes it */

struct disk {
	struct block_device block;
	struct virtio_device *device;
};

/* What the device reads before the data. */
struct request_header {
	uint32_t type, reserved;
	uint64_t sector;
};
_Static_assert(sizeof(struct request_header) == 16, "virtio 5.2.6");

struct flight {
	struct request_header header;
	uint8_t result;
	struct virtio_transfer transfer;
};

static void fill_flight(struct flight *flight, const struct block_request *request)
{
	static const uint32_t types[] = {
		[BLOCK_READ] = TYPE_IN, [BLOCK_WRITE] = TYPE_OUT, [BLOCK_FLUSH] = TYPE_FLUSH};
	struct virtio_transfer *transfer = &flight->transfer;
	uint64_t left = (uint64_t)request->sectors * BLOCK_SECTOR_BYTES;

	flight->header.type = types[request->operation];
	flight->header.sector = request->sector;
	flight->result = RESULT_NONE;
	virtio_transfer_init(transfer);
	virtio_transfer_add(transfer, hal_virt_to_phys(&flight->header), sizeof(flight->header),
			    false);
	for (unsigned i = 0; i < request->page_count; i++) {
		uint32_t part = (uint32_t)MIN(left, (uint64_t)PAGE_SIZE);

		virtio_transfer_add(transfer, request->pages[i], part,
				    request->operation == BLOCK_READ);
		left -= part;
	}
	virtio_transfer_add(transfer, hal_virt_to_phys(&flight->result), 1, true);
}

static int run_request(struct block_device *block, const struct block_request *request)
{
	static const char *const names[] = {
		[BLOCK_READ] = "read", [BLOCK_WRITE] = "write", [BLOCK_FLUSH] = "flush"};
	struct disk *disk = block->driver;
	struct flight *flight;
	int err;

	if (request->operation == BLOCK_FLUSH && !(disk->device->features & FEATURE_FLUSH))
		return 0;
	flight = kmalloc(sizeof(*flight));
	if (!flight)
		return -ENOMEM;
	fill_flight(flight, request);
	err = virtio_run(&disk->device->queues[0], &flight->transfer);
	if (!err && flight->result != RESULT_OK) {
		log_write(LOG_ERROR, "block", "%s: %s of %u sectors at %llu failed: status %u",
			  block->name, names[request->operation], request->sectors,
			  (unsigned long long)request->sector, flight->result);
		err = -EIO;
	}
	kfree(flight);
	return err;
}

/* How many pages a request may have: two descriptors are the header's and the status byte's. */
static uint32_t pages_max_of(struct virtio_device *device)
{
	uint32_t max = MIN((uint32_t)BLOCK_PAGES_MAX, device->queues[0].ring.size - 2u);

	if (device->features & FEATURE_SEG_MAX)
		max = MIN(max, virtio_config32(device, CONFIG_SEG_MAX));
	return MAX(max, 1u);
}

int virtio_block_probe(struct virtio_device *device)
{
	struct disk *disk = kmalloc(sizeof(*disk));
	int err = disk ? virtio_begin(device, FEATURE_SEG_MAX | FEATURE_READ_ONLY | FEATURE_FLUSH)
		       : -ENOMEM;

	if (!err)
		err = virtio_queue_start(device, 0);
	if (!err)
		err = virtio_ready(device);
	if (err) {
		virtio_abandon(device);
		kfree(disk);
		return err;
	}
	disk->device = device;
	disk->block.sectors = virtio_config64(device, CONFIG_CAPACITY);
	disk->block.read_only = device->features & FEATURE_READ_ONLY;
	disk->block.pages_max = pages_max_of(device);
	disk->block.driver = disk;
	disk->block.run = run_request;
	if (block_register(&disk->block)) {
		log_write(LOG_ERROR, "block", "%s: there are too many disks", device->name);
		return 0;
	}
	log_write(LOG_INFO, "block", "%s: %llu sectors%s, %s", disk->block.name,
		  (unsigned long long)disk->block.sectors,
		  disk->block.read_only ? ", read-only" : "", device->name);
	return 0;
}
