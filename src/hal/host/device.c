/*
 * The devices of the machine: which there are, the way to their registers, the files behind them.
 *
 * They are made in a fixed order: console, trace channel (if any), entropy, disks. Device i has
 * its registers at HOST_DEVICE_BASE + i * HOST_DEVICE_STRIDE and interrupt HAL_IRQ_DEVICE + i.
 */
#include "hal/host/device_priv.h"

#include "hal/base.h"
#include "hal/host/host_priv.h"
#include "hal/host/input.h"
#include "hal/host/loop.h"
#include "hal/host/model.h"
#include "hal/host/seeded.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONSOLES_MAX 2
#define DRAIN_NS 2000000000ull /* for output at power off; a reader that hangs must not keep us */
#define SECTOR 512

/* Set once, before there are threads; but resized. */
static struct {
	struct vdev_device *all[HOST_DEVICES_MAX];
	unsigned count;
	struct vdev_device *consoles[CONSOLES_MAX]; /* the user's is the first */
	unsigned console_count;
	_Atomic bool resized;
} devices;

/* ---- Making them ---- */

static unsigned next_irq(void)
{
	return HAL_IRQ_DEVICE + devices.count;
}

static int open_output(const char *path, const char *what)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		host_refuse("cannot write %s to %s: %s", what, path, strerror(errno));
	return fd;
}

static void add_console(int fd, bool input)
{
	struct vdev_device *console = model_console_create(fd, input, next_irq());

	devices.all[devices.count++] = console;
	devices.consoles[devices.console_count++] = console;
}

static uint64_t measure_image(const char *path, int fd)
{
	struct stat status;
	uint64_t bytes = 0;

	if (fstat(fd, &status))
		host_refuse("cannot look at the disk image %s: %s", path, strerror(errno));
	if (S_ISREG(status.st_mode))
		bytes = (uint64_t)status.st_size;
	else if (!S_ISBLK(status.st_mode) || ioctl(fd, BLKGETSIZE64, &bytes))
		host_refuse("the disk image %s is neither a file nor a block device", path);
	if (!bytes || bytes % SECTOR)
		host_refuse("the disk image %s has %lu bytes; a disk has whole sectors of %d "
			    "bytes, at least one. `truncate -s SIZE %s` gives it another size",
			    path, bytes, SECTOR, path);
	return bytes;
}

static void add_disk(const struct host_disk *disk)
{
	int fd = open(disk->path, (disk->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		host_refuse("there is no disk image %s; `truncate -s 64M %s` makes an empty one",
			    disk->path, disk->path);
	if (fd < 0)
		host_refuse("cannot open the disk image %s: %s%s", disk->path, strerror(errno),
			    errno == EACCES && !disk->read_only
				    ? "; to read it only, write --disk PATH,ro" : "");
	if (flock(fd, (disk->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
		host_refuse("the disk image %s is in use by another machine; give each its own "
			    "copy, or all of them --disk PATH,ro", disk->path);
	devices.all[devices.count] = model_block_create(disk, fd, measure_image(disk->path, fd),
							next_irq());
	devices.count++;
}

void device_create_all(void)
{
	const struct host_options *options = host.options;
	bool input = options->console == HOST_CONSOLE_STDIO && !options->headless;
	int err = host.seeded ? 0 : loop_start();

	if (err)
		host_refuse("cannot start the devices' thread: %s", strerror(-err));
	if (options->console == HOST_CONSOLE_STDIO)
		add_console(STDOUT_FILENO, input);
	else if (options->console == HOST_CONSOLE_FILE)
		add_console(open_output(options->console_path, "the console"), false);
	if (options->trace_path && options->console == HOST_CONSOLE_NONE)
		host_refuse("a trace needs a console before it: the first console device is the "
			    "user's; write --console file:/dev/null instead of none");
	if (options->trace_path)
		add_console(open_output(options->trace_path, "the trace"), false);
	devices.all[devices.count] = model_entropy_create(next_irq());
	devices.count++;
	for (unsigned i = 0; i < options->disk_count; i++)
		add_disk(&options->disks[i]);
	err = input ? input_start(devices.consoles[0]) : 0;
	if (err)
		host_refuse("cannot start the thread that reads standard input: %s",
			    strerror(-err));
}

/* ---- Serving them ---- */

void device_note_resize(void)
{
	if (host.seeded || !devices.count)
		return;
	atomic_store(&devices.resized, true);
	loop_wake();
}

void device_serve_all(void)
{
	if (atomic_exchange(&devices.resized, false) && devices.console_count)
		model_console_resize(devices.consoles[0]);
	for (unsigned i = 0; i < devices.count; i++)
		if (atomic_load(&devices.all[i]->notified))
			vdev_serve(devices.all[i]);
}

static bool all_drained(void)
{
	for (unsigned i = 0; i < devices.console_count; i++)
		if (!model_console_is_drained(devices.consoles[i]))
			return false;
	return true;
}

void device_stop_all(void)
{
	uint64_t until_ns = host_clock_monotonic_ns() + DRAIN_NS;
	struct timespec pause = {.tv_nsec = 200000};

	if (host.seeded)
		seeded_finish();
	while (!host.seeded && !all_drained() && host_clock_monotonic_ns() < until_ns)
		nanosleep(&pause, NULL);
}

/* ---- Registers ---- */

bool hal_device_next(unsigned *cursor, struct hal_device *device)
{
	unsigned i = *cursor;

	if (i >= devices.count)
		return false;
	*device = (struct hal_device){
		.bus = HAL_BUS_VIRTIO_MMIO,
		.name = devices.all[i]->model->name,
		.regs = HOST_DEVICE_BASE + i * HOST_DEVICE_STRIDE,
		.regs_bytes = HOST_DEVICE_STRIDE,
		.irq = devices.all[i]->irq,
	};
	*cursor = i + 1;
	return true;
}

int hal_mmio_map(paddr_t regs, size_t bytes, uintptr_t *base)
{
	uint64_t end = HOST_DEVICE_BASE + devices.count * HOST_DEVICE_STRIDE;

	if (regs < HOST_DEVICE_BASE || regs >= end || bytes > end - regs)
		return -EINVAL;
	*base = HAL_DIRECT_MAP_BASE + regs;
	return 0;
}

static struct vdev_device *find_device(uintptr_t addr, unsigned *offset)
{
	uint64_t at = addr - HAL_DIRECT_MAP_BASE - HOST_DEVICE_BASE;

	if (at / HOST_DEVICE_STRIDE >= devices.count)
		up_panic(0, 0, "an access to %p, where no device is", (void *)addr);
	*offset = (unsigned)(at % HOST_DEVICE_STRIDE);
	return devices.all[at / HOST_DEVICE_STRIDE];
}

static uint64_t read_register(uintptr_t addr, unsigned bytes)
{
	unsigned offset;
	struct vdev_device *device = find_device(addr, &offset);

	return vdev_read(device, offset, bytes);
}

static void write_register(uintptr_t addr, unsigned bytes, uint64_t value)
{
	unsigned offset;
	struct vdev_device *device = find_device(addr, &offset);

	if (!vdev_write(device, offset, bytes, value))
		return;
	if (device == devices.consoles[0])
		input_note_room();
	if (host.seeded)
		vdev_serve(device);
	else
		loop_wake();
}

uint8_t hal_mmio_read8(uintptr_t addr)
{
	return (uint8_t)read_register(addr, 1);
}

uint16_t hal_mmio_read16(uintptr_t addr)
{
	return (uint16_t)read_register(addr, 2);
}

uint32_t hal_mmio_read32(uintptr_t addr)
{
	return (uint32_t)read_register(addr, 4);
}

uint64_t hal_mmio_read64(uintptr_t addr)
{
	return read_register(addr, 8);
}

void hal_mmio_write8(uintptr_t addr, uint8_t value)
{
	write_register(addr, 1, value);
}

void hal_mmio_write16(uintptr_t addr, uint16_t value)
{
	write_register(addr, 2, value);
}

void hal_mmio_write32(uintptr_t addr, uint32_t value)
{
	write_register(addr, 4, value);
}

void hal_mmio_write64(uintptr_t addr, uint64_t value)
{
	write_register(addr, 8, value);
}

/* ---- The order of RAM that is shared with devices ---- */

static _Atomic unsigned dma_order;

void hal_dma_rmb(void)
{
	atomic_fetch_add(&dma_order, 0);
}

void hal_dma_wmb(void)
{
	atomic_fetch_add(&dma_order, 0);
}

/* ---- PCI: there is none ---- */

uint32_t hal_pci_read(uint32_t pci, unsigned offset, unsigned bytes)
{
	(void)pci;
	(void)offset;
	return (uint32_t)((1ull << bytes * 8) - 1);
}

void hal_pci_write(uint32_t pci, unsigned offset, unsigned bytes, uint32_t value)
{
	(void)pci;
	(void)offset;
	(void)bytes;
	(void)value;
}

bool hal_pci_window(paddr_t *base, uint64_t *bytes)
{
	(void)base;
	(void)bytes;
	return false;
}
