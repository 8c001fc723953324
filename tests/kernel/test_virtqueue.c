/*
 * The split virtqueue, with the device's part played here: right, and wrong.
 */
#include "services/drivers/virtio/ring.h"

#include "tests/kernel/ktest.h"

#define SIZE 8u

/* The shared structures as the device sees them: virtio 1.2, section 2.7. */
struct desc {
	uint64_t addr;
	uint32_t bytes;
	uint16_t flags, next;
};

static struct {
	uint8_t memory[RING_MEMORY_BYTES] __attribute__((aligned(4096)));
	struct ring ring;
	uint16_t seen; /* entries of the available ring that the device has taken */
} queue;

static const struct ring_buffer buffers[SIZE + 1] = {
	{0x1000, 16}, {0x2000, 512}, {0x3000, 1}, {0x4000, 4}, {0x5000, 4},
	{0x6000, 4},  {0x7000, 4},   {0x8000, 4}, {0x9000, 4},
};

static void start_queue(void)
{
	memset(&queue, 0, sizeof(queue));
	ring_init(&queue.ring, SIZE, queue.memory);
}

static struct desc device_desc(unsigned i)
{
	struct desc desc;

	memcpy(&desc, queue.memory + i * sizeof(desc), sizeof(desc));
	return desc;
}

static uint16_t read16(size_t offset)
{
	uint16_t value;

	memcpy(&value, queue.memory + offset, sizeof(value));
	return value;
}

/* The next chain that the driver has offered: its head. */
static uint16_t device_take(void)
{
	return read16(RING_AVAIL_OFFSET + 4 + 2 * (queue.seen++ & (SIZE - 1)));
}

static void device_finish(uint32_t id, uint32_t bytes)
{
	uint16_t index = read16(RING_USED_OFFSET + 2);
	size_t at = RING_USED_OFFSET + 4 + 8 * (index & (SIZE - 1));

	memcpy(queue.memory + at, &id, 4);
	memcpy(queue.memory + at + 4, &bytes, 4);
	index++;
	memcpy(queue.memory + RING_USED_OFFSET + 2, &index, 2);
}

static int take(void **token, uint32_t *bytes)
{
	*token = NULL;
	*bytes = 0;
	return ring_take(&queue.ring, token, bytes);
}

static void test_virtqueue_offers_a_chain(void)
{
	struct desc first, second, third;
	int token;

	start_queue();
	CHECK(ring_add(&queue.ring, buffers, 1, 2, &token) == 0);
	CHECK(read16(RING_AVAIL_OFFSET + 2) == 1);
	first = device_desc(device_take());
	CHECK(first.addr == 0x1000 && first.bytes == 16 && first.flags == 1);
	second = device_desc(first.next);
	CHECK(second.addr == 0x2000 && second.bytes == 512 && second.flags == 3);
	third = device_desc(second.next);
	CHECK(third.addr == 0x3000 && third.bytes == 1 && third.flags == 2);
}

static void test_virtqueue_gives_tokens_back(void)
{
	int a, b;
	void *token;
	uint32_t bytes;
	uint16_t first, second;

	start_queue();
	CHECK(take(&token, &bytes) == 0);
	CHECK(ring_add(&queue.ring, buffers, 1, 1, &a) == 0);
	CHECK(ring_add(&queue.ring, buffers, 2, 0, &b) == 0);
	first = device_take();
	second = device_take();
	device_finish(second, 0);
	device_finish(first, 512);
	CHECK(take(&token, &bytes) == 1 && token == &b && bytes == 0);
	CHECK(take(&token, &bytes) == 1 && token == &a && bytes == 512);
	CHECK(take(&token, &bytes) == 0);
}

static void test_virtqueue_refuses_when_full(void)
{
	int token;

	start_queue();
	CHECK(ring_add(&queue.ring, buffers, SIZE + 1, 0, &token) == -EINVAL);
	CHECK(ring_add(&queue.ring, buffers, 0, 0, &token) == -EINVAL);
	CHECK(ring_add(&queue.ring, buffers, 5, 0, &token) == 0);
	CHECK(ring_add(&queue.ring, buffers, 4, 0, &token) == -ENOSPC);
	CHECK(ring_add(&queue.ring, buffers, 3, 0, &token) == 0);
	CHECK(ring_add(&queue.ring, buffers, 1, 0, &token) == -ENOSPC);
}

/* Long enough for both 16-bit indices to wrap around. */
static void test_virtqueue_wraps_around(void)
{
	int tokens[3];
	void *token;
	uint32_t bytes;

	start_queue();
	for (unsigned i = 0; i < 70000; i++) {
		unsigned count = 1 + i % 3;

		CHECK(ring_add(&queue.ring, buffers, 0, count, &tokens[i % 3]) == 0);
		device_finish(device_take(), count);
		CHECK(take(&token, &bytes) == 1 && token == &tokens[i % 3] && bytes == count);
	}
	CHECK(ring_add(&queue.ring, buffers, SIZE, 0, tokens) == 0);
}

static void test_virtqueue_catches_wrong_ids(void)
{
	static const uint32_t ids[] = {SIZE, UINT32_MAX, 65536, 3};
	int token;
	void *got;
	uint32_t bytes;

	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		start_queue();
		CHECK(ring_add(&queue.ring, buffers, 1, 1, &token) == 0);
		device_finish(ids[i], 0);
		CHECK(take(&got, &bytes) == -EIO);
	}
}

static void test_virtqueue_catches_double_finish(void)
{
	int token;
	void *got;
	uint32_t bytes;

	start_queue();
	CHECK(ring_add(&queue.ring, buffers, 1, 1, &token) == 0);
	CHECK(ring_add(&queue.ring, buffers, 1, 1, &token) == 0);
	device_finish(0, 0);
	device_finish(0, 0);
	CHECK(take(&got, &bytes) == 1);
	CHECK(take(&got, &bytes) == -EIO);
}

static void test_virtqueue_catches_wrong_lengths(void)
{
	int token;
	void *got;
	uint32_t bytes;

	start_queue();
	CHECK(ring_add(&queue.ring, buffers, 1, 2, &token) == 0);
	device_finish(0, 514);
	CHECK(take(&got, &bytes) == -EIO);
}

static void test_virtqueue_catches_wrong_index(void)
{
	uint16_t far = 2;
	int token;
	void *got;
	uint32_t bytes;

	start_queue();
	CHECK(ring_add(&queue.ring, buffers, 1, 0, &token) == 0);
	memcpy(queue.memory + RING_USED_OFFSET + 2, &far, 2);
	CHECK(take(&got, &bytes) == -EIO);
}

static void test_virtqueue_survives_a_scribbled_table(void)
{
	int a, b;
	void *token;
	uint32_t bytes;

	start_queue();
	CHECK(ring_add(&queue.ring, buffers, 3, 0, &a) == 0);
	memset(queue.memory, 0xff, SIZE * sizeof(struct desc));
	device_finish(0, 0);
	CHECK(take(&token, &bytes) == 1 && token == &a);
	CHECK(ring_add(&queue.ring, buffers, SIZE, 0, &b) == 0);
}

static void test_virtqueue_cancels_all(void)
{
	int a, b;
	void *first, *second;

	start_queue();
	CHECK(ring_add(&queue.ring, buffers, 2, 0, &a) == 0);
	CHECK(ring_add(&queue.ring, buffers, 2, 0, &b) == 0);
	first = ring_cancel(&queue.ring);
	second = ring_cancel(&queue.ring);
	CHECK((first == &a && second == &b) || (first == &b && second == &a));
	CHECK(ring_cancel(&queue.ring) == NULL);
	CHECK(ring_add(&queue.ring, buffers, SIZE, 0, &a) == 0);
}

static void test_virtqueue_heeds_the_notify_flag(void)
{
	uint16_t flag = 1;

	start_queue();
	CHECK(ring_wants_notify(&queue.ring));
	memcpy(queue.memory + RING_USED_OFFSET, &flag, 2);
	CHECK(!ring_wants_notify(&queue.ring));
}

const struct ktest ktests_virtqueue[] = {
	KTEST(test_virtqueue_offers_a_chain),
	KTEST(test_virtqueue_gives_tokens_back),
	KTEST(test_virtqueue_refuses_when_full),
	KTEST(test_virtqueue_wraps_around),
	KTEST(test_virtqueue_catches_wrong_ids),
	KTEST(test_virtqueue_catches_double_finish),
	KTEST(test_virtqueue_catches_wrong_lengths),
	KTEST(test_virtqueue_catches_wrong_index),
	KTEST(test_virtqueue_survives_a_scribbled_table),
	KTEST(test_virtqueue_cancels_all),
	KTEST(test_virtqueue_heeds_the_notify_flag),
	{0},
};
