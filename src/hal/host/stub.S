/*
 * The stub's code that runs beside user code: the helper, the birth of a guest thread, and the
 * signal handler that hands user code's state to the kernel process and loads the next.
 *
 * Nothing here has a stack of its own worth the name, and nothing is read from memory that user
 * code can write but words whose forging harms that user code alone. User code may jump to each
 * byte of it: the only system calls that a guest thread can make are FUTEX_WAIT and FUTEX_WAKE on
 * exchange areas (stub.c, guest_filter).
 *
 * A signal that stops user code (STUB_SIGNAL_STOP) may land in the handler itself. What is to be
 * done depends on where, by ranges of addresses:
 *	stub_signal .. stub_published	the first frame is whole, the words are not: KIND_EARLY
 *	nested .. nested_end		again in here: look at what the stop before this one hit
 *	elsewhere, GO == DONE		the kernel has control: wake it (again) and wait
 *	elsewhere, GO != DONE		the registers were not all loaded: KIND_UNCHANGED
 */
#include "hal/host/stub.h"

#define SYS_write 1
#define SYS_mmap 9
#define SYS_munmap 11
#define SYS_rt_sigprocmask 14
#define SYS_clone 56
#define SYS_sigaltstack 131
#define SYS_futex 202
#define SYS_exit_group 231
#define SYS_seccomp 317
#define SYS_close_range 436

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define SIG_SETMASK 2
#define SECCOMP_SET_MODE_FILTER 1

/* CLONE_VM | FS | SIGHAND | THREAD | SYSVSEM | PARENT_SETTID; not FILES. */
#define CLONE_GUEST (0x100 | 0x200 | 0x800 | 0x10000 | 0x40000 | 0x100000)

	.text
	.globl stub_start, stub_helper, stub_signal, stub_restorer
	.hidden stub_start, stub_helper, stub_signal, stub_restorer

/* The zygote's first instruction: a stack of its own, then its C part. */
stub_start:
	mov	$SYS_mmap, %eax
	movabs	$STUB_STACK, %rdi
	mov	$STUB_STACK_BYTES, %esi
	mov	$3, %edx		/* PROT_READ | PROT_WRITE */
	mov	$0x32, %r10d		/* MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS */
	mov	$-1, %r8
	xor	%r9d, %r9d
	syscall
	cmp	%rdi, %rax
	jne	fail
	lea	STUB_STACK_BYTES(%rax), %rsp
	xor	%ebp, %ebp
	call	stub_zygote
	ud2

/* The helper: rbx request page, r12d the last batch done, r13d entries left, r14 entry. */
stub_helper:
	xor	%esp, %esp
	mov	$SYS_munmap, %eax
	movabs	$STUB_STACK, %rdi
	mov	$STUB_STACK_BYTES, %esi
	syscall
	test	%rax, %rax
	jnz	fail
	movabs	$STUB_REQUEST, %rbx
	xor	%r12d, %r12d
helper_wait:
	mov	REQUEST_POSTED(%rbx), %eax
	cmp	%eax, %r12d
	jne	helper_batch
	mov	$SYS_futex, %eax
	mov	%rbx, %rdi
	mov	$FUTEX_WAIT, %esi
	mov	%r12d, %edx
	xor	%r10d, %r10d
	syscall
	jmp	helper_wait
helper_batch:
	mov	%eax, %r12d
	mov	REQUEST_COUNT(%rbx), %r13d
	lea	REQUEST_ENTRIES(%rbx), %r14
helper_entry:
	test	%r13d, %r13d
	jz	helper_done
	mov	(%r14), %rax
	cmp	$REQUEST_NEW_THREAD, %rax
	je	helper_thread
	mov	8(%r14), %rdi
	mov	16(%r14), %rsi
	mov	24(%r14), %rdx
	mov	32(%r14), %r10
	mov	40(%r14), %r8
	mov	48(%r14), %r9
	syscall
	cmp	$-4095, %rax
	jae	fail
helper_next:
	add	$REQUEST_ENTRY_BYTES, %r14
	dec	%r13d
	jmp	helper_entry
helper_done:
	mov	REQUEST_RUN_AREA(%rbx), %r14
	test	%r14, %r14
	jz	helper_report
	mov	REQUEST_RUN(%rbx), %eax
	xchg	%eax, EXCHANGE_GO(%r14)		/* before the look at ASLEEP */
	cmpl	$0, EXCHANGE_ASLEEP(%r14)
	je	helper_report
	mov	$SYS_futex, %eax
	lea	EXCHANGE_GO(%r14), %rdi
	mov	$FUTEX_WAKE, %esi
	mov	$1, %edx
	syscall
helper_report:
	mov	$SYS_write, %eax
	mov	$STUB_FD_DONE, %edi
	lea	REQUEST_ONE(%rbx), %rsi
	mov	$8, %edx
	syscall
	cmp	$8, %rax
	je	helper_wait
fail:
	mov	$SYS_exit_group, %eax
	mov	$1, %edi
	syscall
	ud2

/* Entry: the exchange area, then a stack_t of its alternate stack. */
helper_thread:
	mov	8(%r14), %rdx
	add	$EXCHANGE_TID, %rdx
	mov	$SYS_clone, %eax
	mov	$CLONE_GUEST, %edi
	xor	%esi, %esi
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	syscall
	test	%rax, %rax
	js	fail
	jnz	helper_next
	mov	$SYS_close_range, %eax
	xor	%edi, %edi
	mov	$-1, %esi
	xor	%edx, %edx
	syscall
	test	%rax, %rax
	jnz	fail
	mov	$SYS_sigaltstack, %eax
	lea	16(%r14), %rdi
	xor	%esi, %esi
	syscall
	test	%rax, %rax
	jnz	fail
	mov	$SYS_rt_sigprocmask, %eax
	mov	$SIG_SETMASK, %edi
	lea	REQUEST_ZERO(%rbx), %rsi
	xor	%edx, %edx
	mov	$8, %r10d
	syscall
	test	%rax, %rax
	jnz	fail
	mov	$SYS_seccomp, %eax
	mov	$SECCOMP_SET_MODE_FILTER, %edi
	xor	%esi, %esi
	lea	stub_guest_program(%rip), %rdx
	syscall
	test	%rax, %rax
	jnz	fail
	ud2				/* the first frame, from which all others are made */
stub_restorer:
	ud2				/* the handler never returns */

/*
 * The handler of all signals: rdi number, rsi siginfo, rdx ucontext, rsp on the alternate stack of
 * this thread's exchange area, which makes rbx. Flags like NT and AC are still user code's.
 */
stub_signal:
	lea	-8(%rsp), %rbx
	and	$-STUB_EXCHANGE_BYTES, %rbx
	push	$2
	popf
	mov	UCONTEXT_RIP(%rdx), %rax
	lea	stub_text(%rip), %rcx
	sub	%rcx, %rax
	cmp	$STUB_TEXT_BYTES, %rax
	jb	nested
signal_first:
	mov	$KIND_SIGNAL, %ecx
	mov	%rdx, EXCHANGE_UCONTEXT(%rbx)
publish:
	lea	EXCHANGE_REGISTERS(%rbx), %rsp
	rdfsbase %rax
	mov	%rax, EXCHANGE_FS_BASE(%rbx)
	rdgsbase %rax
	mov	%rax, EXCHANGE_GS_BASE(%rbx)
	mov	%ds, EXCHANGE_SEGMENTS(%rbx)
	mov	%es, EXCHANGE_SEGMENTS+2(%rbx)
	mov	%fs, EXCHANGE_SEGMENTS+4(%rbx)
	mov	%gs, EXCHANGE_SEGMENTS+6(%rbx)
	mov	%ecx, EXCHANGE_KIND(%rbx)
stub_published:
	mov	EXCHANGE_GO(%rbx), %r12d
	mov	%r12d, %eax
	xchg	%eax, EXCHANGE_DONE(%rbx)	/* before the look at WAITING */
stopped:
	cmpl	$0, EXCHANGE_WAITING(%rbx)
	je	wait
	mov	$SYS_futex, %eax
	lea	EXCHANGE_DONE(%rbx), %rdi
	mov	$FUTEX_WAKE, %esi
	mov	$1, %edx
	syscall
wait:
	movabs	$STUB_REQUEST, %rax
	mov	REQUEST_SPIN(%rax), %ecx
wait_spin:
	cmp	EXCHANGE_GO(%rbx), %r12d
	jne	load
	pause
	sub	$1, %ecx
	jae	wait_spin
	mov	$1, %eax
	xchg	%eax, EXCHANGE_ASLEEP(%rbx)	/* before the kernel's look at GO */
	mov	$SYS_futex, %eax
	lea	EXCHANGE_GO(%rbx), %rdi
	mov	$FUTEX_WAIT, %esi
	mov	%r12d, %edx
	xor	%r10d, %r10d
	syscall
	movl	$0, EXCHANGE_ASLEEP(%rbx)
	cmp	EXCHANGE_GO(%rbx), %r12d
	je	wait

/* All registers are loaded from the words that the kernel wrote. */
load:
	cmpl	$0, EXCHANGE_KICK(%rbx)
	jne	unchanged
	mov	EXCHANGE_LOAD_FPU(%rbx), %rcx
	mov	$-1, %eax
	mov	$-1, %edx
	xrstor64 (%rcx)
	testl	$LOAD_SEGMENTS, EXCHANGE_LOAD_WHAT(%rbx)
	je	1f
	mov	EXCHANGE_LOAD_SEGMENTS(%rbx), %ds
	mov	EXCHANGE_LOAD_SEGMENTS+2(%rbx), %es
	mov	EXCHANGE_LOAD_SEGMENTS+4(%rbx), %fs
	mov	EXCHANGE_LOAD_SEGMENTS+6(%rbx), %gs
1:	mov	EXCHANGE_LOAD_FS(%rbx), %rax
	wrfsbase %rax
	mov	EXCHANGE_LOAD_GS(%rbx), %rax
	wrgsbase %rax
	lea	EXCHANGE_REGISTERS(%rbx), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	iretq

/* A signal inside the stub: rax is the offset of the instruction in the stub. Keeps rdx until it
 * is known what to do, for a stop that lands in here. */
nested:
	cmp	$STUB_SIGNAL_STOP, %edi
	jne	signal_first		/* a fault: user code jumped here, or forged words */
nested_look:
	lea	EXCHANGE_REGISTERS(%rbx), %rsp
	mov	UCONTEXT_RIP(%rdx), %rax
	lea	nested(%rip), %rcx
	sub	%rcx, %rax
	cmp	$(nested_end - nested), %rax
	jae	1f
	mov	UCONTEXT_RDX(%rdx), %rdx
	jmp	nested_look
1:	add	$(nested - stub_signal), %rax
	cmp	$(stub_published - stub_signal), %rax
	mov	$KIND_EARLY, %ecx
	jb	publish
	mov	EXCHANGE_GO(%rbx), %r12d
	cmp	EXCHANGE_DONE(%rbx), %r12d
	je	stopped
	jmp	unchanged
nested_end:

/* Outside of the early range: stopped again in here, it is still KIND_UNCHANGED. */
unchanged:
	lea	EXCHANGE_REGISTERS(%rbx), %rsp
	movl	$KIND_UNCHANGED, EXCHANGE_KIND(%rbx)
	jmp	stub_published

	.section .note.GNU-stack, "", @progbits
