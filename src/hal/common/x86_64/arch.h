/*
 * The user-mode state of a thread on x86_64: the same on the host machine and on hardware.
 * Chosen by configure as hal/arch.h.
 */
#ifndef HAL_ARCH_H
#define HAL_ARCH_H

#include "hal/types.h"

#define HAL_ARCH_NAME "x86_64"
#define HAL_ARCH_X86_64 1

/* User pages lie in [HAL_USER_MIN, HAL_USER_MAX). The host machine's stub lives above. */
#define HAL_USER_MIN ((vaddr_t)0x10000)
#define HAL_USER_MAX ((vaddr_t)0x7fffc0000000)

/* XSAVE area, standard format (Intel SDM vol. 1, 13.4): x87, SSE, AVX, AVX-512 and PKRU. */
#define HAL_FPU_BYTES 2816

/* Order: as in the user-visible struct of ptrace(2) PTRACE_GETREGS, so that nothing is shuffled. */
struct hal_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax; /* system call number; -1 where the last event was none */
	uint64_t rip, cs, rflags, rsp, ss;
	uint64_t fs_base, gs_base;
	uint64_t ds, es, fs, gs;
};

struct hal_user {
	struct hal_regs regs;
	uint64_t machine[8]; /* the machine's own; zero at hal_user_init() */
	uint8_t fpu[HAL_FPU_BYTES] __attribute__((aligned(64)));
};

static inline vaddr_t hal_user_pc(const struct hal_user *user)
{
	return user->regs.rip;
}

static inline void hal_user_set_pc(struct hal_user *user, vaddr_t pc)
{
	user->regs.rip = pc;
}

static inline vaddr_t hal_user_sp(const struct hal_user *user)
{
	return user->regs.rsp;
}

static inline void hal_user_set_sp(struct hal_user *user, vaddr_t sp)
{
	user->regs.rsp = sp;
}

static inline uint64_t hal_user_tls(const struct hal_user *user)
{
	return user->regs.fs_base;
}

static inline void hal_user_set_tls(struct hal_user *user, uint64_t base)
{
	user->regs.fs_base = base;
}

static inline uint64_t hal_user_syscall(const struct hal_user *user)
{
	return user->regs.orig_rax;
}

/* The i-th argument of a system call, i = 0..5 (syscall(2), "Architecture calling conventions"). */
static inline uint64_t hal_user_arg(const struct hal_user *user, unsigned i)
{
	const struct hal_regs *r = &user->regs;
	const uint64_t args[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};

	return args[i];
}

static inline uint64_t hal_user_result(const struct hal_user *user)
{
	return user->regs.rax;
}

static inline void hal_user_set_result(struct hal_user *user, uint64_t value)
{
	user->regs.rax = value;
}

/* Steps back onto the system call instruction, with its number, so that it is made again. */
static inline void hal_user_restart(struct hal_user *user)
{
	user->regs.rax = user->regs.orig_rax;
	user->regs.rip -= 2;
}

#endif
