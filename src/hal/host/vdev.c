/*
 * The device side of virtio over MMIO. Lock: the device's.
 *
 * Device status (virtio 1.2, 2.1), and who moves along each edge:
 *
 *   0 --write ACKNOWLEDGE, DRIVER, FEATURES_OK--> negotiated --write DRIVER_OK--> running
 *   ^                                                                               |
 *   +------------------------ write 0 (reset) <---- NEEDS_RESET <--vdev_break()---+
 *
 * Invariants:
 * 1. A queue is ready only if its three parts lie in RAM, are aligned, and its size is a power of
 *    two within VDEV_QUEUE_SIZE_MAX; ring memory is then reached without further checks.
 * 2. FEATURES_OK is set only if the driver took VIRTIO_F_VERSION_1 and nothing that was not
 *    offered.
 * 3. The ring is memory that the driver may change at any moment: each word is read once, and
 *    what was read is what is checked.
 */
#include "hal/host/vdev.h"

#include "hal/base.h"
#include "hal/host/host_priv.h"

#include <string.h>

#define MAGIC 0x74726976u
#define VENDOR 0x534f4443u /* "CDOS" */
#define FEATURE_VERSION_1 (1ull << 32)

#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u
#define INTERRUPT_USED 1u
#define INTERRUPT_CONFIG 2u
#define DESC_NEXT 1u
#define DESC_WRITE 2u
#define AVAIL_NO_INTERRUPT 1u

enum reg {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_VENDOR_ID = 0x00c,
	REG_FEATURES = 0x010,
	REG_FEATURES_SELECT = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SELECT = 0x024,
	REG_QUEUE_SELECT = 0x030,
	REG_QUEUE_SIZE_MAX = 0x034,
	REG_QUEUE_SIZE = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080,
	REG_QUEUE_AVAIL = 0x090,
	REG_QUEUE_USED = 0x0a0,
	REG_SHARED_BYTES = 0x0b0, /* two words; all ones: no such region */
	REG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

struct descriptor {
	uint64_t addr;
	uint32_t bytes;
	uint16_t flags, next;
};

_Static_assert(sizeof(struct descriptor) == 16, "virtio 1.2, 2.7.5");

void vdev_init(struct vdev_device *device, const struct vdev_model *model, unsigned irq)
{
	memset(device, 0, sizeof(*device));
	pthread_mutex_init(&device->lock, NULL);
	device->model = model;
	device->irq = irq;
	device->features = FEATURE_VERSION_1;
}

/* ---- Interrupts ---- */

static void set_interrupt_locked(struct vdev_device *device, uint32_t status)
{
	device->interrupt_status = status;
	host_irq_set_line(device->irq, status != 0);
}

void vdev_config_changed(struct vdev_device *device)
{
	device->generation++;
	if (device->status & STATUS_DRIVER_OK)
		set_interrupt_locked(device, device->interrupt_status | INTERRUPT_CONFIG);
}

void vdev_break(struct vdev_device *device)
{
	if (device->status & STATUS_NEEDS_RESET)
		return;
	device->status |= STATUS_NEEDS_RESET;
	if (device->status & STATUS_DRIVER_OK)
		set_interrupt_locked(device, device->interrupt_status | INTERRUPT_CONFIG);
}

/* ---- Queues ---- */

static struct vdev_queue *running_queue(struct vdev_device *device, unsigned index)
{
	struct vdev_queue *queue = &device->queues[index];

	if (index >= device->model->queue_count || !queue->ready ||
	    !(device->status & STATUS_DRIVER_OK) || device->status & STATUS_NEEDS_RESET)
		return NULL;
	return queue;
}

/*
 * Words of the ring that driver and device read and write at any moment. To ThreadSanitizer, which
 * knows no such words, they are not shown; hal_dma_rmb() and hal_dma_wmb() tell it the order.
 */
__attribute__((noinline, no_sanitize("thread"))) static uint16_t read_shared(const uint16_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

__attribute__((noinline, no_sanitize("thread"))) static void write_shared(uint16_t *word,
									  uint16_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static uint16_t avail_index(const struct vdev_queue *queue)
{
	const uint16_t *avail = host_ram_find(queue->avail, 4);
	uint16_t index = read_shared(&avail[1]);

	hal_dma_rmb();
	return index;
}

bool vdev_has_chain(struct vdev_device *device, unsigned index)
{
	const struct vdev_queue *queue = running_queue(device, index);

	return queue && avail_index(queue) != queue->next_avail;
}

/* Adds one descriptor to the chain. False: it breaks a rule. */
static bool add_segment(struct vdev_chain *chain, const struct descriptor *desc)
{
	unsigned count = chain->out_count + chain->in_count;
	bool in = desc->flags & DESC_WRITE;
	uint8_t *data = host_ram_find(desc->addr, desc->bytes);

	if (!data || !desc->bytes || count == VDEV_SEGMENTS_MAX || (chain->in_count && !in) ||
	    desc->bytes > VDEV_CHAIN_BYTES_MAX - chain->out_bytes - chain->in_bytes ||
	    desc->flags & ~(DESC_NEXT | DESC_WRITE))
		return false;
	chain->segments[count] = (struct vdev_segment){data, desc->bytes};
	if (in) {
		chain->in_count++;
		chain->in_bytes += desc->bytes;
	} else {
		chain->out_count++;
		chain->out_bytes += desc->bytes;
	}
	return true;
}

/* Follows the chain from `head`; a loop ends at the limit of segments. */
static bool walk_chain(const struct vdev_queue *queue, struct vdev_chain *chain)
{
	const volatile struct descriptor *table =
		host_ram_find(queue->desc, sizeof(struct descriptor) * queue->size);
	struct descriptor desc = {.flags = DESC_NEXT, .next = chain->head};

	while (desc.flags & DESC_NEXT) {
		if (desc.next >= queue->size)
			return false;
		desc = table[desc.next];
		if (!add_segment(chain, &desc))
			return false;
	}
	return true;
}

bool vdev_pop(struct vdev_device *device, unsigned index, struct vdev_chain *chain)
{
	struct vdev_queue *queue = running_queue(device, index);
	const uint16_t *avail;
	uint16_t waiting;

	if (!queue)
		return false;
	waiting = (uint16_t)(avail_index(queue) - queue->next_avail);
	if (!waiting)
		return false;
	avail = host_ram_find(queue->avail, 6 + 2u * queue->size);
	chain->queue = (uint16_t)index;
	chain->head = read_shared(&avail[2 + queue->next_avail % queue->size]);
	chain->out_count = chain->in_count = 0;
	chain->out_bytes = chain->in_bytes = 0;
	if (waiting > queue->size || !walk_chain(queue, chain)) {
		vdev_break(device);
		return false;
	}
	queue->next_avail++;
	return true;
}

void vdev_push(struct vdev_device *device, const struct vdev_chain *chain, uint32_t written)
{
	struct vdev_queue *queue = running_queue(device, chain->queue);
	const uint16_t *avail;
	uint16_t *used;
	uint32_t *entry;

	if (!queue)
		return;
	avail = host_ram_find(queue->avail, 4);
	used = host_ram_find(queue->used, 6 + 8u * queue->size);
	entry = (uint32_t *)(used + 2) + 2 * (queue->next_used % queue->size);
	entry[0] = chain->head;
	entry[1] = written;
	queue->next_used++;
	hal_dma_wmb();
	write_shared(&used[1], queue->next_used);
	hal_dma_wmb(); /* the driver's flags are read after it can see the chain */
	if (!(read_shared(&avail[0]) & AVAIL_NO_INTERRUPT))
		set_interrupt_locked(device, device->interrupt_status | INTERRUPT_USED);
}

void vdev_serve(struct vdev_device *device)
{
	uint32_t queues;

	pthread_mutex_lock(&device->lock);
	queues = atomic_exchange(&device->notified, 0);
	for (unsigned i = 0; i < device->model->queue_count; i++)
		if (queues & 1u << i)
			device->model->notify(device, i);
	pthread_mutex_unlock(&device->lock);
}

/* ---- Copying ---- */

uint32_t vdev_copy_out(const struct vdev_chain *chain, uint32_t offset, void *to,
			 uint32_t bytes)
{
	uint32_t done = 0;

	for (unsigned i = 0; i < chain->out_count && done < bytes; i++) {
		const struct vdev_segment *segment = &chain->segments[i];
		uint32_t part;

		if (offset >= segment->bytes) {
			offset -= segment->bytes;
			continue;
		}
		part = MIN(segment->bytes - offset, bytes - done);
		memcpy((uint8_t *)to + done, segment->data + offset, part);
		done += part;
		offset = 0;
	}
	return done;
}

uint32_t vdev_copy_in(const struct vdev_chain *chain, uint32_t offset, const void *from,
			uint32_t bytes)
{
	uint32_t done = 0;

	for (unsigned i = 0; i < chain->in_count && done < bytes; i++) {
		const struct vdev_segment *segment = &chain->segments[chain->out_count + i];
		uint32_t part;

		if (offset >= segment->bytes) {
			offset -= segment->bytes;
			continue;
		}
		part = MIN(segment->bytes - offset, bytes - done);
		memcpy(segment->data + offset, (const uint8_t *)from + done, part);
		done += part;
		offset = 0;
	}
	return done;
}

/* ---- Registers ---- */

static struct vdev_queue *selected_queue(struct vdev_device *device)
{
	if (device->queue_select >= device->model->queue_count)
		return NULL;
	return &device->queues[device->queue_select];
}

static uint32_t read_word_locked(struct vdev_device *device, unsigned offset)
{
	const struct vdev_queue *queue = selected_queue(device);

	switch (offset) {
	case REG_MAGIC:
		return MAGIC;
	case REG_VERSION:
		return 2;
	case REG_DEVICE_ID:
		return device->model->id;
	case REG_VENDOR_ID:
		return VENDOR;
	case REG_FEATURES:
		return device->features_select > 1
			? 0 : (uint32_t)(device->features >> 32 * device->features_select);
	case REG_QUEUE_SIZE_MAX:
		return queue ? VDEV_QUEUE_SIZE_MAX : 0;
	case REG_QUEUE_READY:
		return queue && queue->ready;
	case REG_INTERRUPT_STATUS:
		return device->interrupt_status;
	case REG_STATUS:
		return device->status;
	case REG_SHARED_BYTES:
	case REG_SHARED_BYTES + 4:
		return UINT32_MAX;
	case REG_GENERATION:
		return device->generation;
	default:
		return 0;
	}
}

uint64_t vdev_read(struct vdev_device *device, unsigned offset, unsigned bytes)
{
	uint64_t value = 0;

	pthread_mutex_lock(&device->lock);
	if (offset >= REG_CONFIG && offset - REG_CONFIG + bytes <= device->config_bytes)
		memcpy(&value, &device->config[offset - REG_CONFIG], bytes);
	else if (offset < REG_CONFIG && bytes == 4)
		value = read_word_locked(device, offset);
	pthread_mutex_unlock(&device->lock);
	return value;
}

static void reset_locked(struct vdev_device *device)
{
	device->epoch++;
	device->later = false;
	device->model->reset(device);
	device->status = 0;
	device->driver_features = 0;
	device->features_select = device->driver_features_select = device->queue_select = 0;
	memset(device->queues, 0, sizeof(device->queues));
	atomic_store(&device->notified, 0);
	set_interrupt_locked(device, 0);
}

static void set_status_locked(struct vdev_device *device, uint32_t value)
{
	uint64_t taken = device->driver_features;

	if (!value) {
		reset_locked(device);
		return;
	}
	if (value & STATUS_FEATURES_OK && !(device->status & STATUS_FEATURES_OK) &&
	    (taken & ~device->features || !(taken & FEATURE_VERSION_1)))
		value &= ~STATUS_FEATURES_OK;
	if (!(value & STATUS_FEATURES_OK))
		value &= ~STATUS_DRIVER_OK;
	/* Bits are never taken back but by a reset; NEEDS_RESET is the device's own. */
	device->status |= value & ~STATUS_NEEDS_RESET;
}

static void set_driver_features_locked(struct vdev_device *device, uint32_t value)
{
	unsigned shift = device->driver_features_select * 32;

	if (device->status & STATUS_FEATURES_OK)
		return;
	if (device->driver_features_select > 1) {
		if (value)
			device->driver_features |= 1ull << 63; /* was not offered */
		return;
	}
	device->driver_features &= ~(0xffffffffull << shift);
	device->driver_features |= (uint64_t)value << shift;
}

static void set_ready_locked(struct vdev_device *device, struct vdev_queue *queue, bool ready)
{
	unsigned size = queue->size;

	queue->ready = false;
	if (!ready)
		return;
	if (!size || size > VDEV_QUEUE_SIZE_MAX || size & (size - 1) || queue->desc % 16 ||
	    queue->avail % 2 || queue->used % 4 || !host_ram_find(queue->desc, 16 * size) ||
	    !host_ram_find(queue->avail, 6 + 2 * size) ||
	    !host_ram_find(queue->used, 6 + 8 * size)) {
		vdev_break(device);
		return;
	}
	queue->ready = true;
	queue->next_avail = queue->next_used = 0;
}

/* One half of a 64-bit address. */
static void set_half(uint64_t *addr, bool high, uint32_t value)
{
	unsigned shift = high ? 32 : 0;

	*addr = (*addr & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

static void write_queue_locked(struct vdev_device *device, unsigned offset, uint32_t value)
{
	struct vdev_queue *queue = selected_queue(device);

	if (!queue)
		return;
	if (offset == REG_QUEUE_READY) {
		set_ready_locked(device, queue, value & 1);
		return;
	}
	if (queue->ready)
		return; /* its parts are fixed by now */
	if (offset == REG_QUEUE_SIZE)
		queue->size = (uint16_t)MIN(value, 0xffffu);
	else if ((offset & ~4u) == REG_QUEUE_DESC)
		set_half(&queue->desc, offset & 4, value);
	else if ((offset & ~4u) == REG_QUEUE_AVAIL)
		set_half(&queue->avail, offset & 4, value);
	else if ((offset & ~4u) == REG_QUEUE_USED)
		set_half(&queue->used, offset & 4, value);
}

static void write_word_locked(struct vdev_device *device, unsigned offset, uint32_t value)
{
	switch (offset) {
	case REG_FEATURES_SELECT:
		device->features_select = value;
		break;
	case REG_DRIVER_FEATURES_SELECT:
		device->driver_features_select = value;
		break;
	case REG_DRIVER_FEATURES:
		set_driver_features_locked(device, value);
		break;
	case REG_QUEUE_SELECT:
		device->queue_select = value;
		break;
	case REG_INTERRUPT_ACK:
		set_interrupt_locked(device, device->interrupt_status & ~value);
		break;
	case REG_STATUS:
		set_status_locked(device, value);
		break;
	default:
		write_queue_locked(device, offset, value);
		break;
	}
}

bool vdev_write(struct vdev_device *device, unsigned offset, unsigned bytes, uint64_t value)
{
	if (offset == REG_QUEUE_NOTIFY && bytes == 4) {
		if (value >= device->model->queue_count)
			return false;
		atomic_fetch_or(&device->notified, 1u << value);
		return true;
	}
	pthread_mutex_lock(&device->lock);
	if (offset < REG_CONFIG && bytes == 4)
		write_word_locked(device, offset, (uint32_t)value);
	pthread_mutex_unlock(&device->lock);
	return false;
}
