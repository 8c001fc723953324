/*
 * The one loop that serves every machine: run user code until it stops, handle why, reschedule.
 *
 * Before user code is entered: a killed thread ends, the personality's enter_user hook looks at
 * signals, another thread has its turn. All of it is looked at once more with interrupts disabled:
 * what comes after that makes an interrupt pending, and hal_user_run() returns at once.
 */
#include "core/trap.h"

#include "core/log.h"
#include "core/panic.h"
#include "core/space.h"
#include "core/state.h"
#include "core/task.h"

/* Nothing stands between this thread and user code. */
static bool may_enter(struct thread *thread)
{
	return !sched_requested() &&
	       !atomic_load_explicit(&thread->interrupted, memory_order_relaxed) &&
	       !atomic_load_explicit(&thread->killed, memory_order_relaxed);
}

/* Returns with interrupts disabled, when user code may be entered. */
static void prepare_user(struct thread *thread)
{
	const struct task_ops *ops = thread->task->ops;

	for (;;) {
		sched_point();
		if (atomic_load(&thread->killed))
			thread_exit();
		atomic_store(&thread->interrupted, false);
		if (ops->enter_user)
			ops->enter_user(thread);
		hal_irq_disable();
		if (may_enter(thread))
			return;
		hal_irq_enable();
	}
}

static void handle_syscall(struct thread *thread)
{
	uint64_t number = hal_user_syscall(thread->user);
	struct trace_cause before =
		trace_begin(TRACE_SYSCALL, number, hal_user_arg(thread->user, 0));

	account_add(&thread->account.syscalls, 1);
	thread->task->ops->syscall(thread);
	trace_event(TRACE_SYSRET, number, hal_user_result(thread->user));
	trace_end(before);
}

static void handle_fault(struct thread *thread, const struct hal_event *event)
{
	struct trace_cause before = trace_begin(TRACE_FAULT, event->addr, event->access);
	int err;

	account_add(&thread->account.faults, 1);
	err = space_fault(thread->task->space, event->addr, event->access);
	if (err)
		thread->task->ops->fault(thread, event, err);
	trace_end(before);
}

static void handle_trap(struct thread *thread, const struct hal_event *event)
{
	struct trace_cause before = trace_begin(TRACE_TRAP, event->trap, hal_user_pc(thread->user));

	thread->task->ops->fault(thread, event, 0);
	trace_end(before);
}

static void handle_event(struct thread *thread, const struct hal_event *event)
{
	switch (event->kind) {
	case HAL_EVENT_INTERRUPT:
		break; /* taken when interrupts were enabled */
	case HAL_EVENT_SYSCALL:
		handle_syscall(thread);
		break;
	case HAL_EVENT_FAULT:
		handle_fault(thread, event);
		break;
	case HAL_EVENT_TRAP:
		handle_trap(thread, event);
		break;
	default:
		panic("the machine reports event %d, which no contract knows", (int)event->kind);
	}
}

void trap_loop(struct thread *thread)
{
	struct hal_event event;
	uint64_t now;

	for (;;) {
		prepare_user(thread);
		thread_account_kernel(thread, hal_time_ns());
		memset(&event, 0, sizeof(event));
		hal_user_run(space_mmu(thread->task->space), thread->user, &event);
		now = hal_time_ns();
		account_add(&thread->account.user_ns, now - thread->account_since_ns);
		thread->account_since_ns = now;
		hal_irq_enable();
		handle_event(thread, &event);
	}
}
