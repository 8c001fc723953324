/*
 * The first instructions: Linux's Image header (Documentation/arch/arm64/booting.rst), the way
 * down from EL2, the MMU, and the jump to where the kernel is linked. Until then all code is
 * position-independent. Other CPUs come in at secondary_entry, from PSCI CPU_ON, with the address
 * of their struct arm64_cpu in x0.
 */
#include "hal/arm64/layout.h"

	.arch	armv8-a
	.section .head.text, "ax"

	.global	image_header
image_header:
	b	primary_entry
	.word	0
	.quad	0			/* offset of the image from a multiple of 2 MiB */
	.quad	kernel_image_bytes
	.quad	0xa			/* little endian, 4 KiB pages, anywhere in RAM */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0

primary_entry:
	mov	x21, x0
	bl	leave_el2

	/* Cached copies of what is written with the MMU off must not come back later. */
	adrp	x0, bss_start
	adrp	x1, kernel_end
	mov	x2, x0
1:	dc	ivac, x2
	add	x2, x2, #16
	cmp	x2, x1
	b.lo	1b
	dsb	sy
2:	stp	xzr, xzr, [x0], #16		/* .bss */
	cmp	x0, x1
	b.lo	2b

	adrp	x0, boot_stack_top
	mov	sp, x0
	mov	x29, xzr
	mov	x0, x21
	adrp	x1, kernel_start
	ldr	x2, =kernel_start
	bl	boot_map
	adrp	x20, kernel_start
	bl	enable_mmu
	ldr	x0, =primary_virtual
	br	x0

	.global	secondary_entry
secondary_entry:
	mov	x21, x0
	bl	leave_el2
	adrp	x20, kernel_start
	bl	enable_mmu
	ldr	x0, =secondary_virtual
	br	x0

/* To EL1 with all that EL2 could trap let through. Changes x0-x2. */
leave_el2:
	msr	daifset, #0xf
	mrs	x0, currentel
	cmp	x0, #(2 << 2)
	b.eq	1f
	ldr	x0, =SCTLR_OFF
	msr	sctlr_el1, x0
	isb
	ret
1:	mov	x0, #(1 << 31)		/* HCR_EL2.RW: EL1 is AArch64 */
	msr	hcr_el2, x0
	ldr	x0, =SCTLR_OFF
	msr	sctlr_el1, x0
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	mov	x0, #3			/* counter and timer belong to EL1 */
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #0x33ff		/* FPU not trapped */
	msr	cptr_el2, x0
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x0, id_aa64dfr0_el1
	ubfx	x1, x0, #8, #4		/* a PMU: all its counters belong to EL1 */
	mov	x2, xzr
	sub	x1, x1, #1
	cmp	x1, #13
	b.hi	2f
	mrs	x2, pmcr_el0
	ubfx	x2, x2, #11, #5
2:	msr	mdcr_el2, x2
	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #24, #4		/* GICv3 system registers, usable at EL1 */
	cbz	x0, 3f
	mov	x0, #0xf
	msr	s3_4_c12_c9_5, x0	/* ICC_SRE_EL2 */
	isb
	msr	s3_4_c12_c11_0, xzr	/* ICH_HCR_EL2 */
3:	mov	x0, #0x3c5		/* EL1h, all masked */
	msr	spsr_el2, x0
	msr	elr_el2, x30
	eret

/* The MMU with the identity map below and the kernel above. Changes x0-x3. */
enable_mmu:
	ldr	x0, =MAIR_VALUE
	msr	mair_el1, x0
	ldr	x0, =TCR_VALUE
	mrs	x1, id_aa64mmfr0_el1
	and	x2, x1, #0xf		/* physical address size, at most 48 bits */
	mov	x3, #5
	cmp	x2, x3
	csel	x2, x2, x3, lo
	bfi	x0, x2, #32, #3
	ubfx	x2, x1, #5, #1		/* 16-bit ASIDs: the field is 0 or 2 */
	bfi	x0, x2, #36, #1
	msr	tcr_el1, x0
	adrp	x0, identity_l0
	msr	ttbr0_el1, x0
	adrp	x0, kernel_l0
	msr	ttbr1_el1, x0
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	ldr	x0, =SCTLR_VALUE
	mrs	x1, id_aa64mmfr1_el1
	ubfx	x1, x1, #20, #4		/* PAN */
	cbnz	x1, 1f
	orr	x0, x0, #(1 << 23)
1:	msr	sctlr_el1, x0
	isb
	ret

	.ltorg

	.text
/* From here on at the addresses that the kernel is linked at. */
primary_virtual:
	bl	leave_identity
	adrp	x0, boot_stack_top
	mov	sp, x0
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x21
	mov	x1, x20
	b	arm64_start

secondary_virtual:
	bl	leave_identity
	msr	tpidr_el1, x21
	ldr	x0, [x21, #CPU_STACK]
	add	x0, x0, #STACK_BYTES
	mov	sp, x0
	mov	x29, xzr
	mov	x30, xzr
	b	arm64_start_cpu

/* No user addresses from now on; exceptions go to the kernel's vectors. x20 = where the image
 * lies. Changes x0, x1. */
leave_identity:
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el1, x0
	ldr	x0, =empty_table
	ldr	x1, =kernel_start
	sub	x0, x0, x1
	add	x0, x0, x20
	msr	ttbr0_el1, x0
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	ret

	.ltorg

	.section .boot_stack, "aw", %nobits
	.balign	STACK_BYTES
	.global	boot_stack
boot_stack:
	.skip	STACK_BYTES
boot_stack_top:
