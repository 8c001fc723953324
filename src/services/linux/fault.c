/*
 * What becomes of a program that faults: a report on the log, and the end of that program alone.
 *
 * No state. Runs in the context of the thread that faulted.
 */
#include "services/linux/linux_priv.h"

#include "core/log.h"

struct verdict {
	int signal;
	const char *what; /* for people */
	const char *why;
};

static const char *access_name(unsigned access)
{
	if (access & HAL_PROT_WRITE)
		return "write";
	if (access & HAL_PROT_EXEC)
		return "execute";
	return "read";
}

static struct verdict judge_fault(int err)
{
	switch (err) {
	case -EACCES:
		return (struct verdict){SIGSEGV, "segmentation fault", "not allowed there"};
	case -EIO:
		return (struct verdict){SIGBUS, "bus error", "behind the end of the object"};
	case -ENOMEM:
		return (struct verdict){SIGKILL, "out of memory", "no page is left"};
	default:
		return (struct verdict){SIGSEGV, "segmentation fault", "not mapped"};
	}
}

static struct verdict judge_trap(enum hal_trap trap)
{
	switch (trap) {
	case HAL_TRAP_ILLEGAL:
		return (struct verdict){SIGILL, "illegal instruction", "undefined or privileged"};
	case HAL_TRAP_BREAKPOINT:
		return (struct verdict){SIGTRAP, "breakpoint", "nobody debugs it"};
	case HAL_TRAP_STEP:
		return (struct verdict){SIGTRAP, "single step", "nobody debugs it"};
	case HAL_TRAP_DIVIDE:
		return (struct verdict){SIGFPE, "division error", "by zero, or too large"};
	case HAL_TRAP_FPU:
		return (struct verdict){SIGFPE, "floating-point exception", "it was unmasked"};
	case HAL_TRAP_ALIGNMENT:
		return (struct verdict){SIGBUS, "bus error", "not aligned"};
	case HAL_TRAP_PROTECTION:
		return (struct verdict){SIGSEGV, "general protection fault", "a bad address"};
	case HAL_TRAP_FOREIGN:
		return (struct verdict){SIGSEGV, "system call of another ABI", "there is none"};
	default:
		return (struct verdict){SIGKILL, "machine error", "it cannot go on"};
	}
}

static void report(struct thread *thread, const struct hal_event *event,
		   const struct verdict *verdict)
{
	const struct hal_user *user = thread->user;
	char line[160];

	if (event->kind == HAL_EVENT_FAULT)
		log_write(LOG_WARNING, "linux",
			  "%s[%u]: %s at 0x%llx (%s, %s), pc 0x%llx, sp 0x%llx", thread->task->name,
			  thread->task->id, verdict->what, (unsigned long long)event->addr,
			  access_name(event->access), verdict->why,
			  (unsigned long long)hal_user_pc(user),
			  (unsigned long long)hal_user_sp(user));
	else
		log_write(LOG_WARNING, "linux", "%s[%u]: %s (%s), pc 0x%llx, sp 0x%llx",
			  thread->task->name, thread->task->id, verdict->what, verdict->why,
			  (unsigned long long)hal_user_pc(user),
			  (unsigned long long)hal_user_sp(user));
	for (unsigned i = 0; linux_registers(user, i, line, sizeof(line)); i++)
		log_write(LOG_INFO, "linux", "%s[%u]: %s", thread->task->name, thread->task->id,
			  line);
}

void linux_fault(struct thread *thread, const struct hal_event *event, int err)
{
	struct verdict verdict = event->kind == HAL_EVENT_FAULT ? judge_fault(err)
								: judge_trap(event->trap);

	report(thread, event, &verdict);
	linux_end_by_signal(verdict.signal);
}
