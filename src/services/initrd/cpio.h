/*
 * A reader of cpio archives in the "newc" form (cpio(5)): pure, reads memory only, never writes.
 *
 * Every number and name is checked before it is used; an archive that breaks a rule is refused
 * with a text that says which.
 */
#ifndef SERVICES_INITRD_CPIO_H
#define SERVICES_INITRD_CPIO_H

#include "hal/types.h"

#define CPIO_NAME_MAX 4096 /* bytes of a name, its end included */
#define CPIO_LINKS_MAX 8   /* symbolic links followed in one lookup */

/* The file type in a mode, as in stat(2). */
#define CPIO_TYPE_MASK 0170000u
#define CPIO_TYPE_FILE 0100000u
#define CPIO_TYPE_DIR 0040000u
#define CPIO_TYPE_LINK 0120000u

struct cpio {
	const uint8_t *data; /* lent, for as long as the struct is used */
	size_t bytes;
};

/* All of it points into the archive. */
struct cpio_entry {
	const char *name;  /* as stored, ends with 0 */
	const void *data;  /* contents; of a symbolic link its target, without an end */
	size_t bytes;	   /* of data */
	uint32_t mode;	   /* type and rights */
	uint32_t uid, gid;
	uint32_t links;
	uint32_t inode, dev_major, dev_minor; /* equal in all hard links of a file */
	uint32_t mtime;	   /* seconds since 1970 */
};

/* What was wrong and where, for people. */
struct cpio_error {
	const char *why;
	size_t offset;
};

/*
 * The entry at `*offset`, which starts at 0 and is moved to the next. 1; 0 at the trailer (nothing
 * but zeros may follow it); -EINVAL with `error` filled.
 */
HAL_USE_RESULT int cpio_next(const struct cpio *cpio, size_t *offset, struct cpio_entry *entry,
			     struct cpio_error *error);

/* Walks the whole archive. Its number of entries, or -EINVAL. */
HAL_USE_RESULT int64_t cpio_check(const struct cpio *cpio, struct cpio_error *error);

/*
 * The entry of `path` in an archive that passed cpio_check(); the last of several of that name.
 * Paths are compared component by component: "/bin/x", "bin//x" and "./bin/x" are one. Symbolic
 * links are followed in the last component; a hard link finds its contents where they are stored.
 * 0; -ENOENT; -ELOOP; -EINVAL for a path with "..".
 */
HAL_USE_RESULT int cpio_find(const struct cpio *cpio, const char *path, struct cpio_entry *entry);

#endif
