/*
 * The way into user code and back, and the exception vectors.
 *
 * user_enter() leaves its frame on the kernel stack and enters user code; an exception of user
 * code finds the stack pointer where it left it, stores the user's registers and returns from
 * user_enter() with the number of the vector. An exception of the kernel itself is always the
 * end: it is taken on a stack of its own, because the kernel's may be what is broken.
 */
#include "hal/arm64/layout.h"

	.arch	armv8-a
	.text

#define FRAME_BYTES 112
#define FRAME_USER 96 /* struct hal_user *, then TTBR0 while the kernel runs */

/* unsigned user_enter(struct hal_user *user, uint64_t ttbr0, uint64_t ttbr0_none) */
	.global	user_enter
	.type	user_enter, %function
user_enter:
	stp	x29, x30, [sp, #-FRAME_BYTES]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	x0, x2, [sp, #FRAME_USER]
	msr	ttbr0_el1, x1
	ldp	x2, x3, [x0, #USER_SP]
	ldr	x4, [x0, #USER_PSTATE]
	ldr	x5, [x0, #USER_TPIDR]
	msr	sp_el0, x2
	msr	elr_el1, x3
	msr	spsr_el1, x4
	msr	tpidr_el0, x5
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	eret
	dsb	nsh			/* nothing is speculated behind eret */
	isb
	.size	user_enter, . - user_enter

/* On the stack: x0, x1, then the frame of user_enter(). x1 = vector. */
user_leave:
	ldr	x0, [sp, #16 + FRAME_USER]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	ldr	x4, [sp, #FRAME_USER + 8]
	msr	ttbr0_el1, x4		/* user addresses are gone while the kernel runs */
	isb
	mrs	x2, sp_el0
	mrs	x3, elr_el1
	mrs	x4, spsr_el1
	mrs	x5, tpidr_el0
	str	x30, [x0, #240]
	stp	x2, x3, [x0, #USER_SP]
	str	x4, [x0, #USER_PSTATE]
	str	x5, [x0, #USER_TPIDR]
	mov	x0, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #FRAME_BYTES
	ret

/*
 * x0 = vector. The frame for trap_from_kernel(): x0..x30, sp, and with x29 and x30 of the
 * interrupted code a frame record, so that a walk of the stack goes on in it.
 */
kernel_leave:
	mrs	x1, tpidr_el1
	cbz	x1, stop_cpu		/* before there is anything that could be said */
	mov	x3, sp
	ldr	x2, [x1, #CPU_FAULT_STACK]
	cbz	x2, stop_cpu
	mov	sp, x2
	mrs	x1, elr_el1
	stp	x29, x1, [sp, #-16]!
	mov	x2, x29
	mov	x29, sp
	bl	trap_from_kernel	/* (vector, pc, frame, sp); does not return */

/* A CPU that never runs again. */
	.global	stop_cpu
	.type	stop_cpu, %function
stop_cpu:
	msr	daifset, #0xf
1:	wfi
	b	1b
	.size	stop_cpu, . - stop_cpu

	.macro	from_kernel number
	.balign	128
	mov	x0, #\number
	b	kernel_leave
	.endm

	.macro	from_user number
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\number
	b	user_leave
	.endm

	.macro	stop
	.balign	128
	b	stop_cpu
	.endm

	.balign	2048
	.global	vectors
vectors:
	from_kernel 0			/* with SP_EL0, which the kernel never uses */
	from_kernel 1
	stop
	from_kernel 3
	from_kernel 0
	from_kernel 1
	stop
	from_kernel 3
	from_user 0
	from_user 1
	stop
	from_user 3
	from_user 4			/* AArch32, which is never entered */
	from_user 4
	stop
	from_user 4
	.balign	128
