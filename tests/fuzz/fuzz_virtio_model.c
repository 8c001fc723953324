/*
 * libFuzzer target: the device models of the host machine, against a driver that does anything.
 *
 * The first byte chooses a model. Then come steps: registers written and read, RAM written,
 * queues notified, completions run. RAM is a buffer of this file, with nothing behind it: a model
 * that believes the driver is caught by AddressSanitizer.
 */
#include "hal/host/host_priv.h"
#include "hal/host/loop.h"
#include "hal/host/model.h"
#include "hal/host/seeded.h"
#include "hal/host/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM_BYTES 65536u
#define DISK_BYTES 65536
#define STEPS_MAX 300
#define QUEUE_SIZE 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct host host = {.seeded = true};

static struct {
	uint8_t *ram;
	struct vdev_device *devices[3];
	struct {
		void (*complete)(void *arg);
		void *arg;
	} later[SEEDED_EVENTS_MAX];
	unsigned later_count;
} fuzz;

/* ---- What the models call ---- */

void *host_ram_find(paddr_t addr, uint64_t bytes)
{
	return addr < RAM_BYTES && bytes <= RAM_BYTES - addr ? fuzz.ram + addr : NULL;
}

void host_irq_set_line(unsigned irq, bool asserted)
{
	(void)irq;
	(void)asserted;
}

void hal_dma_rmb(void)
{
}

void hal_dma_wmb(void)
{
}

int hal_entropy(void *buf, size_t bytes)
{
	memset(buf, 0x5a, bytes);
	return 0;
}

void seeded_complete_later(uint64_t least_ns, uint64_t spread_ns, void (*complete)(void *arg),
			   void *arg)
{
	(void)least_ns;
	(void)spread_ns;
	if (fuzz.later_count == SEEDED_EVENTS_MAX)
		abort();
	fuzz.later[fuzz.later_count].complete = complete;
	fuzz.later[fuzz.later_count++].arg = arg;
}

void seeded_forget(const void *arg)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < fuzz.later_count; i++)
		if (fuzz.later[i].arg != arg)
			fuzz.later[kept++] = fuzz.later[i];
	fuzz.later_count = kept;
}

static void complete_one(void)
{
	if (!fuzz.later_count)
		return;
	fuzz.later_count--;
	fuzz.later[fuzz.later_count].complete(fuzz.later[fuzz.later_count].arg);
}

uv_loop_t *loop_uv(void)
{
	abort();
}

void terminal_size(uint16_t *columns, uint16_t *rows)
{
	*columns = *rows = 0;
}

HAL_NORETURN void host_fatal(const char *format, ...)
{
	(void)format;
	abort();
}

HAL_NORETURN void host_refuse(const char *format, ...)
{
	(void)format;
	abort();
}

/* ---- The driver ---- */

struct reader {
	const uint8_t *data;
	size_t bytes;
};

static uint32_t take(struct reader *reader, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes && reader->bytes; i++, reader->bytes--)
		value |= (uint32_t)*reader->data++ << 8 * i;
	return value;
}

static void notify(struct vdev_device *device, unsigned queue)
{
	if (vdev_write(device, 0x50, 4, queue))
		vdev_serve(device);
}

/* What a driver does that keeps the rules, so that the steps behind it reach the queues. */
static void start(struct vdev_device *device)
{
	vdev_write(device, 0x70, 4, 3);
	vdev_write(device, 0x24, 4, 1);
	vdev_write(device, 0x20, 4, 1);
	vdev_write(device, 0x70, 4, 11);
	for (unsigned i = 0; i < device->model->queue_count; i++) {
		vdev_write(device, 0x30, 4, i);
		vdev_write(device, 0x38, 4, QUEUE_SIZE);
		vdev_write(device, 0x80, 4, i * 0x1000);
		vdev_write(device, 0x90, 4, i * 0x1000 + 0x400);
		vdev_write(device, 0xa0, 4, i * 0x1000 + 0x800);
		vdev_write(device, 0x44, 4, 1);
	}
	vdev_write(device, 0x70, 4, 15);
}

static void step(struct vdev_device *device, struct reader *reader)
{
	uint32_t offset, count;

	switch (take(reader, 1) % 8) {
	case 0:
		offset = take(reader, 1) * 4;
		vdev_write(device, offset, 4, take(reader, 4));
		break;
	case 1:
		offset = take(reader, 2);
		for (count = take(reader, 1) % 64; count && offset < RAM_BYTES; count--)
			fuzz.ram[offset++] = (uint8_t)take(reader, 1);
		break;
	case 2:
		notify(device, take(reader, 1) % 4);
		break;
	case 3:
		complete_one();
		break;
	case 4:
		vdev_read(device, take(reader, 2), 1u << take(reader, 1) % 4);
		break;
	case 5:
		start(device);
		break;
	case 6:
		while (fuzz.later_count)
			complete_one();
		break;
	default:
		if (device->model->id == VDEV_ID_CONSOLE)
			model_console_input(device, "typed by a person", take(reader, 1) % 17);
		break;
	}
}

static void make_machine(void)
{
	static const struct host_disk disk = {.path = "disk", .fail = 3};
	int fd = memfd_create("disk", 0);

	if (fd < 0 || ftruncate(fd, DISK_BYTES))
		abort();
	fuzz.ram = malloc(RAM_BYTES);
	fuzz.devices[0] = model_block_create(&disk, fd, DISK_BYTES, 8);
	fuzz.devices[1] = model_console_create(open("/dev/null", O_WRONLY), true, 9);
	fuzz.devices[2] = model_entropy_create(10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct reader reader = {data, bytes};
	struct vdev_device *device;

	if (!fuzz.ram)
		make_machine();
	device = fuzz.devices[take(&reader, 1) % 3];
	memset(fuzz.ram, 0, RAM_BYTES);
	for (unsigned i = 0; reader.bytes && i < STEPS_MAX; i++)
		step(device, &reader);
	vdev_write(device, 0x70, 4, 0);
	if (fuzz.later_count || vdev_read(device, 0x70, 4))
		abort();
	return 0;
}
