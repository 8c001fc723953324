/*
 * The split virtqueue (virtio 1.2, section 2.7): descriptor table, available ring, used ring. Pure:
 * works on memory alone.
 *
 * The device is not trusted: all that the driver relies on is kept in slots that the device cannot
 * reach, and what the device writes is checked against them.
 */
#ifndef SERVICES_DRIVERS_VIRTIO_RING_H
#define SERVICES_DRIVERS_VIRTIO_RING_H

#include "hal/types.h"

#define RING_SIZE_MAX 128 /* entries; all three parts then fit into one page */
#define RING_MEMORY_BYTES 4096
#define RING_AVAIL_OFFSET 2048 /* of the available ring in that page */
#define RING_USED_OFFSET 2560

/* A piece of memory that a request uses. */
struct ring_buffer {
	paddr_t addr;
	uint32_t bytes;
};

struct ring_desc;
struct ring_avail;
struct ring_used;

/* What the driver remembers of each descriptor. */
struct ring_slot {
	void *token;	      /* of the request whose chain starts here; NULL: none does */
	uint32_t writable;    /* bytes that the device may write in that chain */
	uint16_t next;	      /* in the chain, or in the free list */
	uint16_t chain_count; /* descriptors of the chain that starts here */
};

struct ring {
	struct ring_desc *desc;	  /* shared with the device, as the two below */
	struct ring_avail *avail;
	struct ring_used *used;
	uint16_t size;		  /* a power of two. Set once */
	uint16_t free_head, free_count;
	uint16_t avail_index;	  /* the next that is offered */
	uint16_t used_index;	  /* the next that is looked at */
	uint16_t outstanding;	  /* chains that the device has */
	struct ring_slot slots[RING_SIZE_MAX];
};

/* Prepares a ring of `size` (a power of two up to RING_SIZE_MAX) in RING_MEMORY_BYTES of zeroed,
 * page-aligned memory. */
void ring_init(struct ring *ring, uint16_t size, void *memory);

/*
 * Offers a chain: `out` buffers that the device reads, then `in` buffers that it writes. `token`
 * (not NULL) comes back from ring_take(). 0; -ENOSPC for now; -EINVAL if it can never fit.
 */
HAL_USE_RESULT int ring_add(struct ring *ring, const struct ring_buffer *buffers, unsigned out,
			    unsigned in, void *token);

/* Whether the device wants to hear of what was added. */
bool ring_wants_notify(const struct ring *ring);

/*
 * The next request that the device has finished, with the bytes it wrote. 1; 0 if there is none;
 * -EIO if the device broke the rules: then the ring must not be used any more.
 */
HAL_USE_RESULT int ring_take(struct ring *ring, void **token, uint32_t *bytes);

/* Any one request that the device still has, taken back; NULL if none. For a device that was
 * reset. */
void *ring_cancel(struct ring *ring);

#endif
