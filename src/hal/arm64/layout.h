/*
 * Numbers that assembly and C share: page table bits, system register values, and offsets in the
 * structs of machine_priv.h, which asserts them.
 */
#ifndef HAL_ARM64_LAYOUT_H
#define HAL_ARM64_LAYOUT_H

#define STACK_BYTES 32768 /* HAL_STACK_BYTES */

/* MAIR_EL1: memory kinds by index. */
#define MAIR_DEVICE_STRICT 0 /* nGnRnE */
#define MAIR_DEVICE 1	     /* nGnRE */
#define MAIR_NORMAL 2	     /* write-back */
#define MAIR_VALUE 0xff0400

/* TCR_EL1: 48-bit halves, 4 KiB granule, write-back walks, inner shareable; the top byte of user
 * addresses is ignored, as Linux has it. IPS (bits 34:32) and AS (36) are filled in at run time. */
#define TCR_VALUE 0x20b5103510

/*
 * SCTLR_EL1: MMU and caches on, stack alignment checked; user code may use CTR_EL0, DC ZVA and
 * cache maintenance, but neither mask interrupts nor wait for them (user.c says why). SPAN is set
 * only where there is no PAN: it is reserved there, and elsewhere it would keep PAN off.
 */
#define SCTLR_VALUE 0x3450d9bd
#define SCTLR_OFF 0x30d00980 /* all that must be one, MMU off, little endian */

/* struct arm64_cpu */
#define CPU_FAULT_STACK 0
#define CPU_USER 8
#define CPU_STACK 32

/* struct hal_user */
#define USER_SP 248
#define USER_PC 256
#define USER_PSTATE 264
#define USER_ORIG_X0 272
#define USER_SYSCALL 280
#define USER_TPIDR 288
#define USER_FPU 368

#endif
