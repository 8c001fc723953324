/*
 * The conformance test's knowledge of ARM64 registers.
 */
#include "hal/conformance.h"

#define FRAGMENT(name)                                                                             \
	extern const char code_##name[], code_##name##_end[];                                      \
	const struct fragment fragment_##name = {code_##name, code_##name##_end}

FRAGMENT(syscall);
FRAGMENT(read);
FRAGMENT(write);
FRAGMENT(jump);
FRAGMENT(spin);
FRAGMENT(read_spin);
FRAGMENT(count);
FRAGMENT(illegal);
FRAGMENT(privileged);
FRAGMENT(breakpoint);
FRAGMENT(fpu);
FRAGMENT(mask_interrupts);
FRAGMENT(call_hypervisor);
FRAGMENT(call_firmware);
FRAGMENT(exception_return);
FRAGMENT(physical_counter);
FRAGMENT(set_timer);
FRAGMENT(cycle_counter);
FRAGMENT(identity);
FRAGMENT(scalable_vectors);
FRAGMENT(invalidate_tlb);
FRAGMENT(invalidate_cache);
FRAGMENT(exclusive);
FRAGMENT(misaligned_pc);

const struct arch_trap arch_traps[] = {
	{"mask interrupts", &fragment_mask_interrupts, HAL_TRAP_ILLEGAL},
	{"call the hypervisor", &fragment_call_hypervisor, HAL_TRAP_ILLEGAL},
	{"call the firmware", &fragment_call_firmware, HAL_TRAP_ILLEGAL},
	{"return from an exception", &fragment_exception_return, HAL_TRAP_ILLEGAL},
	{"read the physical counter", &fragment_physical_counter, HAL_TRAP_ILLEGAL},
	{"set the timer", &fragment_set_timer, HAL_TRAP_ILLEGAL},
	{"read the cycle counter", &fragment_cycle_counter, HAL_TRAP_ILLEGAL},
	{"read an identity register", &fragment_identity, HAL_TRAP_ILLEGAL},
	{"use scalable vectors", &fragment_scalable_vectors, HAL_TRAP_ILLEGAL},
	{"invalidate the TLB", &fragment_invalidate_tlb, HAL_TRAP_ILLEGAL},
	{"invalidate a cache line", &fragment_invalidate_cache, HAL_TRAP_ILLEGAL},
	{"misaligned exclusive load", &fragment_exclusive, HAL_TRAP_ALIGNMENT},
	{"misaligned pc", &fragment_misaligned_pc, HAL_TRAP_ALIGNMENT},
	{0},
};

#define FIRST_REGISTER 12 /* the fragments use those below */

void arch_set_args(struct hal_user *user, uint64_t a, uint64_t b)
{
	user->regs.x[0] = a;
	user->regs.x[1] = b;
}

size_t arch_fpu_bytes(void)
{
	return 32 * 16;
}

static uint64_t value_of(uint64_t seed, unsigned i)
{
	return (seed * 0x9e3779b97f4a7c15 + i * 0x0123456789abcd) & 0x7fffffffffff;
}

void arch_fill_registers(struct hal_user *user, uint64_t seed)
{
	for (unsigned i = FIRST_REGISTER; i < 31; i++)
		user->regs.x[i] = value_of(seed, i);
	user->regs.tpidr = value_of(seed, 31);
}

unsigned arch_wrong_registers(const struct hal_user *user, uint64_t seed)
{
	unsigned wrong = 0;

	for (unsigned i = FIRST_REGISTER; i < 31; i++)
		wrong += user->regs.x[i] != value_of(seed, i);
	return wrong + (user->regs.tpidr != value_of(seed, 31));
}
