/*
 * User code for the conformance test, ARM64. Position-independent; arguments in x0 and x1. See
 * struct fragment in conformance.h for what each does.
 */
	.section .rodata
	.macro fragment name
	.globl code_\name
	.globl code_\name\()_end
	.balign 16
code_\name:
	.endm
	.macro fragment_end name
code_\name\()_end:
	.endm

	fragment syscall
	mov x8, x0
	mov x0, x1
	mov x1, #2
	mov x2, #3
	mov x3, #4
	mov x4, #5
	mov x5, #6
1:	svc #0
	add x8, x8, #1
	b 1b
	fragment_end syscall

	fragment read
1:	ldrb w9, [x0]
	mov x8, #1
	svc #0
	b 1b
	fragment_end read

	fragment write
	mov w9, #1
1:	strb w9, [x0]
	mov x8, #1
	svc #0
	b 1b
	fragment_end write

	fragment jump
	br x0
	fragment_end jump

	fragment spin
1:	b 1b
	fragment_end spin

	fragment read_spin
1:	ldrb w9, [x0]
	b 1b
	fragment_end read_spin

	fragment count
1:	ldaxr x9, [x0]
	add x9, x9, #1
	stlxr w10, x9, [x0]
	cbnz w10, 1b
	subs x1, x1, #1
	b.ne 1b
	mov x8, #1
	svc #0
	udf #0
	fragment_end count

	fragment illegal
	udf #0
	fragment_end illegal

	fragment privileged
	mrs x9, sctlr_el1
	udf #0
	fragment_end privileged

	fragment breakpoint
	brk #1
	mov x8, #1
	svc #0
	udf #0
	fragment_end breakpoint

	fragment fpu
	mov x11, x1
1:	ldp q0, q1, [x11, #0]
	ldp q2, q3, [x11, #32]
	ldp q4, q5, [x11, #64]
	ldp q6, q7, [x11, #96]
	ldp q8, q9, [x11, #128]
	ldp q10, q11, [x11, #160]
	ldp q12, q13, [x11, #192]
	ldp q14, q15, [x11, #224]
	ldp q16, q17, [x11, #256]
	ldp q18, q19, [x11, #288]
	ldp q20, q21, [x11, #320]
	ldp q22, q23, [x11, #352]
	ldp q24, q25, [x11, #384]
	ldp q26, q27, [x11, #416]
	ldp q28, q29, [x11, #448]
	ldp q30, q31, [x11, #480]
	mov x8, #1
	svc #0
	stp q0, q1, [x11, #0]
	stp q2, q3, [x11, #32]
	stp q4, q5, [x11, #64]
	stp q6, q7, [x11, #96]
	stp q8, q9, [x11, #128]
	stp q10, q11, [x11, #160]
	stp q12, q13, [x11, #192]
	stp q14, q15, [x11, #224]
	stp q16, q17, [x11, #256]
	stp q18, q19, [x11, #288]
	stp q20, q21, [x11, #320]
	stp q22, q23, [x11, #352]
	stp q24, q25, [x11, #384]
	stp q26, q27, [x11, #416]
	stp q28, q29, [x11, #448]
	stp q30, q31, [x11, #480]
	mov x8, #2
	svc #0
	b 1b
	fragment_end fpu

/* Traps of this instruction set alone. */

	fragment mask_interrupts
	msr daifset, #15
	udf #0
	fragment_end mask_interrupts

	fragment call_hypervisor
	hvc #0
	udf #0
	fragment_end call_hypervisor

	fragment call_firmware
	smc #0
	udf #0
	fragment_end call_firmware

	fragment exception_return
	eret
	udf #0
	fragment_end exception_return

	fragment physical_counter
	mrs x9, cntpct_el0
	udf #0
	fragment_end physical_counter

	fragment set_timer
	msr cntv_cval_el0, x9
	udf #0
	fragment_end set_timer

	fragment cycle_counter
	mrs x9, pmccntr_el0
	udf #0
	fragment_end cycle_counter

	fragment identity
	mrs x9, midr_el1
	udf #0
	fragment_end identity

	fragment scalable_vectors
	.inst 0x0420e3e9 /* cntb x9 */
	udf #0
	fragment_end scalable_vectors

	fragment invalidate_tlb
	tlbi vmalle1is
	udf #0
	fragment_end invalidate_tlb

	fragment invalidate_cache
	dc ivac, x9
	udf #0
	fragment_end invalidate_cache

	fragment exclusive
	adr x9, .
	add x9, x9, #1
	ldxr w10, [x9]
	udf #0
	fragment_end exclusive

	fragment misaligned_pc
	adr x9, .
	add x9, x9, #2
	br x9
	udf #0
	fragment_end misaligned_pc

	.section .note.GNU-stack, "", %progbits
