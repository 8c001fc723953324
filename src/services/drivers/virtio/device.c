/*
 * Virtio devices in use: set-up, transfers, interrupts, and what happens to a device that breaks
 * the rules.
 *
 *   reset --virtio_begin--> FEATURES_OK --virtio_queue_start--> ... --virtio_ready--> in use
 *     in use --bad used ring, NEEDS_RESET--> broken (reset, never used again)
 *
 * Lock: virtio_device.lock guards rings and `broken`. Invariant: a transfer that was submitted is
 * finished exactly once, by the interrupt or by virtio_break().
 */
#include "services/drivers/virtio/virtio.h"

#include "core/irq.h"
#include "core/log.h"
#include "core/page.h"

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u
#define STATUS_FAILED 128u

#define RESET_POLLS_MAX 1000000u
#define CONFIG_TRIES_MAX 100u

static int reset_device(struct virtio_device *device)
{
	device->transport->set_status(device, 0);
	for (unsigned i = 0; i < RESET_POLLS_MAX; i++) {
		if (device->transport->status(device) == 0)
			return 0;
		hal_cpu_relax();
	}
	return -EIO;
}

int virtio_begin(struct virtio_device *device, uint64_t wanted)
{
	const struct virtio_transport *transport = device->transport;
	uint64_t offered;

	spinlock_init(&device->lock, LOCK_RANK_DRIVER, "virtio");
	wait_queue_init(&device->space, "virtio space");
	if (reset_device(device)) {
		log_write(LOG_ERROR, "virtio", "%s does not reset; not used", device->name);
		return -EIO;
	}
	transport->set_status(device, STATUS_ACKNOWLEDGE);
	transport->set_status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	offered = transport->features(device);
	if (!(offered & VIRTIO_F_VERSION_1)) {
		log_write(LOG_ERROR, "virtio", "%s knows only the legacy interface; not used",
			  device->name);
		return -EOPNOTSUPP;
	}
	wanted |= VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM;
	device->features = offered & wanted;
	transport->set_features(device, device->features);
	transport->set_status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	if (!(transport->status(device) & STATUS_FEATURES_OK)) {
		log_write(LOG_ERROR, "virtio", "%s refuses features 0x%llx; not used",
			  device->name, (unsigned long long)device->features);
		return -EIO;
	}
	return 0;
}

/* The largest power of two up to `max` that a ring here can have. */
static uint16_t choose_size(uint16_t max)
{
	uint16_t size = RING_SIZE_MAX;

	while (size > max)
		size >>= 1;
	return size;
}

int virtio_queue_start(struct virtio_device *device, uint16_t index)
{
	struct virtio_queue *queue = &device->queues[index];
	uint16_t size = choose_size(device->transport->queue_size_max(device, index));
	struct virtio_queue_place place = {.index = index, .size = size};
	struct page *page;
	paddr_t base;
	int err;

	if (size < 2) {
		log_write(LOG_ERROR, "virtio", "%s lacks queue %u; not used", device->name, index);
		return -EIO;
	}
	page = page_alloc_zeroed(0);
	if (!page)
		return -ENOMEM;
	queue->device = device;
	queue->index = index;
	queue->memory = page_to_virt(page);
	ring_init(&queue->ring, size, queue->memory);
	base = page_to_phys(page);
	place.desc = base;
	place.avail = base + RING_AVAIL_OFFSET;
	place.used = base + RING_USED_OFFSET;
	err = device->transport->queue_enable(device, &place);
	if (err) {
		log_write(LOG_ERROR, "virtio", "%s does not take queue %u: error %d", device->name,
			  index, -err);
		page_put(page);
		queue->memory = NULL;
		return err;
	}
	queue->started = true;
	return 0;
}

static void finish_transfer(struct virtio_transfer *transfer, int result, uint32_t bytes)
{
	transfer->result = result;
	transfer->bytes = bytes;
	/* Whoever waits locks the queue of waiters to leave it, so that `transfer` stays until
	 * the wake-up is over. */
	spin_lock(&transfer->finish_lock);
	atomic_store(&transfer->done, true);
	wake_up_all(&transfer->wait);
	spin_unlock(&transfer->finish_lock);
}

static void break_locked(struct virtio_device *device, const char *why)
{
	lock_assert_held(&device->lock);
	if (device->broken)
		return;
	device->broken = true;
	log_write(LOG_ERROR, "virtio", "%s taken out of use: %s", device->name, why);
	/* A reset device touches no memory, so that what it had can be given back. */
	if (reset_device(device))
		log_write(LOG_ERROR, "virtio", "%s does not even reset", device->name);
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
		struct virtio_queue *queue = &device->queues[i];
		struct virtio_transfer *transfer;

		while (queue->started && (transfer = ring_cancel(&queue->ring)) != NULL)
			finish_transfer(transfer, -EIO, 0);
	}
	wake_up_all(&device->space);
}

void virtio_break(struct virtio_device *device, const char *why)
{
	spin_lock(&device->lock);
	break_locked(device, why);
	spin_unlock(&device->lock);
}

/* Finishes what the device has done in one queue. Whether there was anything. */
static bool drain_queue_locked(struct virtio_queue *queue)
{
	struct virtio_transfer *transfer;
	void *token = NULL;
	uint32_t bytes = 0;
	bool any = false;
	int more;

	while ((more = ring_take(&queue->ring, &token, &bytes)) == 1) {
		transfer = token;
		finish_transfer(transfer, 0, bytes);
		any = true;
	}
	if (more < 0)
		break_locked(queue->device, "it wrote nonsense into a used ring");
	return any;
}

static void handle_interrupt(void *arg)
{
	struct virtio_device *device = arg;
	bool any = false;

	spin_lock(&device->lock);
	if (!device->broken) {
		device->transport->acknowledge(device);
		if (device->transport->status(device) & STATUS_NEEDS_RESET)
			break_locked(device, "it says that it needs a reset");
		for (unsigned i = 0; i < VIRTIO_QUEUES_MAX && !device->broken; i++) {
			if (device->queues[i].started)
				any |= drain_queue_locked(&device->queues[i]);
		}
	}
	spin_unlock(&device->lock);
	if (any)
		wake_up_all(&device->space);
}

int virtio_ready(struct virtio_device *device)
{
	int err = irq_attach(device->irq, 0, device->name, handle_interrupt, device);

	if (err) {
		log_write(LOG_ERROR, "virtio", "%s: interrupt %u cannot be used: error %d",
			  device->name, device->irq, -err);
		return err;
	}
	device->transport->set_status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER |
						      STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	return 0;
}

void virtio_abandon(struct virtio_device *device)
{
	int err = reset_device(device);

	device->transport->set_status(device, STATUS_FAILED);
	for (unsigned i = 0; !err && i < VIRTIO_QUEUES_MAX; i++) {
		if (device->queues[i].memory)
			page_put(page_from_virt(device->queues[i].memory));
	}
}

void virtio_transfer_init(struct virtio_transfer *transfer)
{
	transfer->out = transfer->in = 0;
	transfer->result = 0;
	transfer->bytes = 0;
	atomic_store(&transfer->done, false);
	spinlock_init(&transfer->finish_lock, LOCK_RANK_DRIVER - 1, "virtio transfer");
	wait_queue_init(&transfer->wait, "virtio transfer");
}

void virtio_transfer_add(struct virtio_transfer *transfer, paddr_t addr, uint32_t bytes, bool in)
{
	unsigned at = transfer->out + transfer->in;

	ASSERT(at < VIRTIO_BUFFERS_MAX && (in || !transfer->in));
	transfer->buffers[at] = (struct ring_buffer){addr, bytes};
	if (in)
		transfer->in++;
	else
		transfer->out++;
}

/* One try. -ENOSPC while the ring is full. */
static int try_submit(struct virtio_queue *queue, struct virtio_transfer *transfer)
{
	struct virtio_device *device = queue->device;
	int err = -EIO;

	spin_lock(&device->lock);
	if (!device->broken)
		err = ring_add(&queue->ring, transfer->buffers, transfer->out, transfer->in,
			       transfer);
	if (!err && ring_wants_notify(&queue->ring))
		device->transport->notify(device, queue->index);
	spin_unlock(&device->lock);
	return err;
}

int virtio_submit(struct virtio_queue *queue, struct virtio_transfer *transfer)
{
	int err, wait_err;

	WAIT_UNTIL(wait_err, &queue->device->space, HAL_TIME_NEVER, 0,
		   (err = try_submit(queue, transfer)) != -ENOSPC);
	return err ? err : wait_err;
}

int virtio_wait(struct virtio_transfer *transfer, unsigned wait_flags)
{
	int err;

	WAIT_UNTIL(err, &transfer->wait, HAL_TIME_NEVER, wait_flags, atomic_load(&transfer->done));
	if (err)
		return err;
	/* Lets finish_transfer() come to its end before the caller's memory goes away. */
	spin_lock(&transfer->finish_lock);
	spin_unlock(&transfer->finish_lock);
	return transfer->result;
}

int virtio_run(struct virtio_queue *queue, struct virtio_transfer *transfer)
{
	int err = virtio_submit(queue, transfer);

	return err ? err : virtio_wait(transfer, 0);
}

uint32_t virtio_config32(struct virtio_device *device, unsigned offset)
{
	return device->transport->config32(device, offset);
}

uint64_t virtio_config64(struct virtio_device *device, unsigned offset)
{
	const struct virtio_transport *transport = device->transport;
	uint64_t value = 0;

	for (unsigned i = 0; i < CONFIG_TRIES_MAX; i++) {
		uint32_t before = transport->generation(device);

		value = transport->config32(device, offset);
		value |= (uint64_t)transport->config32(device, offset + 4) << 32;
		if (transport->generation(device) == before)
			break;
	}
	return value;
}
