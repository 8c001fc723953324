/*
 * virtio console (virtio 1.2, 5.3), one port: queue 0 takes input to the driver, queue 1 output.
 *
 * Output is copied out of the driver's buffers in parts and written; a part that cannot be
 * written at once goes to a file thread, and the chain waits. So nothing of the machine is touched
 * by a write that hangs, and a reset need not wait for it. Input lies in a ring until the driver
 * offers room. Guarded by the device's lock.
 */
#include "hal/host/model.h"

#include "hal/base.h"
#include "hal/host/host_priv.h"
#include "hal/host/loop.h"
#include "hal/host/seeded.h"
#include "hal/host/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_INPUT 0
#define QUEUE_OUTPUT 1
#define FEATURE_SIZE (1ull << 0)
#define INPUT_BYTES 4096u
#define PART_BYTES 4096u       /* poll(2) promises this much room in a pipe */
#define LATENCY_LEAST_NS 3000  /* in seeded mode */
#define LATENCY_SPREAD_NS 40000

struct console {
	struct vdev_device device;
	int out_fd;
	bool input; /* Set once */
	char ring[INPUT_BYTES];
	uint32_t ring_start, ring_bytes;
	struct vdev_chain chain; /* being written */
	bool has_chain;
	uint32_t chain_done;
	bool busy; /* a part is with a file thread */
	uint32_t part_epoch;
	uint32_t part_bytes;
	char part[PART_BYTES];
	uv_fs_t write;
	bool broken; /* the output has failed; the rest is dropped */
};

static struct console *console_of(struct vdev_device *device)
{
	return CONTAINER_OF(device, struct console, device);
}

/* ---- Output ---- */

static void note_written(struct console *console, ssize_t result)
{
	if (result < 0) {
		if (result != -EPIPE && !console->broken)
			fprintf(stderr, "cloudos-sim: cannot write the output of a console: %s; "
				"the rest of it is lost\n", strerror((int)-result));
		console->broken = true;
		result = console->part_bytes;
	}
	console->chain_done += (uint32_t)result;
}

static void pump_output(struct console *console);

static void finish_write(uv_fs_t *request)
{
	struct console *console = CONTAINER_OF(request, struct console, write);
	ssize_t result = request->result;

	uv_fs_req_cleanup(request);
	pthread_mutex_lock(&console->device.lock);
	console->busy = false;
	if (console->part_epoch == console->device.epoch)
		note_written(console, result);
	pump_output(console);
	pthread_mutex_unlock(&console->device.lock);
}

/* Writes the part now if that cannot hang, else on a file thread. */
static void write_part(struct console *console)
{
	struct pollfd poll_fd = {.fd = console->out_fd, .events = POLLOUT};
	uv_buf_t buf = uv_buf_init(console->part, console->part_bytes);
	ssize_t result = (ssize_t)console->part_bytes;

	if (console->broken) {
		note_written(console, result);
	} else if (host.seeded || poll(&poll_fd, 1, 0) == 1) {
		result = write(console->out_fd, console->part, console->part_bytes);
		if (result >= 0 || (errno != EAGAIN && errno != EINTR))
			note_written(console, result < 0 ? -errno : result);
		else if (host.seeded)
			poll(&poll_fd, 1, -1);
	} else {
		console->busy = true;
		console->part_epoch = console->device.epoch;
		if (uv_fs_write(loop_uv(), &console->write, console->out_fd, &buf, 1, -1,
				finish_write))
			host_fatal("cannot hand the console's output to a file thread");
	}
}

static void pump_output(struct console *console)
{
	while (!console->busy) {
		if (!console->has_chain) {
			if (!vdev_pop(&console->device, QUEUE_OUTPUT, &console->chain))
				return;
			console->has_chain = true;
			console->chain_done = 0;
		}
		console->part_bytes = vdev_copy_out(&console->chain, console->chain_done,
						      console->part, PART_BYTES);
		if (console->part_bytes) {
			write_part(console);
			continue;
		}
		console->has_chain = false;
		vdev_push(&console->device, &console->chain, 0);
	}
}

bool model_console_is_drained(struct vdev_device *device)
{
	struct console *console = console_of(device);
	bool drained;

	if (pthread_mutex_trylock(&device->lock))
		return false;
	drained = console->broken || (!console->busy && !console->has_chain &&
				      !vdev_has_chain(device, QUEUE_OUTPUT));
	pthread_mutex_unlock(&device->lock);
	return drained;
}

/* ---- Input ---- */

static void pump_input(struct console *console)
{
	struct vdev_chain chain;

	while (console->ring_bytes && vdev_pop(&console->device, QUEUE_INPUT, &chain)) {
		uint32_t written = 0, part = 1;

		while (console->ring_bytes && part) {
			part = MIN(console->ring_bytes, INPUT_BYTES - console->ring_start);
			part = vdev_copy_in(&chain, written, &console->ring[console->ring_start],
					      part);
			console->ring_start = (console->ring_start + part) % INPUT_BYTES;
			console->ring_bytes -= part;
			written += part;
		}
		vdev_push(&console->device, &chain, written);
	}
}

size_t model_console_room(struct vdev_device *device)
{
	struct console *console = console_of(device);
	size_t room;

	pthread_mutex_lock(&device->lock);
	room = INPUT_BYTES - console->ring_bytes;
	pthread_mutex_unlock(&device->lock);
	return room;
}

bool model_console_wants_input(struct vdev_device *device)
{
	bool wants;

	pthread_mutex_lock(&device->lock);
	wants = vdev_has_chain(device, QUEUE_INPUT);
	pthread_mutex_unlock(&device->lock);
	return wants;
}

void model_console_input(struct vdev_device *device, const char *text, size_t bytes)
{
	struct console *console = console_of(device);

	pthread_mutex_lock(&device->lock);
	for (size_t i = 0; i < bytes && console->ring_bytes < INPUT_BYTES; i++)
		console->ring[(console->ring_start + console->ring_bytes++) % INPUT_BYTES] =
			text[i];
	pump_input(console);
	pthread_mutex_unlock(&device->lock);
}

/* ---- The device ---- */

static void write_size(struct console *console)
{
	uint16_t size[2]; /* virtio 1.2, 5.3.4: cols, rows */

	terminal_size(&size[0], &size[1]);
	memcpy(console->device.config, size, sizeof(size));
}

void model_console_resize(struct vdev_device *device)
{
	pthread_mutex_lock(&device->lock);
	if (device->features & FEATURE_SIZE) {
		write_size(console_of(device));
		vdev_config_changed(device);
	}
	pthread_mutex_unlock(&device->lock);
}

static void pump_later(void *arg)
{
	struct console *console = arg;

	pthread_mutex_lock(&console->device.lock);
	console->device.later = false;
	pump_output(console);
	pthread_mutex_unlock(&console->device.lock);
}

static void notify(struct vdev_device *device, unsigned queue)
{
	struct console *console = console_of(device);

	if (queue == QUEUE_INPUT) {
		pump_input(console);
		return;
	}
	if (!host.seeded)
		pump_output(console);
	else if (!device->later)
		seeded_complete_later(LATENCY_LEAST_NS, LATENCY_SPREAD_NS, pump_later, console);
	device->later = host.seeded;
}

static void reset(struct vdev_device *device)
{
	struct console *console = console_of(device);

	console->has_chain = false;
	if (host.seeded)
		seeded_forget(console);
}

static const struct vdev_model model = {
	.name = "console",
	.id = VDEV_ID_CONSOLE,
	.queue_count = 2,
	.notify = notify,
	.reset = reset,
};

struct vdev_device *model_console_create(int out_fd, bool input, unsigned irq)
{
	struct console *console = calloc(1, sizeof(*console));

	if (!console)
		host_refuse("no memory for a device");
	vdev_init(&console->device, &model, irq);
	console->out_fd = out_fd;
	console->input = input;
	console->device.config_bytes = 12;
	if (input && !host.seeded) {
		console->device.features |= FEATURE_SIZE;
		write_size(console);
	}
	return &console->device;
}
