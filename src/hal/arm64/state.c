/*
 * All state of the ARM64 machine that lasts; the guards of its fields are in arm64_priv.h.
 */
#include "hal/arm64/arm64_priv.h"

struct arm64 arm64;

_Static_assert(offsetof(struct arm64_cpu, fault_stack) == CPU_FAULT_STACK, "see layout.h");
_Static_assert(offsetof(struct arm64_cpu, stack) == CPU_STACK, "see layout.h");
_Static_assert(offsetof(struct hal_user, regs.sp) == USER_SP, "see layout.h");
_Static_assert(offsetof(struct hal_user, regs.pc) == USER_PC, "see layout.h");
_Static_assert(offsetof(struct hal_user, regs.pstate) == USER_PSTATE, "see layout.h");
_Static_assert(offsetof(struct hal_user, regs.orig_x0) == USER_ORIG_X0, "see layout.h");
_Static_assert(offsetof(struct hal_user, regs.syscall) == USER_SYSCALL, "see layout.h");
_Static_assert(offsetof(struct hal_user, regs.tpidr) == USER_TPIDR, "see layout.h");
_Static_assert(offsetof(struct hal_user, fpu) == USER_FPU, "see layout.h");
_Static_assert(STACK_BYTES == HAL_STACK_BYTES, "see layout.h");
