/*
 * The stub's C part: the zygote, which makes a stub process for each address space, and the
 * set-up of such a process up to its helper (stub.S).
 *
 * The zygote is started once, with nothing mapped but its page and a stack, and never runs user
 * code. For each message on its socket it makes a process with CLONE_PARENT, so that all are
 * children of the kernel process, which waits for them. All of them die with the kernel process
 * (PR_SET_PDEATHSIG), whichever way it ends. There is no libc here and no data but constants.
 */
#include "hal/host/stub_message.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <asm/prctl.h>
#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* Linux's own layouts, without libc's headers. */
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define MAP_FIXED 16
#define SIG_BLOCK 0
#define SIGKILL 9
#define SIGCHLD 17
#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define EINTR 4
#define SA_FLAGS 0x4c000004ul /* SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER */
#define PAGE 4096

struct kernel_sigaction {
	void (*handler)(void);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

struct iovec {
	void *base;
	size_t bytes;
};

struct msghdr {
	void *name;
	int name_bytes;
	struct iovec *iov;
	size_t iov_count;
	void *control;
	size_t control_bytes;
	unsigned flags;
};

struct control {
	size_t bytes;
	int level, type;
	int fd, spare;
};

HIDDEN void stub_signal(void);
HIDDEN void stub_restorer(void);
HIDDEN _Noreturn void stub_helper(void);
HIDDEN _Noreturn void stub_zygote(void);
HIDDEN extern const struct sock_fprog stub_guest_program;

#define IP_LOW ((uint32_t)(STUB_TEXT & 0xffffffff))
#define IP_HIGH ((uint32_t)(STUB_TEXT >> 32))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field)                                                                           \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + 4)
/* Goes on if the test holds, else traps; `left` instructions follow up to the last. */
#define NEED(test, value, left) BPF_JUMP(BPF_JMP | (test) | BPF_K, (uint32_t)(value), 0, left)
#define NEED_NOT(test, value, left) BPF_JUMP(BPF_JMP | (test) | BPF_K, (uint32_t)(value), left, 0)

/* What a guest thread may do: wait and wake by futex on an exchange area, from the stub's page. */
static const struct sock_filter guest_filter[] = {
	LOAD(arch),
	NEED(BPF_JEQ, AUDIT_ARCH_X86_64, 15),
	LOAD_HIGH(instruction_pointer),
	NEED(BPF_JEQ, IP_HIGH, 13),
	LOAD(instruction_pointer),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)(STUB_TEXT_BYTES - 1)),
	NEED(BPF_JEQ, IP_LOW, 10),
	LOAD(nr),
	NEED(BPF_JEQ, __NR_futex, 8),
	LOAD(args[1]),
	NEED_NOT(BPF_JGT, FUTEX_WAKE, 6),
	LOAD_HIGH(args[0]),
	NEED(BPF_JEQ, STUB_EXCHANGE >> 32, 4),
	LOAD(args[0]),
	NEED(BPF_JGE, STUB_EXCHANGE & 0xffffffff, 2),
	NEED_NOT(BPF_JGE, STUB_EXCHANGE_END & 0xffffffff, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
};

const struct sock_fprog stub_guest_program = {
	.len = sizeof(guest_filter) / sizeof(guest_filter[0]),
	.filter = (struct sock_filter *)guest_filter,
};

/* With the last two arguments 0. */
static inline long call(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = 0;
	register long r9 __asm__("r9") = 0;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long map_file(uintptr_t addr, size_t bytes, int prot, int fd, uint64_t offset)
{
	register long r10 __asm__("r10") = MAP_SHARED | MAP_FIXED;
	register long r8 __asm__("r8") = fd;
	register long r9 __asm__("r9") = (long)offset;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(__NR_mmap), "D"(addr), "S"(bytes), "d"(prot), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static _Noreturn void end(int status)
{
	for (;;)
		call(__NR_exit_group, status, 0, 0, 0);
}

static inline void need(long result)
{
	if (result < 0)
		end(1);
}

/* Dies with the kernel process, also if that has died already. */
static void bind_to_parent(int parent)
{
	need(call(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0));
	if (call(__NR_getppid, 0, 0, 0, 0) != parent)
		end(1);
}

static void install_handlers(void)
{
	static const uint8_t signals[] = {4, 5, 7, 8, STUB_SIGNAL_STOP, 11, 31};
	struct kernel_sigaction action;
	uint64_t all = ~0ull;

	action.handler = stub_signal;
	action.flags = SA_FLAGS;
	action.restorer = stub_restorer;
	action.mask = 0;
	need(call(__NR_rt_sigprocmask, SIG_BLOCK, (long)&all, 0, 8));
	for (unsigned i = 0; i < sizeof(signals); i++)
		need(call(__NR_rt_sigaction, signals[i], (long)&action, 0, 8));
}

/* A new process, of which this is the only thread: it becomes the helper. */
static _Noreturn void become_stub(const struct stub_message *message, int done_fd)
{
	bind_to_parent(message->parent);
	need(call(__NR_prctl, PR_SET_NAME, (long)"cloudos-stub", 0, 0));
	need(map_file(STUB_REQUEST, STUB_REQUEST_BYTES, PROT_READ, STUB_FD_REQUEST,
		      message->offset));
	need(map_file(STUB_EXCHANGE, message->cpus * (size_t)STUB_EXCHANGE_BYTES,
		      PROT_READ | PROT_WRITE, STUB_FD_DONE, message->offset + PAGE));
	install_handlers();
	if (message->flags & STUB_TRAP_TSC)
		need(call(__NR_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0));
	if (message->flags & STUB_TRAP_CPUID)
		need(call(__NR_arch_prctl, ARCH_SET_CPUID, 0, 0, 0));
	need(call(__NR_dup2, done_fd, STUB_FD_DONE, 0, 0));
	need(call(__NR_close_range, STUB_FD_DONE + 1, -1, 0, 0));
	stub_helper();
}

/* Makes a process for one message, and answers with its number or -ERRNO. */
static void serve_message(const struct stub_message *message, int done_fd)
{
	struct stub_answer answer;
	long pid = call(__NR_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0);

	if (pid == 0)
		become_stub(message, done_fd);
	call(__NR_close, done_fd, 0, 0, 0);
	answer.pid = (int32_t)pid;
	need(call(__NR_write, STUB_FD_SOCKET, (long)&answer, sizeof(answer), 0));
}

void stub_zygote(void)
{
	struct stub_message message;
	struct control control;
	struct iovec iov = {&message, sizeof(message)};

	need(call(__NR_munmap, PAGE, STUB_TEXT - PAGE, 0, 0));
	need(call(__NR_munmap, STUB_STACK + STUB_STACK_BYTES,
		  STUB_ADDRESS_END - STUB_STACK - STUB_STACK_BYTES, 0, 0));
	need(call(__NR_prctl, PR_SET_NAME, (long)"cloudos-zygote", 0, 0));
	need(call(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0));
	need(call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0));
	for (;;) {
		struct msghdr header = {
			.iov = &iov,
			.iov_count = 1,
			.control = &control,
			.control_bytes = sizeof(control),
		};
		long got = call(__NR_recvmsg, STUB_FD_SOCKET, (long)&header, 0, 0);

		if (got == -EINTR)
			continue;
		if (got != sizeof(message))
			end(got == 0 ? 0 : 1);
		serve_message(&message, control.fd);
	}
}
