/*
 * A map of usable RAM: page-aligned ranges, ascending, not touching. Pure; for boot code.
 */
#ifndef HAL_COMMON_RAM_H
#define HAL_COMMON_RAM_H

#include "hal/boot.h"

struct ram_map {
	struct hal_range ranges[HAL_RAM_RANGES_MAX];
	unsigned count;
	uint64_t dropped_bytes; /* of ranges for which there was no room: the smallest */
};

/* Adds whole pages inside [base, base + bytes); they may overlap what is there. */
void ram_map_add(struct ram_map *map, paddr_t base, uint64_t bytes);

/* Removes all pages that touch [base, base + bytes). */
void ram_map_remove(struct ram_map *map, paddr_t base, uint64_t bytes);

/*
 * Takes `bytes` (of pages), aligned to `align`, from the highest place that ends at or below
 * `limit`. Its address, or 0 if there is none.
 */
paddr_t ram_map_take(struct ram_map *map, uint64_t bytes, uint64_t align, paddr_t limit);

/* Whether all of it lies in the map. */
bool ram_map_covers(const struct ram_map *map, paddr_t base, uint64_t bytes);
bool ram_map_overlaps(const struct ram_map *map, paddr_t base, uint64_t bytes);
uint64_t ram_map_bytes(const struct ram_map *map);

#endif
