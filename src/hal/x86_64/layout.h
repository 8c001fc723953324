/*
 * Numbers that assembly and C share: selectors, vectors, offsets in struct x86_cpu and struct
 * hal_regs. cpu.c asserts that the offsets are true.
 */
#ifndef HAL_X86_64_LAYOUT_H
#define HAL_X86_64_LAYOUT_H

/* The GDT. User selectors are Linux's, because programs can see them. SYSRET wants user data and
 * user code one and two entries behind the base in MSR_STAR. */
#define SELECTOR_KERNEL_CODE 0x10
#define SELECTOR_KERNEL_DATA 0x18
#define SELECTOR_USER_BASE 0x23
#define SELECTOR_USER_DATA 0x2b
#define SELECTOR_USER_CODE 0x33
#define SELECTOR_TSS 0x40

/* Vectors of the CPU (Intel SDM vol. 3, table 6-1). */
#define VECTOR_DIVIDE 0
#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_BREAKPOINT 3
#define VECTOR_OVERFLOW 4
#define VECTOR_BOUND 5
#define VECTOR_UNDEFINED 6
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_SEGMENT 11
#define VECTOR_STACK 12
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_X87 16
#define VECTOR_ALIGNMENT 17
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_SIMD 19

/* Vectors of ours. */
#define VECTOR_EXCEPTIONS 32	/* below: exceptions */
#define VECTOR_DEVICE_FIRST 48	/* 32..47: where a legacy controller may raise spurious ones */
#define VECTOR_FOREIGN_CALL 128 /* int $0x80 */
#define VECTOR_DEVICE_LAST 239
#define VECTOR_TIMER 240
#define VECTOR_WAKE 241	    /* somebody has set a pending bit of this CPU */
#define VECTOR_REQUEST 242  /* work for the HAL itself: TLB, FPU */
#define VECTOR_SPURIOUS 255
#define VECTOR_SYSCALL 256  /* no vector: what x86_user_enter() returns for a system call */

/* Fields of struct x86_cpu. */
#define CPU_SELF 0
#define CPU_KERNEL_RSP 8
#define CPU_USER 16
#define CPU_SCRATCH 24
#define CPU_TRAP_ERROR 32
#define CPU_ID 40

/* Fields of struct hal_regs. */
#define REGS_R15 0
#define REGS_R14 8
#define REGS_R13 16
#define REGS_R12 24
#define REGS_RBP 32
#define REGS_RBX 40
#define REGS_R11 48
#define REGS_R10 56
#define REGS_R9 64
#define REGS_R8 72
#define REGS_RAX 80
#define REGS_RCX 88
#define REGS_RDX 96
#define REGS_RSI 104
#define REGS_RDI 112
#define REGS_ORIG_RAX 120
#define REGS_RIP 128
#define REGS_CS 136
#define REGS_RFLAGS 144
#define REGS_RSP 152
#define REGS_SS 160

/* Interrupt stacks (IST) of each CPU. */
#define IST_NMI 1
#define IST_DOUBLE_FAULT 2
#define IST_MACHINE_CHECK 3
#define IST_DEBUG 4
#define IST_COUNT 4

#endif
