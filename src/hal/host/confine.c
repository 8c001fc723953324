/*
 * The process confines itself before the kernel runs: no new privileges, and a filter (seccomp(2))
 * of system calls for all its threads. What is not in the table below ends the process with a
 * message. Nothing can be opened, started or made executable any more; files are those that the
 * options named.
 *
 * The zygote and the stubs have filters of their own (zygote.c, stub.c). Instrumented builds call
 * more: the sanitizers look at /proc and write reports, coverage writes its counters.
 */
#include "hal/host/host_priv.h"

#include "hal/base.h"
#include "hal/host/sanitizer.h"
#include "hal/host/stub.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>

/* Calls that are needed with any arguments. */
static const int calls[] = {
	/* time and waiting */
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall), SCMP_SYS(pause), SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	/* open descriptors */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
	SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(fallocate), SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(lseek),
	/* the devices' loop */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(eventfd2),
	/* the zygote's socket, and the end of stubs */
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
	SCMP_SYS(wait4), SCMP_SYS(waitid),
	/* memory; mmap and mprotect follow below */
	SCMP_SYS(munmap), SCMP_SYS(madvise), SCMP_SYS(mremap), SCMP_SYS(brk),
	/* the rest of libc */
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrandom), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* What instrumented builds need besides. */
static const int instrumented_calls[] = {
	SCMP_SYS(openat), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(access),
	SCMP_SYS(getcwd), SCMP_SYS(mkdir), SCMP_SYS(fcntl), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(ftruncate), SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigaction), SCMP_SYS(prctl),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(getrusage), SCMP_SYS(sysinfo),
	SCMP_SYS(prlimit64), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(pipe2), SCMP_SYS(dup2),
	SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(getdents64), SCMP_SYS(unlink),
	SCMP_SYS(personality), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(arch_prctl), SCMP_SYS(umask), SCMP_SYS(uname),
	SCMP_SYS(execve), SCMP_SYS(setrlimit), SCMP_SYS(getrlimit), SCMP_SYS(gettimeofday),
	SCMP_SYS(open),
};

/* A call with one condition on an argument. */
static const struct {
	int call;
	struct scmp_arg_cmp condition;
} conditional_calls[] = {
	{SCMP_SYS(mmap), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
	{SCMP_SYS(mprotect), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
	{SCMP_SYS(ioctl), SCMP_A1_64(SCMP_CMP_EQ, TCGETS)},
	{SCMP_SYS(ioctl), SCMP_A1_64(SCMP_CMP_EQ, TCSETS)},
	{SCMP_SYS(ioctl), SCMP_A1_64(SCMP_CMP_EQ, TIOCGWINSZ)},
	{SCMP_SYS(kill), SCMP_A1_64(SCMP_CMP_EQ, SIGKILL)},
	{SCMP_SYS(tgkill), SCMP_A2_64(SCMP_CMP_EQ, 0)},
	{SCMP_SYS(tgkill), SCMP_A2_64(SCMP_CMP_EQ, STUB_SIGNAL_STOP)},
	{SCMP_SYS(tgkill), SCMP_A2_64(SCMP_CMP_EQ, HOST_STOP_SIGNAL)},
	{SCMP_SYS(tgkill), SCMP_A2_64(SCMP_CMP_EQ, SIGABRT)},
};

static int allow_all(scmp_filter_ctx filter, const int *list, unsigned count)
{
	int err = 0;

	for (unsigned i = 0; i < count && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, list[i], 0);
	return err;
}

static int build_filter(scmp_filter_ctx filter)
{
	int err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!err)
		err = allow_all(filter, calls, ARRAY_COUNT(calls));
	if (!err && sanitizer_is_instrumented())
		err = allow_all(filter, instrumented_calls, ARRAY_COUNT(instrumented_calls));
	for (unsigned i = 0; i < ARRAY_COUNT(conditional_calls) && !err; i++)
		err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditional_calls[i].call, 1,
					     &conditional_calls[i].condition);
	return err;
}

void host_confine(void)
{
	scmp_filter_ctx filter;
	int err = -ENOMEM;

	if (sanitizer_under_valgrind())
		return;
	filter = seccomp_init(SCMP_ACT_TRAP);
	if (filter)
		err = build_filter(filter);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	if (err)
		host_refuse("cannot give up the system calls that are not needed: %s; this Linux "
			    "needs CONFIG_SECCOMP_FILTER", strerror(-err));
}
