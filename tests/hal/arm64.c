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

const struct arch_trap arch_traps[] = {
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
