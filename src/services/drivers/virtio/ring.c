/*
 * The split virtqueue. No lock of its own: its user's guards it.
 *
 * Invariants:
 *   1. free_count plus the chain_count of all slots that have a token is `size`.
 *   2. Nothing that the device wrote is used as an index before it was compared with `size`, or as
 *      a length before it was compared with what the chain can hold.
 */
#include "services/drivers/virtio/ring.h"

#include "core/klib.h"
#include "hal/device.h"

#include <stdatomic.h>

#define DESC_NEXT 1u
#define DESC_WRITE 2u
#define USED_NO_NOTIFY 1u

struct ring_desc {
	uint64_t addr;
	uint32_t bytes;
	uint16_t flags, next;
};

struct ring_avail {
	uint16_t flags, index;
	uint16_t entries[RING_SIZE_MAX];
};

struct ring_used_entry {
	uint32_t id, bytes;
};

struct ring_used {
	uint16_t flags, index;
	struct ring_used_entry entries[RING_SIZE_MAX];
};

_Static_assert(sizeof(struct ring_desc) == 16, "virtio 2.7.5");
_Static_assert(sizeof(struct ring_desc) * RING_SIZE_MAX <= RING_AVAIL_OFFSET, "fits");
_Static_assert(RING_AVAIL_OFFSET + sizeof(struct ring_avail) + 2 <= RING_USED_OFFSET, "fits");
_Static_assert(RING_USED_OFFSET + sizeof(struct ring_used) + 2 <= RING_MEMORY_BYTES, "fits");

void ring_init(struct ring *ring, uint16_t size, void *memory)
{
	uint8_t *bytes = memory;

	ASSERT(size && size <= RING_SIZE_MAX && !(size & (size - 1)));
	memset(ring, 0, sizeof(*ring));
	ring->desc = (struct ring_desc *)(void *)bytes;
	ring->avail = (struct ring_avail *)(void *)(bytes + RING_AVAIL_OFFSET);
	ring->used = (struct ring_used *)(void *)(bytes + RING_USED_OFFSET);
	ring->size = size;
	ring->free_count = size;
	for (unsigned i = 0; i < size; i++)
		ring->slots[i].next = (uint16_t)(i + 1);
}

/* Writes the descriptors of a chain from the free list. The last one's slot index. */
static uint16_t fill_chain(struct ring *ring, const struct ring_buffer *buffers, unsigned out,
			   unsigned count)
{
	uint16_t at = ring->free_head, last = at;

	for (unsigned i = 0; i < count; i++) {
		struct ring_desc *desc = &ring->desc[at];

		desc->addr = buffers[i].addr;
		desc->bytes = buffers[i].bytes;
		desc->flags = (i >= out ? DESC_WRITE : 0) | (i + 1 < count ? DESC_NEXT : 0);
		desc->next = i + 1 < count ? ring->slots[at].next : 0;
		last = at;
		at = ring->slots[at].next;
	}
	return last;
}

int ring_add(struct ring *ring, const struct ring_buffer *buffers, unsigned out, unsigned in,
	     void *token)
{
	unsigned count = out + in;
	uint16_t head = ring->free_head, last;
	struct ring_slot *slot = &ring->slots[head];
	uint64_t writable = 0;

	if (count == 0 || count > ring->size || !token)
		return -EINVAL;
	if (count > ring->free_count)
		return -ENOSPC;
	for (unsigned i = out; i < count; i++)
		writable += buffers[i].bytes;
	if (writable > UINT32_MAX)
		return -EINVAL;
	last = fill_chain(ring, buffers, out, count);
	ring->free_head = ring->slots[last].next;
	ring->free_count = (uint16_t)(ring->free_count - count);
	slot->token = token;
	slot->writable = (uint32_t)writable;
	slot->chain_count = (uint16_t)count;
	ring->outstanding++;
	ring->avail->entries[ring->avail_index & (ring->size - 1)] = head;
	ring->avail_index++;
	hal_dma_wmb();
	*(volatile uint16_t *)&ring->avail->index = ring->avail_index;
	return 0;
}

bool ring_wants_notify(const struct ring *ring)
{
	/* The index must be out before the flag is read, or both sides may wait for the other. */
	atomic_thread_fence(memory_order_seq_cst);
	return !(*(const volatile uint16_t *)&ring->used->flags & USED_NO_NOTIFY);
}

/* Gives the chain at `head` back to the free list. Its token. */
static void *release_chain(struct ring *ring, uint16_t head)
{
	struct ring_slot *slot = &ring->slots[head];
	void *token = slot->token;
	uint16_t last = head;

	for (unsigned i = 1; i < slot->chain_count; i++)
		last = ring->slots[last].next;
	ring->slots[last].next = ring->free_head;
	ring->free_head = head;
	ring->free_count = (uint16_t)(ring->free_count + slot->chain_count);
	ring->outstanding--;
	slot->token = NULL;
	slot->chain_count = 0;
	return token;
}

int ring_take(struct ring *ring, void **token, uint32_t *bytes)
{
	uint16_t index = *(const volatile uint16_t *)&ring->used->index;
	const volatile struct ring_used_entry *entry;
	uint32_t id, written;

	if (index == ring->used_index)
		return 0;
	if ((uint16_t)(index - ring->used_index) > ring->outstanding)
		return -EIO;
	hal_dma_rmb();
	entry = &ring->used->entries[ring->used_index & (ring->size - 1)];
	id = entry->id;
	written = entry->bytes;
	if (id >= ring->size || !ring->slots[id].token || written > ring->slots[id].writable)
		return -EIO;
	ring->used_index++;
	*bytes = written;
	*token = release_chain(ring, (uint16_t)id);
	return 1;
}

void *ring_cancel(struct ring *ring)
{
	for (uint16_t i = 0; i < ring->size; i++) {
		if (ring->slots[i].token)
			return release_chain(ring, i);
	}
	return NULL;
}
