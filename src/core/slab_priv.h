/*
 * Slab caches inside: what slab.c keeps, and its state as struct kernel embeds it.
 */
#ifndef CORE_SLAB_PRIV_H
#define CORE_SLAB_PRIV_H

#include "core/list.h"
#include "core/lock.h"
#include "core/slab.h"

#include <stdatomic.h>

#define SLAB_DEBUG CLOUDOS_DEBUG /* red zones and poison */
#define SLAB_RED_BYTES (SLAB_DEBUG ? 16u : 0u)
#define SLAB_RED 0xb5
#define SLAB_POISON 0x6b

#define SLAB_MAGAZINE_MAX 32
#define SLAB_ORDER_MAX 3  /* the largest slab: 32 KiB */
#define SLAB_BYTES_MAX 8192
#define SLAB_OBJECTS_MIN 8 /* a slab is made larger until so many fit */

#define KMALLOC_STEPS 14
#define KMALLOC_SLAB_MAX 2048 /* above it: whole pages */
#define KMALLOC_MAX ((size_t)4 << 20)

/* What became of an object; one byte each, so that no two CPUs change the same one. */
enum slab_object { SLAB_IN_SLAB = 1, SLAB_IN_MAGAZINE, SLAB_LIVE };

/* Begins the first page of a slab; objects follow. */
struct slab {
	struct slab_cache *cache; /* Set once */
	struct list link;	  /* in partial or full. Guarded by cache->lock */
	uint32_t used;		  /* objects not IN_SLAB. Guarded by cache->lock */
	uint32_t hint;		  /* no object below it is IN_SLAB. Guarded by cache->lock */
	_Atomic uint8_t states[]; /* enum slab_object, one an object */
};

/* Objects that one CPU keeps at hand. */
struct slab_magazine {
	void *objects[SLAB_MAGAZINE_MAX]; /* Own CPU only */
	uint32_t count;			  /* Own CPU only */
	_Atomic uint64_t allocated;	  /* Written by its own CPU */
	_Atomic uint64_t freed;		  /* Written by its own CPU */
	uint64_t spare[8];		  /* keeps the next CPU's magazine off this cache line */
};

struct slab_cache {
	const char *name;	/* Set once, as the sizes below */
	uint32_t bytes;		/* that the user asked for */
	uint32_t stride;	/* from object to object */
	uint32_t reciprocal;	/* offset * reciprocal >> 32 == offset / stride */
	uint32_t first;		/* offset of the first object */
	uint32_t per_slab;
	uint32_t order;
	uint32_t magazine_max;
	struct spinlock lock;
	struct list partial;	/* slabs with an object IN_SLAB. Guarded by lock */
	struct list full;	/* Guarded by lock */
	uint32_t empty;		/* slabs with used == 0. Guarded by lock */
	uint64_t slabs;		/* Guarded by lock */
	struct list link;	/* in slab_allocator.caches. Guarded by its lock */
	struct slab_magazine magazines[]; /* one a CPU */
};

struct slab_allocator {
	struct spinlock lock;			   /* LOCK_RANK_OBJECT */
	struct list caches;			   /* struct slab_cache.link. Guarded by lock */
	struct slab_cache *ladder[KMALLOC_STEPS];  /* Set once */
	uint8_t step_of[KMALLOC_SLAB_MAX / 16 + 1]; /* (bytes + 15) / 16 -> step. Set once */
	_Atomic uint64_t large;			   /* kmalloc blocks of whole pages in use */
};

#endif
