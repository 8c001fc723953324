/*
 * User code for test_hostile.c, x86_64. See struct fragment in conformance.h for the form.
 */
	.section .rodata
	.globl code_forge, code_forge_end
	.balign 16

/* Words of chance: half of them small, half of them to the first 256 bytes. rdi area, rsi seed. */
code_forge:
	movq %rsi, %rbx
1:	movl $64, %r12d
2:	movq %rbx, %rax
	shlq $13, %rax
	xorq %rax, %rbx
	movq %rbx, %rax
	shrq $7, %rax
	xorq %rax, %rbx
	movq %rbx, %rax
	shlq $17, %rax
	xorq %rax, %rbx
	movl %ebx, %ecx
	andl $0x7ff8, %ecx
	testl $0x10000, %ebx
	jz 3f
	andl $0xf8, %ecx
3:	movq %rbx, %rdx
	testl $0x20000, %ebx
	jz 4f
	shrq $60, %rdx
4:	movq %rdx, (%rdi, %rcx)
	decl %r12d
	jnz 2b
	movl $1, %eax
	syscall
	jmp 1b
code_forge_end:

	.section .note.GNU-stack, "", %progbits
