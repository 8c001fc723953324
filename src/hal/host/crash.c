/*
 * The ways out of the process. Each gives the terminal back and ends the stubs.
 *
 * A fault on a CPU's thread is the kernel's: up_panic() reports it, on the CPU's signal stack.
 * A fault elsewhere, or a second one on the way, ends the process with HOST_STATUS_CRASH. Signals
 * by which people end a process do so, with the status that a shell gives them (128 + number).
 */
#include "hal/host/host_priv.h"

#include "hal/base.h"
#include "hal/host/device_priv.h"
#include "hal/host/sanitizer.h"
#include "hal/host/terminal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

void host_exit(int status)
{
	if (atomic_exchange(&host.ending, true))
		for (;;)
			pause();
	terminal_restore();
	host_user_stop();
	if (__gcov_dump)
		__gcov_dump();
	_exit(status);
}

static void write_message(const char *format, va_list args)
{
	char text[1024];
	int length = snprintf(text, sizeof(text), "cloudos-sim: ");

	length += vsnprintf(text + length, sizeof(text) - (size_t)length - 1, format, args);
	length = MIN(length, (int)sizeof(text) - 2);
	text[length++] = '\n';
	terminal_restore();
	hal_log_write(text, (size_t)length);
}

void host_fatal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_message(format, args);
	va_end(args);
	host_exit(HOST_STATUS_CRASH);
}

void host_refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_message(format, args);
	va_end(args);
	host_exit(HOST_STATUS_BROKEN);
}

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

void host_crash_blocked_signals(sigset_t *set)
{
	sigfillset(set);
	sigdelset(set, SIGSYS);
	for (unsigned i = 0; i < ARRAY_COUNT(crashes); i++)
		sigdelset(set, crashes[i]);
}

static const char *name_signal(int number)
{
	switch (number) {
	case SIGSEGV:
		return "a bad address";
	case SIGBUS:
		return "an address without memory behind it (is the host out of memory?)";
	case SIGILL:
		return "an illegal instruction";
	case SIGFPE:
		return "a division error";
	default:
		return "an abort";
	}
}

static void take_crash(int number, siginfo_t *info, void *arg)
{
	const ucontext_t *context = arg;
	uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
	uintptr_t frame = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
	struct host_cpu *cpu = host_cpu_this();

	if (!cpu || atomic_exchange(&cpu->crashed, true))
		host_fatal("crashed at %#lx: %s %p", pc, name_signal(number), info->si_addr);
	up_panic(pc, frame, "%s in the kernel: %p", name_signal(number), info->si_addr);
}

/* A system call that confine.c gave up. */
static void take_refused_call(int number, siginfo_t *info, void *arg)
{
	(void)number;
	(void)arg;
	host_fatal("the process made Linux's system call %d, which it gave up when it started: "
		   "a bug, or somebody broke in; it ends here", info->si_syscall);
}

static void take_resize(int number)
{
	(void)number;
	device_note_resize();
}

static void take_end(int number)
{
	host_exit(128 + number);
}

void host_crash_prepare(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction crash = {.sa_sigaction = take_crash,
				  .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	struct sigaction end = {.sa_handler = take_end, .sa_flags = SA_ONSTACK};
	struct sigaction resize = {.sa_handler = take_resize,
				   .sa_flags = SA_ONSTACK | SA_RESTART};
	struct sigaction refused = {.sa_sigaction = take_refused_call,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	for (unsigned i = 0; i < ARRAY_COUNT(crashes); i++)
		sigaction(crashes[i], &crash, NULL);
	for (unsigned i = 0; i < ARRAY_COUNT(ends); i++)
		sigaction(ends[i], &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGSYS, &refused, NULL);
	sigaction(SIGWINCH, &resize, NULL);
	host_cpu_prepare_stop();
}
