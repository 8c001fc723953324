/*
 * Running user code: one call serves every machine.
 *
 * struct hal_user (hal/common/<arch>/arch.h) is the whole user-mode state of a thread. Its general
 * registers are valid whenever the kernel looks; the FPU part after hal_user_sync(). The layout
 * depends on the user's instruction set alone, so that the same Linux ABI code serves the host
 * machine and the hardware of that instruction set.
 *
 * The inline accessors of arch.h, which every instruction set has:
 *   hal_user_pc, hal_user_set_pc, hal_user_sp, hal_user_set_sp, hal_user_tls, hal_user_set_tls,
 *   hal_user_syscall (the number), hal_user_arg (i = 0..5), hal_user_set_result,
 *   hal_user_result, hal_user_restart (steps back onto the system call instruction).
 */
#ifndef HAL_USER_H
#define HAL_USER_H

#include "hal/types.h"

#include "hal/arch.h"
#include "hal/machine.h"

enum hal_event_kind {
	HAL_EVENT_INTERRUPT, /* an interrupt is pending; user code may go on where it was */
	HAL_EVENT_SYSCALL,   /* number and arguments are in the registers; pc is behind the call */
	HAL_EVENT_FAULT,     /* a page that is not mapped, or not with this right */
	HAL_EVENT_TRAP,      /* any other exception; pc is at (breakpoint: behind) what did it */
};

enum hal_trap {
	HAL_TRAP_NONE,
	HAL_TRAP_ILLEGAL,    /* undefined or privileged instruction */
	HAL_TRAP_BREAKPOINT, /* int3, brk */
	HAL_TRAP_STEP,       /* single step, hardware breakpoint */
	HAL_TRAP_DIVIDE,
	HAL_TRAP_FPU,	     /* unmasked floating-point exception */
	HAL_TRAP_ALIGNMENT,
	HAL_TRAP_PROTECTION, /* a bad address, but no page fault (non-canonical, segment) */
	HAL_TRAP_FOREIGN,    /* system call of another ABI (int 0x80, sysenter, svc from aarch32) */
	HAL_TRAP_MACHINE,    /* the machine cannot go on with this user code; it must end */
};

struct hal_event {
	enum hal_event_kind kind;
	enum hal_trap trap; /* HAL_EVENT_TRAP */
	unsigned access;    /* HAL_EVENT_FAULT: the HAL_PROT_* that was tried, one bit */
	vaddr_t addr;	    /* HAL_EVENT_FAULT: what was touched; HAL_EVENT_TRAP: if known, or 0 */
};

/* Fills `user` for a start at `pc` with stack pointer `sp`; all else is zero or as the ABI says. */
void hal_user_init(struct hal_user *user, vaddr_t pc, vaddr_t sp);

/*
 * Makes `copy` a copy of `user` as after fork: registers and FPU. Neither runs.
 */
void hal_user_copy(struct hal_user *copy, struct hal_user *user);

/* Brings the FPU state of `user`, which does not run, into the struct. */
void hal_user_sync(struct hal_user *user);

/* Tells the machine that `user`, which does not run, has come to its end. */
void hal_user_fini(struct hal_user *user);

/*
 * Runs user code in `mmu` with `user`'s registers on this CPU until it stops, and says why in
 * `event`. Called with interrupts disabled; returns with interrupts disabled, at once with
 * HAL_EVENT_INTERRUPT when one is pending. Register values that user code may not have (a
 * kernel-mode flag, a non-canonical pc) never harm the machine: they are masked, or come back as a
 * trap. At most one CPU runs a given `user`; several may run in one `mmu`.
 */
void hal_user_run(struct hal_mmu *mmu, struct hal_user *user, struct hal_event *event);

#endif
