/*
 * All ways into the kernel from an interrupt, an exception or user code, the way into user code,
 * and the switch between kernel contexts.
 *
 * From user code everything ends the same way: the registers go straight into the struct hal_user
 * that runs (CPU_USER), and x86_user_enter() returns the vector to its caller; nothing else is on
 * the kernel's stack. The frame that the CPU pushes lies meanwhile on the small entry stack of the
 * TSS or on an IST stack.
 *
 * From kernel code a vector saves all registers on the stack it interrupts (the kernel has no red
 * zone) and calls x86_kernel_vector().
 *
 * GS: the kernel's base is the struct x86_cpu. swapgs is done in x86_user_enter() and on the ways
 * from user code, with interrupts off in hardware. NMI, double fault, machine check and (from
 * kernel code) debug may hit in between, where the base is not known: they have IST stacks, find
 * the struct in the word above their frame, and save and load the base by MSR. No user value of GS
 * can mislead them, also where user code can write the base itself (FSGSBASE).
 */
#include "hal/x86_64/layout.h"

#define MSR_GS_BASE 0xc0000101
#define FRAME_CS 24	    /* above vector and error code: rip, cs */
#define FRAME_CPU 176	    /* IST stacks: behind 15 registers, vector, error and 5 words */
#define RFLAGS_FIXED 2

	.text

/* ---- Vector stubs: each leaves an error code and its number on the stack ---- */

	.macro stub vector, error, target
	.balign 16
	.if \error == 0
	pushq $0
	.endif
	pushq $\vector
	jmp \target
	.endm

	.balign 16
	.globl x86_entry_stubs
x86_entry_stubs:
	.set i, 0
	.rept 256
	.if i == 2 || i == 18
	stub i, 0, entry_paranoid
	.elseif i == 8
	stub i, 1, entry_paranoid
	.elseif i == 1
	stub i, 0, entry_debug
	.elseif (i >= 10 && i <= 14) || i == 17 || i == 21 || i == 29 || i == 30
	stub i, 1, entry_common
	.else
	stub i, 0, entry_common
	.endif
	.set i, i + 1
	.endr

	.macro push_registers
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro pop_registers
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	.endm

/* Tells gdb where the interrupted code's frame is: rsp points at struct x86_frame. */
	.macro cfi_frame
	.cfi_def_cfa rsp, 176
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	.cfi_offset rbp, -144
	.cfi_offset rbx, -136
	.cfi_offset r12, -152
	.cfi_offset r13, -160
	.cfi_offset r14, -168
	.cfi_offset r15, -176
	.endm

	.type entry_common, @function
entry_common:
	.cfi_startproc simple
	.cfi_signal_frame
	testb $3, FRAME_CS(%rsp)
	jnz entry_from_user
	push_registers
	cfi_frame
	cld
	movq %rsp, %rdi
	movq %rsp, %rbx
	andq $-16, %rsp
	.cfi_def_cfa_register rbx
	call x86_kernel_vector
	movq %rbx, %rsp
	.cfi_def_cfa_register rsp
	pop_registers
	addq $16, %rsp
	iretq
	.cfi_endproc
	.size entry_common, . - entry_common

	.type entry_debug, @function
entry_debug:
	testb $3, FRAME_CS(%rsp)
	jnz entry_from_user
	jmp entry_paranoid
	.size entry_debug, . - entry_debug

	.type entry_paranoid, @function
entry_paranoid:
	.cfi_startproc simple
	.cfi_signal_frame
	push_registers
	cfi_frame
	cld
	movq FRAME_CPU(%rsp), %r12
	movl $MSR_GS_BASE, %ecx
	rdmsr
	movl %eax, %r13d
	movl %edx, %r14d
	movl %r12d, %eax
	movq %r12, %rdx
	shrq $32, %rdx
	wrmsr
	movq %rsp, %rdi
	movq %rsp, %rbx
	andq $-16, %rsp
	.cfi_def_cfa_register rbx
	call x86_paranoid_vector
	movq %rbx, %rsp
	.cfi_def_cfa_register rsp
	movl $MSR_GS_BASE, %ecx
	movl %r13d, %eax
	movl %r14d, %edx
	wrmsr
	pop_registers
	addq $16, %rsp
	iretq
	.cfi_endproc
	.size entry_paranoid, . - entry_paranoid

/* ---- From user code ---- */

	.type entry_from_user, @function
entry_from_user:
	swapgs
	movq %rax, %gs:CPU_SCRATCH
	movq %gs:CPU_USER, %rax
	movq %r15, REGS_R15(%rax)
	movq %r14, REGS_R14(%rax)
	movq %r13, REGS_R13(%rax)
	movq %r12, REGS_R12(%rax)
	movq %rbp, REGS_RBP(%rax)
	movq %rbx, REGS_RBX(%rax)
	movq %r11, REGS_R11(%rax)
	movq %r10, REGS_R10(%rax)
	movq %r9, REGS_R9(%rax)
	movq %r8, REGS_R8(%rax)
	movq %rcx, REGS_RCX(%rax)
	movq %rdx, REGS_RDX(%rax)
	movq %rsi, REGS_RSI(%rax)
	movq %rdi, REGS_RDI(%rax)
	movq %gs:CPU_SCRATCH, %rdx
	movq %rdx, REGS_RAX(%rax)
	movq $-1, REGS_ORIG_RAX(%rax)
	movq %rax, %rdi
	popq %rax /* vector: the result */
	popq %gs:CPU_TRAP_ERROR
	popq REGS_RIP(%rdi)
	popq REGS_CS(%rdi)
	popq REGS_RFLAGS(%rdi)
	popq REGS_RSP(%rdi)
	popq REGS_SS(%rdi)
	jmp user_left
	.size entry_from_user, . - entry_from_user

	.globl x86_entry_syscall
	.type x86_entry_syscall, @function
x86_entry_syscall:
	swapgs
	movq %rsp, %gs:CPU_SCRATCH
	movq %gs:CPU_USER, %rsp
	movq %r15, REGS_R15(%rsp)
	movq %r14, REGS_R14(%rsp)
	movq %r13, REGS_R13(%rsp)
	movq %r12, REGS_R12(%rsp)
	movq %rbp, REGS_RBP(%rsp)
	movq %rbx, REGS_RBX(%rsp)
	movq %r11, REGS_R11(%rsp)
	movq %r10, REGS_R10(%rsp)
	movq %r9, REGS_R9(%rsp)
	movq %r8, REGS_R8(%rsp)
	movq %rax, REGS_RAX(%rsp)
	movq %rcx, REGS_RCX(%rsp)
	movq %rdx, REGS_RDX(%rsp)
	movq %rsi, REGS_RSI(%rsp)
	movq %rdi, REGS_RDI(%rsp)
	movq %rax, REGS_ORIG_RAX(%rsp)
	movq %rcx, REGS_RIP(%rsp)
	movq $SELECTOR_USER_CODE, REGS_CS(%rsp)
	movq %r11, REGS_RFLAGS(%rsp)
	movq %gs:CPU_SCRATCH, %rax
	movq %rax, REGS_RSP(%rsp)
	movq $SELECTOR_USER_DATA, REGS_SS(%rsp)
	movl $VECTOR_SYSCALL, %eax
	/* falls through */

user_left:
	movq %gs:CPU_KERNEL_RSP, %rsp
	pushq $RFLAGS_FIXED /* whatever user code had set: AC, DF, NT, ID */
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size x86_entry_syscall, . - x86_entry_syscall

/*
 * unsigned x86_user_enter(struct hal_user *user, bool sysret)
 * Runs user code until it stops; the vector, or VECTOR_SYSCALL. Called and returns with interrupts
 * off in hardware. The caller has checked the registers: neither way out can fault.
 */
	.globl x86_user_enter
	.type x86_user_enter, @function
x86_user_enter:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %gs:CPU_KERNEL_RSP
	movq %rdi, %gs:CPU_USER
	movl %esi, %eax
	movq %rdi, %rsp
	testl %eax, %eax
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	leaq 8(%rsp), %rsp /* keeps the flags, as pop does */
	jz 1f
	movq REGS_RSP - REGS_RIP(%rsp), %rsp
	swapgs
	sysretq
1:	swapgs
	iretq
	.size x86_user_enter, . - x86_user_enter

/* ---- Contexts ---- */

/* void x86_context_switch(uint64_t *save_rsp, uint64_t load_rsp) */
	.globl x86_context_switch
	.type x86_context_switch, @function
x86_context_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size x86_context_switch, . - x86_context_switch

/* Where a new context begins: r12(r13), with rbp = 0 as the end of the call chain. */
	.globl x86_context_start
	.type x86_context_start, @function
x86_context_start:
	.cfi_startproc
	.cfi_undefined rip
	movq %r13, %rdi
	call *%r12
	ud2
	.cfi_endproc
	.size x86_context_start, . - x86_context_start

	.section .note.GNU-stack, "", @progbits
