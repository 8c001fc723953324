/*
 * The boot information of the Multiboot2 Specification, version 2.0, section 3.6.
 */
#ifndef HAL_COMMON_MULTIBOOT2_H
#define HAL_COMMON_MULTIBOOT2_H

#include "hal/common/boot_tables.h"

#define MULTIBOOT2_MAGIC 0x36d76289u /* in eax at entry */

/*
 * Reads the boot information at `addr` into `tables`, which is zeroed first. 0, or -EINVAL with
 * what is wrong in `why`: the table or a tag is cut off, or there is no memory map.
 */
HAL_USE_RESULT int multiboot2_parse(const struct phys_reader *reader, paddr_t addr,
				    struct boot_tables *tables, const char **why);

#endif
