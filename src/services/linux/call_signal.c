/*
 * System calls on signals. Dispositions and the mask are kept, so that programs can set and read
 * them; a signal that a process sends itself has its default action, or none where it is ignored.
 * A handler is not run yet: a signal that has one is refused with ENOSYS when it is sent.
 *
 * State: actions and signal_mask of struct linux_process.
 */
#include "services/linux/linux_priv.h"

#define SIG_DFL 0u
#define SIG_IGN 1u
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define SIGNAL_SET_BYTES 8

#define SIGNAL_BIT(signal) ((uint64_t)1 << ((signal)-1))
#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* Default action: nothing happens. */
#define IGNORED_BY_DEFAULT                                                                         \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))
/* Default action: the process stops, which there is nobody to undo. */
#define STOPS_BY_DEFAULT                                                                           \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

/* rt_sigaction(2) */
int64_t linux_rt_sigaction(const uint64_t args[6])
{
	struct linux_process *process = process_this();
	struct linux_sigaction wanted, old;
	uint64_t signal = (uint32_t)args[0];
	int err = 0;

	if (args[3] != SIGNAL_SET_BYTES || signal < 1 || signal > LINUX_SIGNALS_MAX)
		return -EINVAL;
	if (args[1]) {
		if (SIGNAL_BIT(signal) & UNBLOCKABLE)
			return -EINVAL;
		err = copy_in(space_this(), &wanted, args[1], sizeof(wanted));
		if (err)
			return err;
	}
	old = process->actions[signal - 1];
	if (args[1]) {
		process->actions[signal - 1] = wanted;
		process->actions[signal - 1].mask &= ~UNBLOCKABLE;
	}
	if (args[2])
		err = copy_out(space_this(), args[2], &old, sizeof(old));
	return err;
}

/* Sends `signal` to the calling process. Does not return if it ends by it. */
static int64_t send_to_self(uint32_t signal)
{
	struct linux_process *process = process_this();
	uint64_t handler;

	if (signal > LINUX_SIGNALS_MAX)
		return -EINVAL;
	if (signal == 0)
		return 0;
	handler = process->actions[signal - 1].handler;
	if (handler == SIG_IGN)
		return 0;
	if (handler != SIG_DFL)
		return -ENOSYS;
	if (SIGNAL_BIT(signal) & IGNORED_BY_DEFAULT)
		return 0;
	if (SIGNAL_BIT(signal) & STOPS_BY_DEFAULT)
		return -ENOSYS;
	if (!(process->signal_mask & SIGNAL_BIT(signal)))
		linux_end_by_signal((int)signal);
	process->signals_pending |= SIGNAL_BIT(signal);
	return 0;
}

/* Sends what was held back and is not blocked any more. A handler may have been set since; what
 * it would have got stays pending. */
static void send_pending(struct linux_process *process)
{
	uint64_t ready = process->signals_pending & ~process->signal_mask;

	for (uint32_t signal = 1; signal <= LINUX_SIGNALS_MAX; signal++) {
		if (!(ready & SIGNAL_BIT(signal)))
			continue;
		if (send_to_self(signal) == 0)
			process->signals_pending &= ~SIGNAL_BIT(signal);
	}
}

/* rt_sigprocmask(2) */
int64_t linux_rt_sigprocmask(const uint64_t args[6])
{
	struct linux_process *process = process_this();
	uint64_t old = process->signal_mask, set = 0;
	int err;

	if (args[3] != SIGNAL_SET_BYTES)
		return -EINVAL;
	if (args[1]) {
		err = copy_in(space_this(), &set, args[1], sizeof(set));
		if (err)
			return err;
		set &= ~UNBLOCKABLE;
		if ((uint32_t)args[0] == SIG_BLOCK)
			process->signal_mask = old | set;
		else if ((uint32_t)args[0] == SIG_UNBLOCK)
			process->signal_mask = old & ~set;
		else if ((uint32_t)args[0] == SIG_SETMASK)
			process->signal_mask = set;
		else
			return -EINVAL;
	}
	if (args[2]) {
		err = copy_out(space_this(), args[2], &old, sizeof(old));
		if (err)
			return err;
	}
	send_pending(process);
	return 0;
}

/* kill(2): of oneself, alone or as the one process of the group. */
int64_t linux_kill(const uint64_t args[6])
{
	int32_t pid = (int32_t)args[0];

	if (pid != 0 && pid != (int32_t)process_this()->id)
		return -ESRCH;
	return send_to_self((uint32_t)args[1]);
}

/* tkill(2) */
int64_t linux_tkill(const uint64_t args[6])
{
	if ((int32_t)args[0] <= 0)
		return -EINVAL;
	if ((uint32_t)args[0] != thread_this()->id)
		return -ESRCH;
	return send_to_self((uint32_t)args[1]);
}

/* tgkill(2) */
int64_t linux_tgkill(const uint64_t args[6])
{
	if ((int32_t)args[0] <= 0 || (int32_t)args[1] <= 0)
		return -EINVAL;
	if ((uint32_t)args[0] != process_this()->id || (uint32_t)args[1] != thread_this()->id)
		return -ESRCH;
	return send_to_self((uint32_t)args[2]);
}
