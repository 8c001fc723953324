/*
 * Attacks on ARM64: nothing of the machine lies in a user address space, so all of it is reads,
 * writes and jumps outside.
 */
#include "hal/hostile.h"

const vaddr_t hostile_addresses[] = {
	HAL_USER_MAX,
	0x1000000000000,
	0x8000000000000000,
	HAL_DIRECT_MAP_BASE,
	(vaddr_t)&hostile_addresses,
	~(vaddr_t)0xfff,
	~(vaddr_t)0,
	0,
};
const vaddr_t hostile_code;
const vaddr_t hostile_area = HAL_USER_MAX;
const unsigned hostile_register_sets = 1;

extern const char code_write[], code_write_end[];
const struct fragment fragment_forge = {code_write, code_write_end};

void hostile_set_registers(struct hal_user *user, unsigned set)
{
	arch_fill_registers(user, set);
}
