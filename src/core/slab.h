/*
 * Small kernel objects: caches of equal ones, with a magazine on each CPU, and kmalloc on a ladder
 * of such caches. Lock: LOCK_RANK_SLAB for each cache. All memory comes zeroed.
 */
#ifndef CORE_SLAB_H
#define CORE_SLAB_H

#include "hal/types.h"

struct slab_cache;

/* A cache of objects of `bytes` with alignment `align` (a power of two, at most a page). `name`
 * lives as long. NULL without memory. */
struct slab_cache *slab_cache_create(const char *name, size_t bytes, size_t align);
void slab_cache_destroy(struct slab_cache *cache); /* panics if an object is in use */

void *slab_alloc(struct slab_cache *cache); /* NULL without memory. Never waits */
void slab_free(struct slab_cache *cache, void *object);

/* Any size up to 4 MiB (pages above 2 KiB); aligned to 16, from 4 KiB on to a page. NULL allowed
 * in kfree. A wild or double kfree is a panic that says so. */
void *kmalloc(size_t bytes);
void kfree(void *memory);

/* Objects in use in all caches: for tests that look for leaks. */
uint64_t slab_live(void);
void slab_init(void);
void slab_check(void);

#endif
