/*
 * The cpio reader: a header of 110 characters, the name, padding to 4, the contents, padding to 4.
 *
 * No state, no lock. Invariants:
 *   1. Nothing outside [data, data + bytes) is read.
 *   2. cpio_next() moves the offset forward by at least a header, so that each walk ends.
 */
#include "services/initrd/cpio.h"

#include "core/klib.h"

#define HEADER_BYTES 110u
#define FIELD_DIGITS 8u

enum header_field {
	FIELD_INODE,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_LINKS,
	FIELD_MTIME,
	FIELD_BYTES,
	FIELD_DEV_MAJOR,
	FIELD_DEV_MINOR,
	FIELD_RDEV_MAJOR,
	FIELD_RDEV_MINOR,
	FIELD_NAME_BYTES,
	FIELD_CHECK,
	FIELDS_COUNT,
};

static const char trailer_name[] = "TRAILER!!!";

static int refuse(struct cpio_error *error, size_t offset, const char *why)
{
	error->why = why;
	error->offset = offset;
	return -EINVAL;
}

/* The value of a hexadecimal digit, or -1. */
static int digit_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool read_fields(const uint8_t *header, uint32_t fields[FIELDS_COUNT])
{
	for (unsigned i = 0; i < FIELDS_COUNT; i++) {
		fields[i] = 0;
		for (unsigned k = 0; k < FIELD_DIGITS; k++) {
			int value = digit_value(header[6 + i * FIELD_DIGITS + k]);

			if (value < 0)
				return false;
			fields[i] = fields[i] << 4 | (uint32_t)value;
		}
	}
	return true;
}

static const char *why_no_magic(const uint8_t *header)
{
	if (header[0] == 0x1f && header[1] == 0x8b)
		return "it is compressed with gzip; give it uncompressed";
	if (header[0] == 0xfd && header[1] == '7')
		return "it is compressed with xz; give it uncompressed";
	if (header[0] == 0x28 && header[1] == 0xb5)
		return "it is compressed with zstd; give it uncompressed";
	if (memcmp(header, "070702", 6) == 0)
		return "it has the \"crc\" form; write it with cpio -H newc";
	if (memcmp(header, "070707", 6) == 0)
		return "it has the old \"odc\" form; write it with cpio -H newc";
	return "no cpio \"newc\" header where one must be";
}

/* The next component of a path: its first byte, length by `bytes`; NULL at the end. */
static const char *next_component(const char **path, size_t *bytes)
{
	for (;;) {
		const char *start = *path;
		size_t length = 0;

		while (*start == '/')
			start++;
		if (!*start)
			return NULL;
		while (start[length] && start[length] != '/')
			length++;
		*path = start + length;
		if (length == 1 && start[0] == '.')
			continue;
		*bytes = length;
		return start;
	}
}

static bool has_parent_component(const char *path)
{
	const char *part;
	size_t bytes;

	while ((part = next_component(&path, &bytes)) != NULL) {
		if (bytes == 2 && part[0] == '.' && part[1] == '.')
			return true;
	}
	return false;
}

static bool same_path(const char *a, const char *b)
{
	for (;;) {
		size_t a_bytes = 0, b_bytes = 0;
		const char *a_part = next_component(&a, &a_bytes);
		const char *b_part = next_component(&b, &b_bytes);

		if (!a_part || !b_part)
			return !a_part && !b_part;
		if (a_bytes != b_bytes || memcmp(a_part, b_part, a_bytes) != 0)
			return false;
	}
}

/* Behind the trailer: nothing but zeros (cpio fills up to its block size). */
static int check_tail(const struct cpio *cpio, size_t offset, struct cpio_error *error)
{
	for (; offset < cpio->bytes; offset++) {
		if (cpio->data[offset])
			return refuse(error, offset, "there is data behind the trailer");
	}
	return 0;
}

static void fill_entry(struct cpio_entry *entry, const uint32_t fields[FIELDS_COUNT])
{
	entry->bytes = fields[FIELD_BYTES];
	entry->mode = fields[FIELD_MODE];
	entry->uid = fields[FIELD_UID];
	entry->gid = fields[FIELD_GID];
	entry->links = fields[FIELD_LINKS];
	entry->inode = fields[FIELD_INODE];
	entry->dev_major = fields[FIELD_DEV_MAJOR];
	entry->dev_minor = fields[FIELD_DEV_MINOR];
	entry->mtime = fields[FIELD_MTIME];
}

/* The name and the contents behind a header that was read. Sets the offset behind both. */
static int place_entry(const struct cpio *cpio, size_t *offset, uint32_t name_bytes,
		       struct cpio_entry *entry, struct cpio_error *error)
{
	size_t start = *offset;
	size_t name_at = start + HEADER_BYTES;
	size_t data_at;

	if (name_bytes < 2 || name_bytes > CPIO_NAME_MAX)
		return refuse(error, start, "a name is empty or too long");
	if (name_bytes > cpio->bytes - name_at)
		return refuse(error, start, "it ends within a name");
	entry->name = (const char *)cpio->data + name_at;
	if (str_length_max(entry->name, name_bytes) != name_bytes - 1)
		return refuse(error, name_at, "a name does not end where its header says");
	if (has_parent_component(entry->name))
		return refuse(error, name_at, "a name leads outside with \"..\"");
	data_at = ALIGN_UP(name_at + name_bytes, 4);
	if (data_at > cpio->bytes || entry->bytes > cpio->bytes - data_at)
		return refuse(error, start, "it ends within the contents of a file");
	entry->data = cpio->data + data_at;
	*offset = MIN(ALIGN_UP(data_at + entry->bytes, 4), cpio->bytes);
	return 0;
}

int cpio_next(const struct cpio *cpio, size_t *offset, struct cpio_entry *entry,
	      struct cpio_error *error)
{
	size_t start = *offset;
	uint32_t fields[FIELDS_COUNT];
	int err;

	if (start > cpio->bytes || cpio->bytes - start < HEADER_BYTES)
		return refuse(error, start, "it ends without a trailer");
	if (memcmp(cpio->data + start, "070701", 6) != 0)
		return refuse(error, start, why_no_magic(cpio->data + start));
	if (!read_fields(cpio->data + start, fields))
		return refuse(error, start, "a header field is no hexadecimal number");
	fill_entry(entry, fields);
	err = place_entry(cpio, offset, fields[FIELD_NAME_BYTES], entry, error);
	if (err)
		return err;
	if (str_compare(entry->name, trailer_name) == 0)
		return check_tail(cpio, *offset, error);
	return 1;
}

int64_t cpio_check(const struct cpio *cpio, struct cpio_error *error)
{
	struct cpio_entry entry;
	size_t offset = 0;
	int64_t count = 0;
	int more;

	while ((more = cpio_next(cpio, &offset, &entry, error)) == 1)
		count++;
	return more < 0 ? more : count;
}

/* The last entry with that path, links as they are. */
static int find_exact(const struct cpio *cpio, const char *path, struct cpio_entry *found)
{
	struct cpio_entry entry;
	struct cpio_error error;
	size_t offset = 0;
	int result = -ENOENT;

	while (cpio_next(cpio, &offset, &entry, &error) == 1) {
		if (same_path(entry.name, path)) {
			*found = entry;
			result = 0;
		}
	}
	return result;
}

/* newc stores the contents of hard links once, with one of the names. */
static void find_contents(const struct cpio *cpio, struct cpio_entry *found)
{
	struct cpio_entry entry;
	struct cpio_error error;
	size_t offset = 0;

	while (cpio_next(cpio, &offset, &entry, &error) == 1) {
		if (entry.bytes && entry.inode == found->inode &&
		    entry.dev_major == found->dev_major && entry.dev_minor == found->dev_minor) {
			found->data = entry.data;
			found->bytes = entry.bytes;
		}
	}
}

/* The path that a link in `name` names, into `path`. 0 or -ENAMETOOLONG. */
static int link_target(const struct cpio_entry *link, char *path, size_t size)
{
	const char *target = link->data;
	size_t folder = 0;

	if (link->bytes == 0)
		return -ENOENT;
	if (target[0] != '/') {
		for (size_t i = 0; link->name[i]; i++) {
			if (link->name[i] == '/')
				folder = i + 1;
		}
	}
	if (folder + link->bytes >= size)
		return -ENAMETOOLONG;
	memcpy(path, link->name, folder);
	memcpy(path + folder, target, link->bytes);
	path[folder + link->bytes] = '\0';
	return 0;
}

int cpio_find(const struct cpio *cpio, const char *path, struct cpio_entry *entry)
{
	char target[256];
	int err;

	for (unsigned links = 0; links <= CPIO_LINKS_MAX; links++) {
		if (has_parent_component(path))
			return -EINVAL;
		err = find_exact(cpio, path, entry);
		if (err)
			return err;
		if ((entry->mode & CPIO_TYPE_MASK) != CPIO_TYPE_LINK) {
			if (entry->bytes == 0 && entry->links > 1 &&
			    (entry->mode & CPIO_TYPE_MASK) == CPIO_TYPE_FILE)
				find_contents(cpio, entry);
			return 0;
		}
		err = link_target(entry, target, sizeof(target));
		if (err)
			return err;
		path = target;
	}
	return -ELOOP;
}
