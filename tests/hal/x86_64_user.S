/*
 * User code for the conformance test, x86_64. Position-independent; arguments in rdi and rsi. See
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
	movq %rdi, %rax
	movq %rsi, %rdi
	movl $2, %esi
	movl $3, %edx
	movl $4, %r10d
	movl $5, %r8d
	movl $6, %r9d
	movq %rax, %rbx
1:	syscall
	movq %rax, %rdi
	incq %rbx
	movq %rbx, %rax
	jmp 1b
	fragment_end syscall

	fragment read
1:	movb (%rdi), %al
	movl $1, %eax
	syscall
	jmp 1b
	fragment_end read

	fragment write
1:	movb $1, (%rdi)
	movl $1, %eax
	syscall
	jmp 1b
	fragment_end write

	fragment jump
	jmp *%rdi
	fragment_end jump

	fragment spin
1:	jmp 1b
	fragment_end spin

	fragment read_spin
1:	movb (%rdi), %al
	jmp 1b
	fragment_end read_spin

	fragment count
1:	lock incq (%rdi)
	decq %rsi
	jnz 1b
	movl $1, %eax
	syscall
	ud2
	fragment_end count

	fragment illegal
	ud2
	fragment_end illegal

	fragment privileged
	hlt
	fragment_end privileged

	fragment breakpoint
	int3
	movl $1, %eax
	syscall
	ud2
	fragment_end breakpoint

	.macro fpu_all move
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.ifc \move, load
	movups 16 * \n(%rsi), %xmm\n
	.else
	movups %xmm\n, 16 * \n(%rsi)
	.endif
	.endr
	.endm

	fragment fpu
1:	fpu_all load
	fldl 256(%rsi)
	movl $1, %eax
	syscall
	fpu_all store
	fstpl 256(%rsi)
	movl $2, %eax
	syscall
	jmp 1b
	fragment_end fpu

	fragment int80
	movl $20, %eax
	int $0x80
	ud2
	fragment_end int80

	fragment divide
	xorl %edx, %edx
	xorl %ecx, %ecx
	movl $1, %eax
	divl %ecx
	ud2
	fragment_end divide

	fragment noncanonical
	movabsq $0x8000000000000000, %rax
	movb (%rax), %al
	ud2
	fragment_end noncanonical

	fragment fpu_exception
	fninit
	pushq $0x0360
	fldcw (%rsp)
	fld1
	fldz
	fdivrp
	fwait
	ud2
	fragment_end fpu_exception

	fragment step
	pushfq
	orq $0x100, (%rsp)
	popfq
	nop
	nop
	ud2
	fragment_end step

	.section .note.GNU-stack, "", %progbits
