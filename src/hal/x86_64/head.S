/*
 * From the loader to C: one 32-bit entry for PVH and multiboot2, and the way of the other CPUs
 * from real mode.
 *
 * At boot_start32 paging is off, segments are flat, the kernel lies at its physical address, eax
 * holds multiboot2's magic number (or, with PVH, anything) and ebx the physical address of the
 * loader's table. The code turns on 64-bit paging with tables that map the lowest 4 GiB at 0 and
 * in the direct map, and the first GiB of it at KERNEL_BASE. x86_boot() replaces them.
 * The symbols ..._phys are made in kernel.lds.
 */
#include "hal/x86_64/layout.h"

#define CR0_PE (1 << 0)
#define CR0_WP (1 << 16)
#define CR0_PG (1 << 31)
#define CR4_PAE (1 << 5)
#define MSR_EFER 0xc0000080
#define EFER_LME (1 << 8)
#define PTE_TABLE 0x3	   /* present, writable */
#define PTE_BIG_PAGE 0x83  /* and 2 MiB */
#define BOOT_STACK_BYTES 16384

/* ---- What loaders look for ---- */

	.section .boot.header, "ax"
	.balign 8
multiboot2_header:
	.long 0xe85250d6
	.long 0 /* i386, protected mode */
	.long multiboot2_end - multiboot2_header
	.long -(0xe85250d6 + (multiboot2_end - multiboot2_header))
	.balign 8
	.short 3, 0 /* entry address */
	.long 12, boot_start32_phys
	.balign 8
	.short 5, 1 /* framebuffer, optional: any size, 32 bits a pixel */
	.long 20, 0, 0, 32
	.balign 8
	.short 6, 1 /* modules aligned to pages */
	.long 8
	.balign 8
	.short 0, 0 /* end */
	.long 8
multiboot2_end:

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long boot_start32_phys

/* ---- The boot CPU ---- */

	.section .boot.text, "ax"
	.code32
	.globl boot_start32
	.type boot_start32, @function
boot_start32:
	cli
	cld
	movl $boot_stack_top_phys, %esp
	movl %eax, %edi /* x86_boot(magic, table) */
	movl %ebx, %esi

	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	btl $29, %edx
	jnc no_long_mode

	/* Four page directories of 2 MiB pages: the lowest 4 GiB. */
	movl $boot_pds_phys, %ebx
	movl $PTE_BIG_PAGE, %eax
1:	movl %eax, (%ebx)
	movl $0, 4(%ebx)
	addl $8, %ebx
	addl $0x200000, %eax
	jnc 1b

	movl $boot_pds_phys + PTE_TABLE, %eax
	movl %eax, boot_pdpt_low_phys
	addl $4096, %eax
	movl %eax, boot_pdpt_low_phys + 8
	addl $4096, %eax
	movl %eax, boot_pdpt_low_phys + 16
	addl $4096, %eax
	movl %eax, boot_pdpt_low_phys + 24
	movl $boot_pds_phys + PTE_TABLE, %eax
	movl %eax, boot_pdpt_high_phys + 510 * 8
	movl $boot_pdpt_low_phys + PTE_TABLE, %eax
	movl %eax, boot_pml4_phys
	movl %eax, boot_pml4_phys + 256 * 8
	movl $boot_pdpt_high_phys + PTE_TABLE, %eax
	movl %eax, boot_pml4_phys + 511 * 8

	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $boot_pml4_phys, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl %cr0, %eax
	orl $(CR0_PG | CR0_WP | CR0_PE), %eax
	movl %eax, %cr0
	lgdt boot_gdt_pointer_phys
	ljmp $SELECTOR_KERNEL_CODE, $boot_start64_phys

no_long_mode:
	movl $boot_message_phys, %esi
	movw $0x3f8, %dx
1:	lodsb
	testb %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	hlt
	jmp 2b

	.code64
	.globl boot_start64
boot_start64:
	movq $1f, %rax
	jmp *%rax
1:	movl $SELECTOR_KERNEL_DATA, %eax
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	lgdt boot_gdt_pointer64
	movq $boot_stack_top, %rsp
	movl %edi, %edi
	movl %esi, %esi
	xorl %ebp, %ebp
	call x86_boot
	ud2

/* Goes on in `entry` on another stack: x86_boot_on_stack(top, entry). */
	.globl x86_boot_on_stack
	.type x86_boot_on_stack, @function
x86_boot_on_stack:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call *%rsi
	ud2

/*
 * ---- The other CPUs ----
 *
 * The code between trampoline and trampoline_end is copied to a page below 1 MiB, where a CPU
 * starts in real mode with cs = page >> 4, ip = 0. smp.c fills the variables at its end. Each CPU
 * draws a ticket, and with it a stack, before it calls x86_cpu_main().
 */
	.section .rodata
	.balign 16
	.globl trampoline, trampoline_end, trampoline_vars
	.code16
trampoline:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	movzwl %ax, %ebx
	shll $4, %ebx
	lgdtl trampoline_gdt_pointer - trampoline
	movl %cr0, %eax
	orb $CR0_PE, %al
	movl %eax, %cr0
	ljmpl *(trampoline_far32 - trampoline)

	.code32
trampoline32:
	movw $0x18, %ax
	movw %ax, %ds
	movw %ax, %ss
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl trampoline_cr3 - trampoline(%ebx), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl trampoline_efer - trampoline(%ebx), %eax
	wrmsr
	movl $(CR0_PG | CR0_WP | CR0_PE), %eax
	movl %eax, %cr0
	ljmp *(trampoline_far64 - trampoline)(%ebx)

	.code64
trampoline64:
	movq $boot_other64, %rax
	jmp *%rax

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* 0x08: 32-bit code */
	.quad 0x00af9b000000ffff /* 0x10: 64-bit code */
	.quad 0x00cf93000000ffff /* 0x18: data */
	.balign 8
trampoline_vars: /* struct trampoline_vars of smp.c */
	.short 31
trampoline_gdt_at:
	.long 0
	.short 0
trampoline_cr3:
	.long 0
trampoline_efer:
	.long 0
trampoline_far32:
	.long 0, 0x08
trampoline_far64:
	.long 0, 0x10
	.set trampoline_gdt_pointer, trampoline_vars
	.globl trampoline_gdt, trampoline32, trampoline64
trampoline_end:

	.text
	.code64
	.type boot_other64, @function
boot_other64:
	movl $SELECTOR_KERNEL_DATA, %eax
	lgdt boot_gdt_pointer64
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl $1, %eax
	lock xaddl %eax, x86_smp_ticket
	cmpl x86_smp_stacks_count, %eax
	jae 1f
	movq x86_smp_stacks(, %rax, 8), %rsp
	xorl %ebp, %ebp
	call x86_cpu_main
1:	hlt /* more CPUs than the tables named */
	jmp 1b

/* ---- Data ---- */

	.section .rodata
	.globl boot_message, boot_gdt_pointer
boot_message:
	.asciz "cloudos: this CPU has no 64-bit mode. Use a 64-bit x86 machine.\r\n"
	.balign 8
boot_gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff /* SELECTOR_KERNEL_CODE */
	.quad 0x00cf93000000ffff /* SELECTOR_KERNEL_DATA */
boot_gdt_pointer: /* with its physical address, for 32-bit code */
	.short 31
	.long boot_gdt_phys
boot_gdt_pointer64:
	.short 31
	.quad boot_gdt
	.globl boot_gdt

	.bss
	.balign 4096
	.globl boot_pml4, boot_pdpt_low, boot_pdpt_high, boot_pds, boot_stack_top
boot_pml4:
	.skip 4096
boot_pdpt_low:
	.skip 4096
boot_pdpt_high:
	.skip 4096
boot_pds:
	.skip 4 * 4096
	.skip BOOT_STACK_BYTES
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
