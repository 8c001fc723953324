/*
 * The console service: passes bytes between programs and the console device.
 *
 * Output goes out as it is, in the order of the calls; a call returns when the device has the
 * bytes, so that what a program wrote is out before its end is known. Input is what the device
 * gives; control-D ends it once, which is where a program's read gives 0.
 *
 * State: struct console. `write_lock` and `read_lock` (mutexes) admit one caller each way.
 */
#include "services/console/console.h"

#include "core/log.h"
#include "core/service.h"
#include "core/wait.h"
#include "hal/hal.h"
#include "services/placement.h"

#define POLL_NS 10000000u /* between two looks at the log's input, which has no interrupt */

static struct {
	struct console_device device; /* Set once, by console_offer() */
	_Atomic bool offered;
	struct mutex write_lock, read_lock;
	char input[256];			/* Guarded by read_lock, as the two below */
	size_t input_start, input_end;	/* what of it was read and not yet taken */
} console;

static int log_device_write(void *device, const char *text, size_t bytes)
{
	(void)device;
	hal_log_write(text, bytes);
	return 0;
}

static bool sleep_interrupted(uint64_t deadline_ns)
{
	struct wait_queue queue;
	int err;

	wait_queue_init(&queue, "console poll");
	WAIT_UNTIL(err, &queue, deadline_ns, WAIT_INTERRUPTIBLE, false);
	return err == -EINTR;
}

static int64_t log_device_read(void *device, char *buf, size_t max)
{
	size_t count;

	(void)device;
	while ((count = hal_log_read(buf, max)) == 0) {
		if (sleep_interrupted(hal_time_ns() + POLL_NS))
			return -EINTR;
	}
	return (int64_t)count;
}

static const struct console_device log_device = {
	.name = "machine log",
	.write = log_device_write,
	.read = log_device_read,
};

static const struct console_device *current_device(void)
{
	return atomic_load(&console.offered) ? &console.device : &log_device;
}

bool console_offer(const struct console_device *device)
{
	if (atomic_load(&console.offered))
		return false;
	console.device = *device;
	atomic_store(&console.offered, true);
	return true;
}

int console_write(const char *text, size_t bytes)
{
	const struct console_device *device = current_device();
	int err;

	mutex_lock(&console.write_lock);
	err = device->write(device->device, text, bytes);
	mutex_unlock(&console.write_lock);
	return err;
}

/* Fills the input buffer when it is empty. 0, -EINTR, -EIO. */
static int fill_input(void)
{
	const struct console_device *device = current_device();
	int64_t count;

	if (console.input_start < console.input_end)
		return 0;
	count = device->read(device->device, console.input, sizeof(console.input));
	if (count < 0)
		return (int)count;
	console.input_start = 0;
	console.input_end = (size_t)count;
	return 0;
}

/* Takes up to `max` bytes from the buffer, and no further than an end of input. */
static int64_t take_input(char *buf, size_t max)
{
	size_t count = 0;

	if (console.input[console.input_start] == CONSOLE_EOF) {
		console.input_start++;
		return 0;
	}
	while (count < max && console.input_start < console.input_end &&
	       console.input[console.input_start] != CONSOLE_EOF)
		buf[count++] = console.input[console.input_start++];
	return (int64_t)count;
}

int64_t console_read(char *buf, size_t max)
{
	int64_t result;

	if (max == 0)
		return 0;
	mutex_lock(&console.read_lock);
	result = fill_input();
	if (!result)
		result = take_input(buf, max);
	mutex_unlock(&console.read_lock);
	return result;
}

static int console_start(void)
{
	mutex_init(&console.write_lock, "console output");
	mutex_init(&console.read_lock, "console input");
	log_write(LOG_INFO, "console", "programs use the %s", current_device()->name);
	return 0;
}

const struct service console_service = {
	.name = "console",
	.class_name = placement_class_console,
	.needs = {"virtio", NULL},
	.start = console_start,
};
