/*
 * What the files of the Linux ABI share. Nothing outside this folder includes it.
 */
#ifndef SERVICES_LINUX_LINUX_PRIV_H
#define SERVICES_LINUX_LINUX_PRIV_H

#include "core/klib.h"
#include "core/space.h"
#include "core/task.h"
#include "services/linux/elf.h"
#include "services/linux/stack.h"

#define LINUX_PATH_MAX 256    /* of a program's own path, its end included */
#define LINUX_SIGNALS_MAX 64  /* 1..64 */
#define LINUX_STACK_BYTES (8u << 20)
#define LINUX_STACK_GUARD_BYTES (1u << 20)
#define LINUX_ARGS_BYTES_MAX (128u << 10) /* argv and envp with their strings */

/* struct sigaction of the kernel's ABI (rt_sigaction(2)), equal on x86_64 and ARM64. */
struct linux_sigaction {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/*
 * A process. It has one thread, in whose context all of this is used; so there is no lock. It is
 * made before that thread starts and freed when the task is gone.
 */
struct linux_process {
	char path[LINUX_PATH_MAX];	/* of its program. Set once */
	uint32_t id;			/* of its task. Set once */
	uint32_t open;			/* bit n: descriptor n (0..2) is open */
	vaddr_t brk_start, brk;		/* the heap of brk(2); brk need not be page-aligned */
	uint64_t signal_mask;		/* bit n - 1: signal n is blocked */
	uint64_t signals_pending;	/* bit n - 1: signal n was sent while it was blocked */
	vaddr_t clear_tid;		/* set_tid_address(2); 0: none */
	vaddr_t robust_list;		/* set_robust_list(2) */
	struct linux_sigaction actions[LINUX_SIGNALS_MAX];
};

static inline struct linux_process *process_this(void)
{
	return task_this()->personality;
}

static inline struct space *space_this(void)
{
	return task_this()->space;
}

/* For long loops: lets others run. Whether the calling thread was killed and should come to an
 * end. */
static inline bool linux_must_stop(void)
{
	sched_point();
	return atomic_load(&thread_this()->killed);
}

/* ---- calls.c: the table of calls, and its users ---- */

typedef int64_t linux_handler(const uint64_t args[6]);

struct linux_call {
	const char *name;
	linux_handler *handler; /* NULL: -ENOSYS */
};

#define LINUX_CALLS_MAX 512

/* A handler for each call that a table names. */
#define CALL(number, name) linux_handler linux_##name;
#define NONE(number, name)
#include "services/linux/table_arm64.def"
#include "services/linux/table_x86_64.def"
#undef CALL
#undef NONE

int64_t linux_dispatch(uint64_t number, const uint64_t args[6]);
void linux_log_missing(void); /* which calls were made that are not there, and how often */

/* ---- exec.c ---- */

/* Where a loaded program starts. */
struct linux_start {
	vaddr_t pc, sp;
	vaddr_t brk; /* page-aligned */
};

struct linux_program {
	const void *file; /* outlives the process */
	size_t bytes;
	const char *path;
	const char *const *argv, *const *envp;
};

HAL_USE_RESULT int linux_load(struct space *space, const struct linux_program *program,
			      struct linux_start *start, const char **why);

/* ---- fault.c ---- */

void linux_fault(struct thread *thread, const struct hal_event *event, int err);

/* Ends the calling process as by the default action of `signal`. */
HAL_NORETURN void linux_end_by_signal(int signal);
HAL_NORETURN void linux_end(int status); /* in the form of wait(2) */

/* ---- arch_*.c ---- */

extern const struct linux_call linux_calls[];
extern const unsigned linux_calls_count;
extern const uint16_t linux_elf_machine;
extern const char linux_platform[];
uint64_t linux_hwcap(void);

/* Line `i` of a register dump; false behind the last. */
bool linux_registers(const struct hal_user *user, unsigned i, char *buf, size_t size);

/* What fstat(2) tells of descriptor `fd` of the console, in the layout of the architecture. The
 * bytes written to `buf`, which has room for LINUX_STAT_BYTES_MAX. */
#define LINUX_STAT_BYTES_MAX 144
#define LINUX_MODE_CONSOLE 0010600u /* a pipe that its owner may read and write */
size_t linux_stat_console(unsigned fd, uint8_t *buf);

/* ---- Signals and errors of this ABI that hal/errno.h does not know ---- */

#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGSEGV 11
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGWINCH 28

#endif
