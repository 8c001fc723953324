/*
 * libFuzzer target: the cpio reader. What cpio_check() accepts is walked and each of its names is
 * looked up; all that comes back must lie in the archive.
 */
#include "core/panic.h"
#include "services/initrd/cpio.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* What a failed ASSERT() ends in. */
void panic(const char *format, ...)
{
	(void)format;
	abort();
}

#define LOOKUPS_MAX 8 /* each walks the archive */

static void check_entry(const struct cpio *cpio, const struct cpio_entry *entry)
{
	const uint8_t *name = (const uint8_t *)entry->name, *data = entry->data;

	if (name < cpio->data || name >= cpio->data + cpio->bytes)
		abort();
	if (strlen(entry->name) >= (size_t)(cpio->data + cpio->bytes - name))
		abort();
	if (data < cpio->data || entry->bytes > (size_t)(cpio->data + cpio->bytes - data))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct cpio cpio = {data, bytes};
	struct cpio_entry entry, found;
	struct cpio_error error = {NULL, 0};
	size_t offset = 0, before = 0;
	int64_t count = cpio_check(&cpio, &error), seen = 0;

	if (count < 0 && (count != -EINVAL || !error.why))
		abort();
	while (cpio_next(&cpio, &offset, &entry, &error) == 1) {
		int err;

		if (offset <= before)
			abort();
		before = offset;
		check_entry(&cpio, &entry);
		if (count < 0 || seen++ >= LOOKUPS_MAX)
			continue;
		err = cpio_find(&cpio, entry.name, &found);
		if (err == 0)
			check_entry(&cpio, &found);
		else if (err != -ENOENT && err != -ELOOP && err != -EINVAL && err != -ENAMETOOLONG)
			abort();
	}
	return 0;
}
