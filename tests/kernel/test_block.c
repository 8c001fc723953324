/*
 * Disks through the block seam. A test that needs a disk says so where there is none. What is on
 * the disk is put back.
 */
#include "core/page.h"
#include "services/drivers/block.h"
#include "tests/kernel/ktest.h"

static struct block_request one_page(enum block_operation operation, uint64_t sector,
				     const struct page *page)
{
	struct block_request request = {
		.operation = operation,
		.sectors = PAGE_SIZE / BLOCK_SECTOR_BYTES,
		.sector = sector,
		.page_count = 1,
		.pages = {page_to_phys(page)},
	};

	return request;
}

/* Writes a pattern to the first page of the disk, reads it back, and puts back what was there. */
static void write_and_read(struct block_device *disk, struct page *was, struct page *page)
{
	struct block_request flush = {.operation = BLOCK_FLUSH};
	struct block_request request = one_page(BLOCK_READ, 0, was);
	uint32_t *words = page_to_virt(page);

	CHECK(block_do(disk, &request) == 0);
	for (size_t i = 0; i < PAGE_SIZE / 4; i++)
		words[i] = (uint32_t)(i * 2654435761u);
	request = one_page(BLOCK_WRITE, 0, page);
	CHECK(block_do(disk, &request) == 0);
	CHECK(block_do(disk, &flush) == 0);
	memset(words, 0, PAGE_SIZE);
	request = one_page(BLOCK_READ, 0, page);
	EXPECT(block_do(disk, &request) == 0);
	for (size_t i = 0; i < PAGE_SIZE / 4; i++)
		EXPECT(words[i] == (uint32_t)(i * 2654435761u));
	request = one_page(BLOCK_WRITE, 0, was);
	EXPECT(block_do(disk, &request) == 0);
}

static void test_block_reads_what_was_written(void)
{
	struct block_device *disk = block_find(0);
	struct page *was, *page;

	if (!disk || disk->read_only || disk->sectors < PAGE_SIZE / BLOCK_SECTOR_BYTES) {
		ktest_skip("needs a disk that can be written");
		return;
	}
	was = page_alloc_zeroed(0);
	page = page_alloc_zeroed(0);
	if (was && page)
		write_and_read(disk, was, page);
	if (was)
		page_put(was);
	if (page)
		page_put(page);
}

static int refuse_all(struct block_device *device, const struct block_request *request)
{
	(void)device;
	(void)request;
	return -EIO;
}

static void test_block_refuses_wrong_requests(void)
{
	struct block_device disk = {.sectors = 100, .pages_max = 2, .run = refuse_all};
	struct block_request request = {.operation = BLOCK_READ, .sectors = 8, .page_count = 1};

	CHECK(block_do(&disk, &request) == -EIO);
	request.sector = 93;
	CHECK(block_do(&disk, &request) == -ERANGE);
	request.sector = UINT64_MAX;
	CHECK(block_do(&disk, &request) == -ERANGE);
	request.sector = 0;
	request.pages[0] = 512;
	CHECK(block_do(&disk, &request) == -EINVAL);
	request.pages[0] = 0;
	request.page_count = 2;
	CHECK(block_do(&disk, &request) == -EINVAL);
	request.page_count = 3;
	request.sectors = 24;
	CHECK(block_do(&disk, &request) == -EINVAL);
	request.operation = 7;
	CHECK(block_do(&disk, &request) == -EINVAL);
}

static void test_block_refuses_writes_to_a_read_only_disk(void)
{
	struct block_device disk = {
		.sectors = 100, .pages_max = 2, .read_only = true, .run = refuse_all};
	struct block_request request = {.operation = BLOCK_WRITE, .sectors = 8, .page_count = 1};

	CHECK(block_do(&disk, &request) == -EROFS);
	request.operation = BLOCK_READ;
	CHECK(block_do(&disk, &request) == -EIO);
}

const struct ktest ktests_block[] = {
	KTEST_MACHINE(test_block_reads_what_was_written),
	KTEST_MACHINE(test_block_refuses_wrong_requests),
	KTEST_MACHINE(test_block_refuses_writes_to_a_read_only_disk),
	{0},
};
