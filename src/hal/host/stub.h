/*
 * The stub's window of a user address space: what lies where above HAL_USER_MAX, and the words
 * that the kernel process and the stub share. Read by the C of both sides and by stub.S.
 *
 *	STUB_TEXT	the stub's one page of code and constants
 *	STUB_STACK	the zygote's stack; gone before user code can run
 *	STUB_REQUEST	the kernel's requests to the helper; read-only for the stub
 *	STUB_EXCHANGE	an exchange area for each CPU
 *
 * User code can write its exchange areas whenever it runs. The kernel process therefore takes
 * nothing that it reads there for more than the registers of the user code that wrote it, bounds
 * every offset, and keeps no value there that it needs back.
 */
#ifndef HAL_HOST_STUB_H
#define HAL_HOST_STUB_H

#define STUB_TEXT 0x7fffe0000000
#define STUB_TEXT_BYTES 0x1000
#define STUB_STACK 0x7fffe0001000
#define STUB_STACK_BYTES 0x10000
#define STUB_REQUEST 0x7fffe0100000
#define STUB_REQUEST_BYTES 0x1000
#define STUB_EXCHANGE 0x7fffe0200000
#define STUB_EXCHANGE_BYTES 0x8000 /* one area; areas are aligned to it */
#define STUB_EXCHANGE_END 0x7fffe0400000

/* Above all addresses that a process can map: 47 bits without the last page. */
#define STUB_ADDRESS_END 0x7ffffffff000

/* Descriptors of the stub's helper, and the signal that stops user code. */
#define STUB_FD_MEMORY 3 /* the machine's memory */
#define STUB_FD_DONE 4	 /* eventfd: a batch is done. In the zygote: exchange areas, to write */
#define STUB_FD_REQUEST 5 /* the same file, to read */
#define STUB_FD_SOCKET 6
#define STUB_SIGNAL_STOP 10 /* SIGUSR1 */

/* The request page. */
#define REQUEST_POSTED 0 /* counts batches; the helper waits for it to change */
#define REQUEST_COUNT 4	 /* entries of this batch */
#define REQUEST_SPIN 8	 /* rounds of PAUSE before a guest thread sleeps */
#define REQUEST_ONE 16	 /* constants to be passed by address: 1, and 0 */
#define REQUEST_ZERO 24
#define REQUEST_RUN_AREA 32 /* the exchange area of a run to begin after the batch; 0: none */
#define REQUEST_RUN 40	    /* its number, for GO */
#define REQUEST_ENTRIES 64
#define REQUEST_ENTRY_BYTES 56 /* a system call: number, six arguments */
#define REQUEST_ENTRIES_MAX 72
#define REQUEST_NEW_THREAD (-1) /* a number: make the guest thread of a CPU */

/* An exchange area: a page of words, then the alternate signal stack. */
#define EXCHANGE_GO 0	     /* the kernel counts runs; the guest thread waits for a change */
#define EXCHANGE_ASLEEP 4    /* the guest thread sleeps on GO */
#define EXCHANGE_KICK 8	     /* the run shall end before it begins */
#define EXCHANGE_TID 12	     /* of the guest thread, for the kernel at its birth */
#define EXCHANGE_DONE 64     /* the last run that has ended; the kernel waits for it */
#define EXCHANGE_WAITING 68  /* the kernel sleeps on DONE */
#define EXCHANGE_KIND 128    /* KIND_* */
#define EXCHANGE_UCONTEXT 136 /* KIND_SIGNAL: where the signal frame's ucontext lies */
#define EXCHANGE_FS_BASE 144 /* as user code left them */
#define EXCHANGE_GS_BASE 152
#define EXCHANGE_SEGMENTS 160 /* ds, es, fs, gs: 16 bits each */
#define EXCHANGE_LOAD_FS 192 /* bases and selectors to be loaded, in the same form */
#define EXCHANGE_LOAD_GS 200
#define EXCHANGE_LOAD_SEGMENTS 208
#define EXCHANGE_LOAD_WHAT 216 /* LOAD_* */
#define EXCHANGE_LOAD_FPU 224 /* address of the XSAVE area to load */

/* The alternate stack: signal frames from its end down, stops of the stub itself and the registers
 * to be loaded from EXCHANGE_REGISTERS down and up. */
#define EXCHANGE_STACK 0x1000
#define EXCHANGE_REGISTERS 0x4000

#define KIND_SIGNAL 0	 /* the frame at EXCHANGE_UCONTEXT says what happened */
#define KIND_EARLY 1	 /* stopped before the words were written: the first frame says it */
#define KIND_UNCHANGED 2 /* stopped before the user's registers were loaded */

#define LOAD_SEGMENTS 1

/* Offsets in Linux's struct ucontext of x86_64 (sigaction(2), SA_SIGINFO). */
#define UCONTEXT_RDX 136
#define UCONTEXT_RIP 168

#endif
