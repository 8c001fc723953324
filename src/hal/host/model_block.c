/*
 * virtio block (virtio 1.2, 5.2) over an image file or block device of the host.
 *
 * A request is checked, then its data move between the driver's buffers and the file on libuv's
 * file threads; several are under way at once. In seeded mode the CPU does the work itself when
 * the drawn latency is over. A reset waits until no file thread works for this device: they write
 * into the machine's memory. Guarded by the device's lock.
 */
#include "hal/host/model.h"

#include "hal/base.h"
#include "hal/host/host_priv.h"
#include "hal/host/loop.h"
#include "hal/host/seeded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
#define ID_BYTES 20u
#define FEATURE_SEG_MAX (1ull << 2)
#define FEATURE_READ_ONLY (1ull << 5)
#define FEATURE_BLOCK_SIZE (1ull << 6)
#define FEATURE_FLUSH (1ull << 9)
#define LATENCY_LEAST_NS 20000 /* in seeded mode */
#define LATENCY_SPREAD_NS 400000
#define REQUESTS_MAX 32 /* under way at once; more wait in the queue */

enum request_type { REQUEST_READ = 0, REQUEST_WRITE = 1, REQUEST_FLUSH = 4, REQUEST_ID = 8 };
enum request_status { STATUS_OK = 0, STATUS_ERROR = 1, STATUS_UNKNOWN = 2 };

struct request_header {
	uint32_t type, reserved;
	uint64_t sector;
};

_Static_assert(sizeof(struct request_header) == 16, "virtio 1.2, 5.2.6");

struct disk;

struct request {
	struct disk *disk;
	struct request *next; /* free list */
	struct request_header header;
	struct vdev_chain chain;
	uv_buf_t bufs[VDEV_SEGMENTS_MAX];
	unsigned buf_count;
	uint32_t bytes; /* of data */
	uv_fs_t fs;
};

struct disk {
	struct vdev_device device;
	const struct host_disk *options;
	int fd;
	uint64_t bytes;
	uint64_t requests;	/* so far, for the one that is to fail */
	unsigned under_way;	/* on file threads */
	pthread_cond_t settled; /* under_way has become 0 */
	struct request *free;
	struct request slots[REQUESTS_MAX];
};

static void notify(struct vdev_device *device, unsigned queue);

/* ---- The end of a request ---- */

static void finish(struct request *request, enum request_status status, uint32_t written)
{
	struct disk *disk = request->disk;
	uint8_t byte = status;

	vdev_copy_in(&request->chain, request->chain.in_bytes - 1, &byte, 1);
	vdev_push(&disk->device, &request->chain, written + 1);
	request->next = disk->free;
	disk->free = request;
}

static void finish_io(struct request *request, ssize_t result)
{
	bool read = request->header.type == REQUEST_READ;
	bool moves = read || request->header.type == REQUEST_WRITE;
	bool ok = result >= 0 && (!moves || result == (ssize_t)request->bytes);

	finish(request, ok ? STATUS_OK : STATUS_ERROR, ok && read ? request->bytes : 0);
}

static void finish_fs(uv_fs_t *fs)
{
	struct request *request = CONTAINER_OF(fs, struct request, fs);
	struct disk *disk = request->disk;
	ssize_t result = fs->result;

	uv_fs_req_cleanup(fs);
	pthread_mutex_lock(&disk->device.lock);
	finish_io(request, result);
	disk->under_way--;
	notify(&disk->device, 0); /* there is room for one more */
	if (!disk->under_way)
		pthread_cond_broadcast(&disk->settled);
	pthread_mutex_unlock(&disk->device.lock);
}

/* ---- Doing it ---- */

/* Lists the data segments: without the header in front, and without the status byte behind. */
static void list_data(struct request *request)
{
	const struct vdev_chain *chain = &request->chain;
	bool in = request->header.type == REQUEST_READ;
	unsigned first = in ? chain->out_count : 0;
	unsigned count = in ? chain->in_count : chain->out_count;
	uint32_t skip = in ? 0 : sizeof(struct request_header);
	uint32_t left = in ? chain->in_bytes - 1 : chain->out_bytes - skip;

	request->bytes = left;
	request->buf_count = 0;
	for (unsigned i = first; i < first + count && left; i++) {
		const struct vdev_segment *segment = &chain->segments[i];
		uint32_t cut = MIN(skip, segment->bytes);
		uint32_t part = MIN(segment->bytes - cut, left);

		skip -= cut;
		left -= part;
		if (part)
			request->bufs[request->buf_count++] =
				uv_buf_init((char *)segment->data + cut, part);
	}
}

/* Starts the work on a file thread, or with a NULL callback does it here. 0 or -ERRNO. */
static int work(struct request *request, uv_fs_cb done)
{
	struct disk *disk = request->disk;
	int64_t offset = (int64_t)(request->header.sector * SECTOR);
	uv_loop_t *loop = done ? loop_uv() : NULL;

	switch (request->header.type) {
	case REQUEST_READ:
		return uv_fs_read(loop, &request->fs, disk->fd, request->bufs, request->buf_count,
				  offset, done);
	case REQUEST_WRITE:
		return uv_fs_write(loop, &request->fs, disk->fd, request->bufs,
				   request->buf_count, offset, done);
	default:
		return uv_fs_fdatasync(loop, &request->fs, disk->fd, done);
	}
}

static void work_later(void *arg)
{
	struct request *request = arg;
	struct disk *disk = request->disk;

	pthread_mutex_lock(&disk->device.lock);
	work(request, NULL);
	finish_io(request, request->fs.result);
	uv_fs_req_cleanup(&request->fs);
	notify(&disk->device, 0);
	pthread_mutex_unlock(&disk->device.lock);
}

static void begin(struct request *request)
{
	struct disk *disk = request->disk;

	list_data(request);
	if (host.seeded) {
		seeded_complete_later(LATENCY_LEAST_NS, LATENCY_SPREAD_NS, work_later, request);
		return;
	}
	disk->under_way++;
	if (!work(request, finish_fs))
		return;
	disk->under_way--;
	finish(request, STATUS_ERROR, 0);
}

/* ---- Checking it ---- */

static bool fits(const struct request *request)
{
	const struct disk *disk = request->disk;
	uint64_t sectors = disk->bytes / SECTOR, sector = request->header.sector;
	uint32_t bytes = request->header.type == REQUEST_READ
		? request->chain.in_bytes - 1
		: request->chain.out_bytes - (uint32_t)sizeof(struct request_header);

	return bytes && bytes % SECTOR == 0 && sector <= sectors &&
	       bytes / SECTOR <= sectors - sector;
}

static void answer_id(struct request *request)
{
	char id[ID_BYTES] = {0};
	const char *name = strrchr(request->disk->options->path, '/');
	uint32_t written;

	name = name ? name + 1 : request->disk->options->path;
	memcpy(id, name, strnlen(name, sizeof(id)));
	written = vdev_copy_in(&request->chain, 0, id,
				 MIN(ID_BYTES, request->chain.in_bytes - 1));
	finish(request, STATUS_OK, written);
}

static void dispatch(struct request *request)
{
	struct disk *disk = request->disk;

	if (++disk->requests == disk->options->fail) {
		finish(request, STATUS_ERROR, 0);
		return;
	}
	switch (request->header.type) {
	case REQUEST_READ:
	case REQUEST_WRITE:
		if (fits(request) && !(request->header.type == REQUEST_WRITE &&
				       disk->options->read_only))
			begin(request);
		else
			finish(request, STATUS_ERROR, 0);
		break;
	case REQUEST_FLUSH:
		begin(request);
		break;
	case REQUEST_ID:
		answer_id(request);
		break;
	default:
		finish(request, STATUS_UNKNOWN, 0);
		break;
	}
}

static void notify(struct vdev_device *device, unsigned queue)
{
	struct disk *disk = CONTAINER_OF(device, struct disk, device);

	(void)queue;
	while (disk->free) {
		struct request *request = disk->free;

		if (!vdev_pop(device, 0, &request->chain))
			return;
		if (request->chain.out_bytes < sizeof(request->header) ||
		    !request->chain.in_bytes) {
			vdev_break(device);
			return;
		}
		vdev_copy_out(&request->chain, 0, &request->header, sizeof(request->header));
		disk->free = request->next;
		dispatch(request);
	}
}

/* ---- The device ---- */

static void free_all(struct disk *disk)
{
	disk->free = NULL;
	for (unsigned i = 0; i < REQUESTS_MAX; i++) {
		struct request *request = &disk->slots[i];

		if (host.seeded)
			seeded_forget(request);
		request->disk = disk;
		request->next = disk->free;
		disk->free = request;
	}
}

static void reset(struct vdev_device *device)
{
	struct disk *disk = CONTAINER_OF(device, struct disk, device);

	device->status = 0; /* nothing is given back to a queue from here on */
	while (disk->under_way)
		pthread_cond_wait(&disk->settled, &device->lock);
	free_all(disk);
}

static const struct vdev_model model = {
	.name = "disk",
	.id = VDEV_ID_BLOCK,
	.queue_count = 1,
	.notify = notify,
	.reset = reset,
};

struct vdev_device *model_block_create(const struct host_disk *options, int fd, uint64_t bytes,
					 unsigned irq)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	/* virtio 1.2, 5.2.4: capacity, size_max, seg_max, geometry, blk_size */
	struct {
		uint64_t capacity;
		uint32_t size_max, seg_max, geometry, block_size;
	} config = {
		.capacity = bytes / SECTOR,
		.seg_max = VDEV_SEGMENTS_MAX - 2,
		.block_size = SECTOR,
	};

	if (!disk)
		host_refuse("no memory for a device");
	vdev_init(&disk->device, &model, irq);
	disk->options = options;
	disk->fd = fd;
	disk->bytes = bytes;
	pthread_cond_init(&disk->settled, NULL);
	disk->device.features |= FEATURE_SEG_MAX | FEATURE_BLOCK_SIZE | FEATURE_FLUSH |
				 (options->read_only ? FEATURE_READ_ONLY : 0);
	memcpy(disk->device.config, &config, sizeof(config));
	disk->device.config_bytes = 36;
	free_all(disk);
	return &disk->device;
}
