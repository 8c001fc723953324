/*
 * The device side of virtio against a driver that lives in this file, with RAM, interrupt line and
 * model of its own: what is negotiated, what is taken from a queue, and what is refused.
 */
#include "hal/host/vdev.h"

#include "sim/sim_tests.h"

#include "hal/host/host_priv.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES 65536u
#define DESC_AT 0x1000u
#define AVAIL_AT 0x2000u
#define USED_AT 0x3000u
#define DATA_AT 0x8000u
#define QUEUE_SIZE 8u

enum { MAGIC, VERSION = 4, FEATURES = 0x10, FEATURES_SELECT = 0x14, TAKEN = 0x20,
       TAKEN_SELECT = 0x24, QUEUE = 0x30, SIZE_MAX_REG = 0x34, SIZE = 0x38, READY = 0x44,
       NOTIFY = 0x50, INTERRUPT = 0x60, ACK = 0x64, STATUS = 0x70, DESC = 0x80, AVAIL = 0x90,
       USED = 0xa0, GENERATION = 0xfc, CONFIG = 0x100 };

#define F_NEXT 1
#define F_WRITE 2

struct desc {
	uint64_t addr;
	uint32_t bytes;
	uint16_t flags, next;
};

static struct {
	_Alignas(4096) uint8_t ram[RAM_BYTES];
	struct vdev_device device;
	bool line;
	unsigned resets, notifies;
	uint16_t avail;
} test;

void *host_ram_find(paddr_t addr, uint64_t bytes)
{
	if (addr >= RAM_BYTES || bytes > RAM_BYTES - addr)
		return NULL;
	return &test.ram[addr];
}

void host_irq_set_line(unsigned irq, bool asserted)
{
	ck_assert_uint_eq(irq, 9);
	test.line = asserted;
}

void hal_dma_rmb(void)
{
}

void hal_dma_wmb(void)
{
}

static void notify(struct vdev_device *device, unsigned queue)
{
	ck_assert_ptr_eq(device, &test.device);
	ck_assert_uint_eq(queue, 0);
	test.notifies++;
}

static void reset(struct vdev_device *device)
{
	(void)device;
	test.resets++;
}

static const struct vdev_model model = {
	.name = "test",
	.id = VDEV_ID_ENTROPY,
	.queue_count = 1,
	.notify = notify,
	.reset = reset,
};

/* ---- The driver ---- */

static uint32_t get(unsigned offset)
{
	return (uint32_t)vdev_read(&test.device, offset, 4);
}

static void set(unsigned offset, uint32_t value)
{
	ck_assert(!vdev_write(&test.device, offset, 4, value));
}

static void begin(void)
{
	memset(&test, 0, sizeof(test));
	vdev_init(&test.device, &model, 9);
}

static void negotiate(uint64_t features)
{
	set(STATUS, 1 | 2);
	for (unsigned i = 0; i < 2; i++) {
		set(TAKEN_SELECT, i);
		set(TAKEN, (uint32_t)(features >> 32 * i));
	}
	set(STATUS, 1 | 2 | 8);
}

static void make_queue(uint32_t size, uint64_t desc, uint64_t avail, uint64_t used)
{
	set(QUEUE, 0);
	set(SIZE, size);
	set(DESC, (uint32_t)desc);
	set(DESC + 4, (uint32_t)(desc >> 32));
	set(AVAIL, (uint32_t)avail);
	set(AVAIL + 4, (uint32_t)(avail >> 32));
	set(USED, (uint32_t)used);
	set(USED + 4, (uint32_t)(used >> 32));
	set(READY, 1);
}

static void start(void)
{
	begin();
	negotiate(1ull << 32);
	make_queue(QUEUE_SIZE, DESC_AT, AVAIL_AT, USED_AT);
	set(STATUS, 1 | 2 | 8 | 4);
	ck_assert_uint_eq(get(STATUS), 15);
}

static void put_desc(unsigned i, uint64_t addr, uint32_t bytes, unsigned flags, unsigned next)
{
	struct desc *table = (struct desc *)&test.ram[DESC_AT];

	table[i] = (struct desc){addr, bytes, (uint16_t)flags, (uint16_t)next};
}

static void offer(unsigned head)
{
	uint16_t *avail = (uint16_t *)&test.ram[AVAIL_AT];

	avail[2 + test.avail++ % QUEUE_SIZE] = (uint16_t)head;
	avail[1] = test.avail;
}

static bool pop(struct vdev_chain *chain)
{
	return vdev_pop(&test.device, 0, chain);
}

static bool is_broken(void)
{
	return get(STATUS) & 64;
}

/* ---- Registers ---- */

START_TEST(test_vdev_names_itself)
{
	begin();
	ck_assert_uint_eq(get(MAGIC), 0x74726976);
	ck_assert_uint_eq(get(VERSION), 2);
	ck_assert_uint_eq(get(8), VDEV_ID_ENTROPY);
	ck_assert_uint_eq(get(SIZE_MAX_REG), VDEV_QUEUE_SIZE_MAX);
	set(QUEUE, 1);
	ck_assert_uint_eq(get(SIZE_MAX_REG), 0);
	set(FEATURES_SELECT, 1);
	ck_assert_uint_eq(get(FEATURES), 1);
	set(FEATURES_SELECT, 2);
	ck_assert_uint_eq(get(FEATURES), 0);
}
END_TEST

START_TEST(test_vdev_refuses_features_that_do_not_fit)
{
	begin();
	negotiate(0); /* without VERSION_1 */
	ck_assert_uint_eq(get(STATUS), 3);
	set(STATUS, 0);
	negotiate(1ull << 32 | 1); /* not offered */
	ck_assert_uint_eq(get(STATUS), 3);
	set(STATUS, 1 | 2 | 4); /* DRIVER_OK without FEATURES_OK */
	ck_assert_uint_eq(get(STATUS), 3);
	set(STATUS, 0);
	negotiate(1ull << 32);
	ck_assert_uint_eq(get(STATUS), 11);
	set(TAKEN_SELECT, 0);
	set(TAKEN, 1); /* too late to matter */
	set(STATUS, 15);
	ck_assert_uint_eq(get(STATUS), 15);
}
END_TEST

START_TEST(test_vdev_refuses_queues_outside_of_ram)
{
	static const struct {
		uint32_t size;
		uint64_t desc, avail, used;
	} bad[] = {
		{0, DESC_AT, AVAIL_AT, USED_AT},
		{3, DESC_AT, AVAIL_AT, USED_AT},
		{512, DESC_AT, AVAIL_AT, USED_AT},
		{0x10008, DESC_AT, AVAIL_AT, USED_AT},
		{8, DESC_AT + 8, AVAIL_AT, USED_AT},
		{8, DESC_AT, AVAIL_AT + 1, USED_AT},
		{8, DESC_AT, AVAIL_AT, USED_AT + 2},
		{8, RAM_BYTES - 64, AVAIL_AT, USED_AT},
		{8, DESC_AT, RAM_BYTES - 8, USED_AT},
		{8, DESC_AT, AVAIL_AT, RAM_BYTES - 8},
		{8, UINT64_MAX - 15, AVAIL_AT, USED_AT},
		{8, DESC_AT, 1ull << 40, USED_AT},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		negotiate(1ull << 32);
		make_queue(bad[i].size, bad[i].desc, bad[i].avail, bad[i].used);
		ck_assert_uint_eq(get(READY), 0);
		ck_assert(is_broken());
		set(STATUS, 0);
		ck_assert_uint_eq(get(STATUS), 0);
	}
}
END_TEST

START_TEST(test_vdev_reset_forgets_all)
{
	struct vdev_chain chain;

	start();
	put_desc(0, DATA_AT, 16, F_WRITE, 0);
	offer(0);
	ck_assert(vdev_write(&test.device, NOTIFY, 4, 0));
	set(STATUS, 0);
	ck_assert_uint_eq(test.resets, 1);
	ck_assert_uint_eq(get(READY), 0);
	ck_assert(!test.line);
	vdev_serve(&test.device);
	ck_assert_uint_eq(test.notifies, 0);
	ck_assert(!pop(&chain));
}
END_TEST

START_TEST(test_vdev_config_is_bounded)
{
	begin();
	test.device.config_bytes = 6;
	memcpy(test.device.config, "abcdefgh", 8);
	ck_assert_uint_eq(vdev_read(&test.device, CONFIG + 4, 2), 'e' | 'f' << 8);
	ck_assert_uint_eq(vdev_read(&test.device, CONFIG + 5, 1), 'f');
	ck_assert_uint_eq(vdev_read(&test.device, CONFIG + 5, 2), 0);
	ck_assert_uint_eq(vdev_read(&test.device, CONFIG + 0xe00, 8), 0);
	vdev_config_changed(&test.device);
	ck_assert_uint_eq(get(GENERATION), 1);
	ck_assert(!test.line); /* no driver yet */
}
END_TEST

/* ---- Queues ---- */

START_TEST(test_vdev_takes_chains_in_order)
{
	struct vdev_chain chain;

	start();
	put_desc(3, DATA_AT, 10, F_NEXT, 5);
	put_desc(5, DATA_AT + 100, 20, F_NEXT | F_WRITE, 1);
	put_desc(1, DATA_AT + 200, 30, F_WRITE, 0);
	put_desc(2, DATA_AT + 300, 40, 0, 0);
	offer(3);
	offer(2);
	ck_assert(pop(&chain));
	ck_assert_uint_eq(chain.head, 3);
	ck_assert_uint_eq(chain.out_count, 1);
	ck_assert_uint_eq(chain.in_count, 2);
	ck_assert_uint_eq(chain.out_bytes, 10);
	ck_assert_uint_eq(chain.in_bytes, 50);
	ck_assert_ptr_eq(chain.segments[2].data, &test.ram[DATA_AT + 200]);
	ck_assert(pop(&chain));
	ck_assert_uint_eq(chain.head, 2);
	ck_assert(!pop(&chain));
	ck_assert(!is_broken());
}
END_TEST

START_TEST(test_vdev_copies_across_segments)
{
	struct vdev_chain chain;
	char text[32] = "";

	start();
	put_desc(0, DATA_AT, 3, F_NEXT, 1);
	put_desc(1, DATA_AT + 50, 5, F_NEXT, 2);
	put_desc(2, DATA_AT + 100, 2, F_NEXT | F_WRITE, 3);
	put_desc(3, DATA_AT + 150, 4, F_WRITE, 0);
	memcpy(&test.ram[DATA_AT], "abc", 3);
	memcpy(&test.ram[DATA_AT + 50], "defgh", 5);
	offer(0);
	ck_assert(pop(&chain));
	ck_assert_uint_eq(vdev_copy_out(&chain, 2, text, 3), 3);
	ck_assert_str_eq(text, "cde");
	ck_assert_uint_eq(vdev_copy_out(&chain, 6, text, 30), 2);
	ck_assert_uint_eq(vdev_copy_out(&chain, 8, text, 30), 0);
	ck_assert_uint_eq(vdev_copy_in(&chain, 1, "12345678", 8), 5);
	ck_assert_mem_eq(&test.ram[DATA_AT + 100], "\0001", 2);
	ck_assert_mem_eq(&test.ram[DATA_AT + 150], "2345", 5);
}
END_TEST

START_TEST(test_vdev_gives_chains_back_with_an_interrupt)
{
	const uint16_t *used = (uint16_t *)&test.ram[USED_AT];
	struct vdev_chain chain;

	start();
	for (unsigned i = 0; i < 3 * QUEUE_SIZE; i++) {
		const uint32_t *entry = (const uint32_t *)(used + 2) + 2 * (i % QUEUE_SIZE);

		put_desc(i % 4, DATA_AT, 16, F_WRITE, 0);
		offer(i % 4);
		ck_assert(pop(&chain));
		vdev_push(&test.device, &chain, 7);
		ck_assert_uint_eq(used[1], i + 1);
		ck_assert_uint_eq(entry[0], i % 4);
		ck_assert_uint_eq(entry[1], 7);
		ck_assert(test.line);
		ck_assert_uint_eq(get(INTERRUPT), 1);
		set(ACK, 1);
		ck_assert(!test.line);
	}
	test.ram[AVAIL_AT] = 1; /* NO_INTERRUPT */
	put_desc(0, DATA_AT, 16, F_WRITE, 0);
	offer(0);
	ck_assert(pop(&chain));
	vdev_push(&test.device, &chain, 1);
	ck_assert(!test.line);
}
END_TEST

START_TEST(test_vdev_broken_chains_ask_for_a_reset)
{
	struct vdev_chain chain;

	for (unsigned kind = 0; kind < 9; kind++) {
		start();
		put_desc(0, DATA_AT, 16, 0, 0);
		switch (kind) {
		case 0: /* a circle */
			put_desc(0, DATA_AT, 16, F_NEXT, 0);
			break;
		case 1: /* outside of RAM */
			put_desc(0, RAM_BYTES - 8, 16, 0, 0);
			break;
		case 2:
			put_desc(0, UINT64_MAX - 4, 16, F_WRITE, 0);
			break;
		case 3: /* a next that the table has not */
			put_desc(0, DATA_AT, 16, F_NEXT, QUEUE_SIZE);
			break;
		case 4: /* to be read behind to be written */
			put_desc(0, DATA_AT, 16, F_NEXT | F_WRITE, 1);
			put_desc(1, DATA_AT, 16, 0, 0);
			break;
		case 5: /* empty */
			put_desc(0, DATA_AT, 0, 0, 0);
			break;
		case 6: /* indirect, which was not offered */
			put_desc(0, DATA_AT, 16, 4, 0);
			break;
		case 7: /* more than the queue holds */
			((uint16_t *)&test.ram[AVAIL_AT])[1] = QUEUE_SIZE + 1;
			break;
		default: /* longer than a chain may be */
			put_desc(0, 0, RAM_BYTES, F_NEXT, 0);
			break;
		}
		if (kind == 7)
			ck_assert(!pop(&chain));
		else
			offer(0);
		ck_assert(!pop(&chain));
		ck_assert(is_broken());
		ck_assert(test.line);
		ck_assert(!vdev_has_chain(&test.device, 0));
		set(STATUS, 0);
		ck_assert(!is_broken());
	}
}
END_TEST

START_TEST(test_vdev_head_outside_of_the_table_is_broken)
{
	struct vdev_chain chain;

	start();
	offer(QUEUE_SIZE);
	ck_assert(!pop(&chain));
	ck_assert(is_broken());
}
END_TEST

START_TEST(test_vdev_does_not_push_after_a_reset)
{
	struct vdev_chain chain;

	start();
	put_desc(0, DATA_AT, 16, F_WRITE, 0);
	offer(0);
	ck_assert(pop(&chain));
	set(STATUS, 0);
	vdev_push(&test.device, &chain, 16);
	ck_assert_uint_eq(((uint16_t *)&test.ram[USED_AT])[1], 0);
	ck_assert(!test.line);
}
END_TEST

START_TEST(test_vdev_bad_notify_is_nothing)
{
	start();
	ck_assert(!vdev_write(&test.device, NOTIFY, 4, 7));
	ck_assert(vdev_write(&test.device, NOTIFY, 4, 0));
	vdev_serve(&test.device);
	vdev_serve(&test.device);
	ck_assert_uint_eq(test.notifies, 1);
}
END_TEST

TCase *vdev_tests(void)
{
	TCase *tests = tcase_create("vdev");

	tcase_add_test(tests, test_vdev_names_itself);
	tcase_add_test(tests, test_vdev_refuses_features_that_do_not_fit);
	tcase_add_test(tests, test_vdev_refuses_queues_outside_of_ram);
	tcase_add_test(tests, test_vdev_reset_forgets_all);
	tcase_add_test(tests, test_vdev_config_is_bounded);
	tcase_add_test(tests, test_vdev_takes_chains_in_order);
	tcase_add_test(tests, test_vdev_copies_across_segments);
	tcase_add_test(tests, test_vdev_gives_chains_back_with_an_interrupt);
	tcase_add_test(tests, test_vdev_broken_chains_ask_for_a_reset);
	tcase_add_test(tests, test_vdev_head_outside_of_the_table_is_broken);
	tcase_add_test(tests, test_vdev_does_not_push_after_a_reset);
	tcase_add_test(tests, test_vdev_bad_notify_is_nothing);
	return tests;
}
