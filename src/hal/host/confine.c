/*
 * The process confines itself before the kernel runs: no new privileges, and a filter (seccomp(2))
 * of system calls for all its threads. What is not in the table below ends the process with a
 * message. Nothing can be opened, started or made executable any more; files are those that the
 * options named.
 *
 * The zygote and the stubs have filters of their own (zygote.c, stub.c). Sanitizers and Valgrind
 * open files and start programs to make a report: under them the process is not confined.
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
	SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(sched_setaffinity),
	/* memory; mmap and mprotect follow below */
	SCMP_SYS(munmap), SCMP_SYS(madvise), SCMP_SYS(mremap), SCMP_SYS(brk),
	/* the rest of libc */
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrandom), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* What a build with coverage needs besides, to write its counters at the end. */
static const int coverage_calls[] = {
	SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(fcntl), SCMP_SYS(mkdir), SCMP_SYS(getcwd),
	SCMP_SYS(access), SCMP_SYS(ftruncate), SCMP_SYS(getppid), SCMP_SYS(umask),
	SCMP_SYS(readlink), SCMP_SYS(unlink),
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
	{SCMP_SYS(rt_tgsigqueueinfo), SCMP_A2_64(SCMP_CMP_EQ, STUB_SIGNAL_STOP)},
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
	if (!err && sanitizer_counts_coverage())
		err = allow_all(filter, coverage_calls, ARRAY_COUNT(coverage_calls));
	for (unsigned i = 0; i < ARRAY_COUNT(conditional_calls) && !err; i++)
		err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditional_calls[i].call, 1,
					     &conditional_calls[i].condition);
	return err;
}

void host_confine(void)
{
	scmp_filter_ctx filter;
	int err = -ENOMEM;

	if (SANITIZER_BUILD || sanitizer_under_valgrind())
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
