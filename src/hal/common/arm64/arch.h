/*
 * The user-mode state of a thread on ARM64 (AArch64). Chosen by configure as hal/arch.h.
 */
#ifndef HAL_ARCH_H
#define HAL_ARCH_H

#include "hal/types.h"

#define HAL_ARCH_NAME "aarch64"
#define HAL_ARCH_ARM64 1

/* User pages lie in [HAL_USER_MIN, HAL_USER_MAX): 48-bit addresses of TTBR0. */
#define HAL_USER_MIN ((vaddr_t)0x10000)
#define HAL_USER_MAX ((vaddr_t)0xfffffffff000)

/* v0..v31 of 16 bytes, then FPSR and FPCR of 4 bytes each, padded. */
#define HAL_FPU_BYTES 528

/* The first 34 words are in the order of struct user_pt_regs (ptrace(2) NT_PRSTATUS). */
struct hal_regs {
	uint64_t x[31];
	uint64_t sp, pc, pstate;
	uint64_t orig_x0;  /* x0 as it was at the system call */
	uint64_t syscall;  /* x8 at the system call; -1 where the last event was none */
	uint64_t tpidr;	   /* TPIDR_EL0 */
};

struct hal_user {
	struct hal_regs regs;
	uint64_t machine[8]; /* the machine's own; zero at hal_user_init() */
	uint8_t fpu[HAL_FPU_BYTES] __attribute__((aligned(16)));
};

static inline vaddr_t hal_user_pc(const struct hal_user *user)
{
	return user->regs.pc;
}

static inline void hal_user_set_pc(struct hal_user *user, vaddr_t pc)
{
	user->regs.pc = pc;
}

static inline vaddr_t hal_user_sp(const struct hal_user *user)
{
	return user->regs.sp;
}

static inline void hal_user_set_sp(struct hal_user *user, vaddr_t sp)
{
	user->regs.sp = sp;
}

static inline uint64_t hal_user_tls(const struct hal_user *user)
{
	return user->regs.tpidr;
}

static inline void hal_user_set_tls(struct hal_user *user, uint64_t base)
{
	user->regs.tpidr = base;
}

static inline uint64_t hal_user_syscall(const struct hal_user *user)
{
	return user->regs.syscall;
}

/* The i-th argument of a system call, i = 0..5 (syscall(2), "Architecture calling conventions"). */
static inline uint64_t hal_user_arg(const struct hal_user *user, unsigned i)
{
	return i == 0 ? user->regs.orig_x0 : user->regs.x[i];
}

static inline uint64_t hal_user_result(const struct hal_user *user)
{
	return user->regs.x[0];
}

static inline void hal_user_set_result(struct hal_user *user, uint64_t value)
{
	user->regs.x[0] = value;
}

/* Steps back onto the system call instruction, with its first argument: it is made again. */
static inline void hal_user_restart(struct hal_user *user)
{
	user->regs.x[0] = user->regs.orig_x0;
	user->regs.pc -= 4;
}

#endif
