/*
 * The service that holds the initial image. It checks the archive once when it starts, so that
 * every later walk is over an archive that is known to be well formed.
 *
 * State: struct initrd, set once in start. No lock.
 */
#include "services/initrd/initrd.h"

#include "core/log.h"
#include "core/service.h"
#include "hal/hal.h"
#include "services/placement.h"

static struct {
	struct cpio cpio; /* Set once; bytes == 0: no image */
} initrd;

static int initrd_start(void)
{
	const struct hal_range *range = &hal_boot_info()->initrd;
	struct cpio_error error;
	struct cpio cpio;
	int64_t entries;

	if (!range->bytes) {
		log_write(LOG_WARNING, "initrd",
			  "no initial image was given; there is no program to run");
		return 0;
	}
	cpio.data = hal_phys_to_virt(range->base);
	cpio.bytes = range->bytes;
	entries = cpio_check(&cpio, &error);
	if (entries < 0) {
		log_write(LOG_ERROR, "initrd", "the initial image cannot be used: byte %zu: %s",
			  error.offset, error.why);
		return (int)entries;
	}
	initrd.cpio = cpio;
	log_write(LOG_INFO, "initrd", "%lld files, %zu KiB", (long long)entries,
		  cpio.bytes / 1024);
	return 0;
}

int initrd_find(const char *path, struct cpio_entry *entry)
{
	if (!initrd.cpio.bytes)
		return -ENODEV;
	return cpio_find(&initrd.cpio, path, entry);
}

void initrd_each(void (*visit)(void *arg, const struct cpio_entry *entry), void *arg)
{
	struct cpio_entry entry;
	struct cpio_error error;
	size_t offset = 0;

	if (!initrd.cpio.bytes)
		return;
	while (cpio_next(&initrd.cpio, &offset, &entry, &error) == 1)
		visit(arg, &entry);
}

const struct service initrd_service = {
	.name = "initrd",
	.class_name = placement_class_initrd,
	.needs = {NULL},
	.optional = true,
	.start = initrd_start,
};
