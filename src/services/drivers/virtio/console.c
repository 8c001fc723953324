/*
 * Console devices (virtio 1.2, section 5.3), one port each. The first becomes the user's console,
 * the second the channel to which core writes its trace; more are left alone.
 *
 * Output is copied to a page of the port and sent; the caller waits until the device has taken it.
 * The trace comes in small pieces and is collected until the page is full.
 *
 * State: struct ports. A port is used by one writer and one reader at a time: those of the console
 * service, or core at shutdown.
 */
#include "services/drivers/virtio/virtio.h"

#include "core/log.h"
#include "core/main.h"
#include "core/page.h"
#include "core/slab.h"
#include "services/console/console.h"

#define QUEUE_RECEIVE 0
#define QUEUE_TRANSMIT 1

struct port {
	struct virtio_device *device;
	uint8_t *out_page, *in_page;
	size_t collected; /* bytes in out_page that were not sent; the trace's */
	bool receiving;	  /* `in` is with the device */
	size_t in_start, in_end; /* what was received and not yet read */
	struct virtio_transfer in, out;
};

static struct {
	struct port *trace; /* NULL: there is no channel */
	unsigned count;
} ports;

static int send_page(struct port *port, size_t bytes)
{
	virtio_transfer_init(&port->out);
	virtio_transfer_add(&port->out, hal_virt_to_phys(port->out_page), (uint32_t)bytes, false);
	return virtio_run(&port->device->queues[QUEUE_TRANSMIT], &port->out);
}

static int write_port(void *device, const char *text, size_t bytes)
{
	struct port *port = device;

	while (bytes) {
		size_t part = MIN(bytes, PAGE_SIZE);
		int err;

		memcpy(port->out_page, text, part);
		err = send_page(port, part);
		if (err)
			return err;
		text += part;
		bytes -= part;
	}
	return 0;
}

static int receive_page(struct port *port)
{
	int err = 0;

	if (!port->receiving) {
		virtio_transfer_init(&port->in);
		virtio_transfer_add(&port->in, hal_virt_to_phys(port->in_page), PAGE_SIZE, true);
		err = virtio_submit(&port->device->queues[QUEUE_RECEIVE], &port->in);
		if (err)
			return err;
		port->receiving = true;
	}
	err = virtio_wait(&port->in, WAIT_INTERRUPTIBLE);
	if (err == -EINTR)
		return err;
	port->receiving = false;
	port->in_start = 0;
	port->in_end = err ? 0 : port->in.bytes;
	return err;
}

static int64_t read_port(void *device, char *buf, size_t max)
{
	struct port *port = device;
	size_t count;

	while (port->in_start == port->in_end) {
		int err = receive_page(port);

		if (err)
			return err;
	}
	count = MIN(max, port->in_end - port->in_start);
	memcpy(buf, port->in_page + port->in_start, count);
	port->in_start += count;
	return (int64_t)count;
}

/* A trace that cannot be written is lost; the device's failure is on the log. */
static void collect_trace(void *arg, const char *text, size_t bytes)
{
	struct port *port = arg;

	while (bytes) {
		size_t part = MIN(bytes, PAGE_SIZE - port->collected);

		memcpy(port->out_page + port->collected, text, part);
		port->collected += part;
		text += part;
		bytes -= part;
		if (port->collected == PAGE_SIZE)
			virtio_console_flush();
	}
}

void virtio_console_flush(void)
{
	struct port *port = ports.trace;

	if (!port || !port->collected)
		return;
	if (send_page(port, port->collected))
		ports.trace = NULL;
	port->collected = 0;
}

static void use_port(struct port *port)
{
	const struct console_device console = {
		.name = port->device->name,
		.device = port,
		.write = write_port,
		.read = read_port,
	};

	if (!console_offer(&console) && !ports.trace) {
		ports.trace = port;
		kernel_set_trace_sink(collect_trace, port);
	}
}

static void free_port(struct port *port)
{
	if (port->out_page)
		page_put(page_from_virt(port->out_page));
	if (port->in_page)
		page_put(page_from_virt(port->in_page));
	kfree(port);
}

static struct port *make_port(struct virtio_device *device)
{
	struct port *port = kmalloc(sizeof(*port));
	struct page *out = page_alloc_zeroed(0), *in = page_alloc_zeroed(0);

	if (port) {
		port->device = device;
		port->out_page = out ? page_to_virt(out) : NULL;
		port->in_page = in ? page_to_virt(in) : NULL;
		if (out && in)
			return port;
		free_port(port);
		return NULL;
	}
	if (out)
		page_put(out);
	if (in)
		page_put(in);
	return NULL;
}

int virtio_console_probe(struct virtio_device *device)
{
	struct port *port = make_port(device);
	int err = port ? virtio_begin(device, 0) : -ENOMEM;

	if (!err)
		err = virtio_queue_start(device, QUEUE_RECEIVE);
	if (!err)
		err = virtio_queue_start(device, QUEUE_TRANSMIT);
	if (!err)
		err = virtio_ready(device);
	if (err) {
		virtio_abandon(device);
		if (port)
			free_port(port);
		return err;
	}
	ports.count++;
	log_write(LOG_INFO, "virtio", "%s: console %u", device->name, ports.count);
	use_port(port);
	return 0;
}
