/*
 * The initial image: a read-only tree of files that the loader placed in memory.
 */
#ifndef SERVICES_INITRD_INITRD_H
#define SERVICES_INITRD_INITRD_H

#include "services/initrd/cpio.h"

/* As cpio_find(); -ENODEV when there is no image, or none that can be read. */
HAL_USE_RESULT int initrd_find(const char *path, struct cpio_entry *entry);

/* Calls visit(arg, entry) for each entry in the order of the archive. */
void initrd_each(void (*visit)(void *arg, const struct cpio_entry *entry), void *arg);

#endif
