/*
 * The conformance test's knowledge of x86_64 registers.
 */
#include "hal/conformance.h"

#define FRAGMENT(name)                                                                             \
	extern const char code_##name[], code_##name##_end[];                                      \
	const struct fragment fragment_##name = {code_##name, code_##name##_end}

#define FRAGMENT_OWN(name)                                                                         \
	extern const char code_##name[], code_##name##_end[];                                      \
	static const struct fragment fragment_##name = {code_##name, code_##name##_end}

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
FRAGMENT_OWN(int80);
FRAGMENT_OWN(divide);
FRAGMENT_OWN(noncanonical);
FRAGMENT_OWN(fpu_exception);
FRAGMENT_OWN(step);

const struct arch_trap arch_traps[] = {
	{"int 0x80", &fragment_int80, HAL_TRAP_FOREIGN},
	{"division by zero", &fragment_divide, HAL_TRAP_DIVIDE},
	{"non-canonical address", &fragment_noncanonical, HAL_TRAP_PROTECTION},
	{"unmasked x87 exception", &fragment_fpu_exception, HAL_TRAP_FPU},
	{"trap flag", &fragment_step, HAL_TRAP_STEP},
	{0},
};

/* Where each register that survives a system call lies; the two arguments and rsp are not among
 * them. */
static uint64_t *register_at(struct hal_regs *r, unsigned i)
{
	uint64_t *const all[] = {&r->r15, &r->r14, &r->r13, &r->r12, &r->rbp, &r->rbx,
				 &r->r10, &r->r9,  &r->r8,  &r->rdx, &r->fs_base};

	return i < ARRAY_COUNT(all) ? all[i] : NULL;
}

void arch_set_args(struct hal_user *user, uint64_t a, uint64_t b)
{
	user->regs.rdi = a;
	user->regs.rsi = b;
}

size_t arch_fpu_bytes(void)
{
	return 16 * 16 + 8;
}

static uint64_t value_of(uint64_t seed, unsigned i)
{
	return (seed * 0x9e3779b97f4a7c15 + i * 0x0123456789abcd) & 0x7fffffffffff;
}

void arch_fill_registers(struct hal_user *user, uint64_t seed)
{
	for (unsigned i = 0; register_at(&user->regs, i); i++)
		*register_at(&user->regs, i) = value_of(seed, i);
}

unsigned arch_wrong_registers(const struct hal_user *user, uint64_t seed)
{
	struct hal_regs regs = user->regs;
	unsigned wrong = 0;

	for (unsigned i = 0; register_at(&regs, i); i++)
		wrong += *register_at(&regs, i) != value_of(seed, i);
	return wrong;
}
