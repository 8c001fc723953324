/*
 * The map of usable RAM that boot code works on until the kernel takes it over. A sorted array;
 * when it is full, the smallest range is dropped and counted, so that a hostile memory map costs
 * memory and nothing else. No lock: used by the boot CPU before there are others.
 *
 * Invariants: 1. ranges are page-aligned, not empty, and do not wrap. 2. each starts behind the
 * end of the one before it.
 */
#include "hal/common/ram.h"

#include "hal/base.h"

static paddr_t range_end(const struct hal_range *range)
{
	return range->base + range->bytes;
}

static void delete_range(struct ram_map *map, unsigned i)
{
	map->count--;
	memmove(&map->ranges[i], &map->ranges[i + 1],
		(map->count - i) * sizeof(map->ranges[0]));
}

static void insert_range(struct ram_map *map, unsigned at, struct hal_range range)
{
	if (map->count == HAL_RAM_RANGES_MAX) {
		unsigned least = 0;

		for (unsigned i = 1; i < map->count; i++)
			if (map->ranges[i].bytes < map->ranges[least].bytes)
				least = i;
		if (map->ranges[least].bytes >= range.bytes) {
			map->dropped_bytes += range.bytes;
			return;
		}
		map->dropped_bytes += map->ranges[least].bytes;
		delete_range(map, least);
		if (least < at)
			at--;
	}
	memmove(&map->ranges[at + 1], &map->ranges[at],
		(map->count - at) * sizeof(map->ranges[0]));
	map->ranges[at] = range;
	map->count++;
}

void ram_map_add(struct ram_map *map, paddr_t base, uint64_t bytes)
{
	paddr_t end = bytes > UINT64_MAX - base ? UINT64_MAX : base + bytes;
	unsigned i = 0;

	end = ALIGN_DOWN(end, HAL_PAGE_SIZE);
	if (base > UINT64_MAX - HAL_PAGE_SIZE)
		return;
	base = ALIGN_UP(base, HAL_PAGE_SIZE);
	if (base >= end)
		return;
	while (i < map->count && range_end(&map->ranges[i]) < base)
		i++;
	/* Swallow all that touch the new one. */
	while (i < map->count && map->ranges[i].base <= end) {
		base = MIN(base, map->ranges[i].base);
		end = MAX(end, range_end(&map->ranges[i]));
		delete_range(map, i);
	}
	insert_range(map, i, (struct hal_range){base, end - base});
}

void ram_map_remove(struct ram_map *map, paddr_t base, uint64_t bytes)
{
	paddr_t end = bytes > UINT64_MAX - base ? UINT64_MAX : base + bytes;

	if (!bytes)
		return;
	base = ALIGN_DOWN(base, HAL_PAGE_SIZE);
	end = end > UINT64_MAX - HAL_PAGE_SIZE ? ALIGN_DOWN(UINT64_MAX, HAL_PAGE_SIZE)
					       : ALIGN_UP(end, HAL_PAGE_SIZE);
	for (unsigned i = 0; i < map->count;) {
		struct hal_range range = map->ranges[i];
		paddr_t old_end = range_end(&range);

		if (old_end <= base || range.base >= end) {
			i++;
			continue;
		}
		delete_range(map, i);
		if (old_end > end)
			insert_range(map, i, (struct hal_range){end, old_end - end});
		if (range.base < base)
			insert_range(map, i, (struct hal_range){range.base, base - range.base});
		i = 0; /* the pieces may have pushed others out */
	}
}

paddr_t ram_map_take(struct ram_map *map, uint64_t bytes, uint64_t align, paddr_t limit)
{
	bytes = ALIGN_UP(bytes, (uint64_t)HAL_PAGE_SIZE);
	for (unsigned i = map->count; i-- > 0;) {
		paddr_t end = MIN(range_end(&map->ranges[i]), limit), at;

		if (end < bytes)
			continue;
		at = ALIGN_DOWN(end - bytes, align);
		if (at < map->ranges[i].base || !at)
			continue;
		ram_map_remove(map, at, bytes);
		return at;
	}
	return 0;
}

bool ram_map_overlaps(const struct ram_map *map, paddr_t base, uint64_t bytes)
{
	paddr_t end = bytes > UINT64_MAX - base ? UINT64_MAX : base + bytes;

	for (unsigned i = 0; i < map->count; i++)
		if (map->ranges[i].base < end && range_end(&map->ranges[i]) > base)
			return true;
	return false;
}

bool ram_map_covers(const struct ram_map *map, paddr_t base, uint64_t bytes)
{
	for (unsigned i = 0; i < map->count; i++)
		if (base >= map->ranges[i].base && base <= range_end(&map->ranges[i]) &&
		    bytes <= range_end(&map->ranges[i]) - base)
			return true;
	return false;
}

uint64_t ram_map_bytes(const struct ram_map *map)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < map->count; i++)
		sum += map->ranges[i].bytes;
	return sum;
}
