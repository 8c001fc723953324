/*
 * The start info of the PVH boot protocol (Xen, public/arch-x86/hvm/start_info.h).
 */
#ifndef HAL_COMMON_PVH_H
#define HAL_COMMON_PVH_H

#include "hal/common/boot_tables.h"

/* Whether a PVH start info lies at `addr`. */
bool pvh_probe(const struct phys_reader *reader, paddr_t addr);

/*
 * Reads the start info at `addr` into `tables`, which is zeroed first. 0, or -EINVAL with what is
 * wrong in `why`: the table is cut off or has no memory map.
 */
HAL_USE_RESULT int pvh_parse(const struct phys_reader *reader, paddr_t addr,
			     struct boot_tables *tables, const char **why);

#endif
