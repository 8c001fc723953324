/*
 * The disks that drivers have registered, and the checks that each request passes.
 *
 * State: struct blocks, written by drivers while services start, one at a time, and read by all.
 */
#include "services/drivers/block.h"

#include "core/klib.h"
#include "core/page.h"
#include "core/trace.h"

static struct {
	struct block_device *devices[BLOCK_DEVICES_MAX];
	_Atomic unsigned count;
} blocks;

int block_register(struct block_device *device)
{
	unsigned index = atomic_load(&blocks.count);

	if (index == BLOCK_DEVICES_MAX)
		return -ENOSPC;
	str_format(device->name, sizeof(device->name), "disk%u", index);
	blocks.devices[index] = device;
	atomic_store(&blocks.count, index + 1);
	return 0;
}

struct block_device *block_find(unsigned index)
{
	return index < atomic_load(&blocks.count) ? blocks.devices[index] : NULL;
}

static int check_request(const struct block_device *device, const struct block_request *request)
{
	uint64_t bytes = (uint64_t)request->sectors * BLOCK_SECTOR_BYTES;

	if (request->operation == BLOCK_FLUSH)
		return request->sectors || request->page_count ? -EINVAL : 0;
	if (request->operation != BLOCK_READ && request->operation != BLOCK_WRITE)
		return -EINVAL;
	if (request->sectors == 0 || request->page_count > device->pages_max ||
	    request->page_count != (bytes + PAGE_SIZE - 1) / PAGE_SIZE)
		return -EINVAL;
	for (unsigned i = 0; i < request->page_count; i++) {
		if (request->pages[i] & (PAGE_SIZE - 1))
			return -EINVAL;
	}
	if (request->sector >= device->sectors ||
	    request->sectors > device->sectors - request->sector)
		return -ERANGE;
	return request->operation == BLOCK_WRITE && device->read_only ? -EROFS : 0;
}

int block_do(struct block_device *device, const struct block_request *request)
{
	int err = check_request(device, request);

	if (err)
		return err;
	trace_event(TRACE_BLOCK, request->sector, (uint64_t)request->sectors * BLOCK_SECTOR_BYTES);
	return device->run(device, request);
}
