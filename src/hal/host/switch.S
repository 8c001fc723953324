/*
 * The switch between two kernel contexts: callee-saved registers go onto the stack that is left
 * and come from the stack that is entered (System V ABI x86_64, 3.2.1).
 *
 * A context at rest has on its stack, from sp up: r15 r14 r13 r12 rbx rbp, return address.
 * cloudos-sim-gdb.py knows this order.
 */
	.text

/* void host_context_swap(void **save_sp, void *load_sp) */
	.globl host_context_swap
	.type host_context_swap, @function
host_context_swap:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	pushq %r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	pushq %r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	pushq %r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	popq %r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	popq %r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	popq %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	ret
	.cfi_endproc
	.size host_context_swap, . - host_context_swap

/* Where a new context begins: an empty frame, so that call chains end here. */
	.globl host_context_first
	.type host_context_first, @function
host_context_first:
	.cfi_startproc
	.cfi_undefined rip
	xorl %ebp, %ebp
	call host_context_begin
	ud2
	.cfi_endproc
	.size host_context_first, . - host_context_first

	.section .note.GNU-stack, "", @progbits
