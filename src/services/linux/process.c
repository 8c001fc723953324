/*
 * Processes: made from a file of the initial image, run as tasks of core, ended by exit_group(2)
 * or a signal. Also the service itself.
 *
 * State: none of its own; each process is a struct linux_process that hangs from its task.
 */
#include "services/linux/linux.h"

#include "core/log.h"
#include "core/service.h"
#include "core/slab.h"
#include "services/initrd/initrd.h"
#include "services/linux/linux_priv.h"
#include "services/placement.h"

#define MODE_EXECUTABLE 0111u

static void handle_syscall(struct thread *thread)
{
	struct hal_user *user = thread->user;
	uint64_t args[6];

	for (unsigned i = 0; i < 6; i++)
		args[i] = hal_user_arg(user, i);
	hal_user_set_result(user, (uint64_t)linux_dispatch(hal_user_syscall(user), args));
}

/* Gives the program's memory back before anybody hears of its end. */
static void release_memory(struct task *task)
{
	space_clear(task->space);
}

static void destroy_process(struct task *task)
{
	kfree(task->personality);
}

static const struct task_ops linux_ops = {
	.name = "linux",
	.syscall = handle_syscall,
	.fault = linux_fault,
	.task_ended = release_memory,
	.destroy = destroy_process,
};

void linux_end(int status)
{
	struct linux_process *process = process_this();
	static const uint32_t zero;

	/* A failure to write there is the program's own loss, as on Linux. */
	if (process->clear_tid)
		(void)!copy_out(space_this(), process->clear_tid, &zero, sizeof(zero));
	task_kill(task_this(), status);
	thread_exit();
}

void linux_end_by_signal(int signal)
{
	linux_end(signal);
}

int linux_shell_status(int exit_status)
{
	int signal = exit_status & 0x7f;

	return signal ? 128 + signal : exit_status >> 8 & 0xff;
}

static const char *base_name(const char *path)
{
	const char *base = path;

	for (; *path; path++) {
		if (*path == '/' && path[1])
			base = path + 1;
	}
	return base;
}

static int find_program(const char *path, struct cpio_entry *file, const char **why)
{
	int err = initrd_find(path, file);

	if (err) {
		*why = "no such file in the initial image";
		return -ENOENT;
	}
	if ((file->mode & CPIO_TYPE_MASK) != CPIO_TYPE_FILE) {
		*why = "it is no regular file";
		return -EACCES;
	}
	if (!(file->mode & MODE_EXECUTABLE)) {
		*why = "it is not executable";
		return -EACCES;
	}
	return 0;
}

/* Makes task and thread for a space that is loaded. The process becomes the task's. */
static int start_task(struct space *space, struct linux_process *process,
		      const struct linux_start *start, struct task **task)
{
	struct thread *thread;
	int err = task_create(base_name(process->path), space, &linux_ops, process, task);

	if (err) {
		kfree(process);
		return err;
	}
	process->id = (*task)->id;
	err = thread_create_user(*task, start->pc, start->sp, &thread);
	if (err) {
		task_put(*task);
		return err;
	}
	thread_start(thread);
	thread_put(thread);
	return 0;
}

int linux_start_program(const char *const *argv, const char *const *envp, struct task **task,
			const char **why)
{
	struct linux_program program = {.path = argv[0], .argv = argv, .envp = envp};
	struct linux_process *process;
	struct linux_start start;
	struct cpio_entry file;
	struct space *space;
	int err = find_program(argv[0], &file, why);

	if (err)
		return err;
	*why = "there is not enough memory";
	process = kmalloc(sizeof(*process));
	if (!process)
		return -ENOMEM;
	err = space_create(&space);
	if (err) {
		kfree(process);
		return err;
	}
	program.file = file.data;
	program.bytes = file.bytes;
	err = linux_load(space, &program, &start, why);
	if (err) {
		kfree(process);
	} else {
		str_copy(process->path, sizeof(process->path), argv[0]);
		process->open = 7;
		process->brk_start = process->brk = start.brk;
		err = start_task(space, process, &start, task);
	}
	space_put(space);
	return err;
}

static int linux_service_start(void)
{
	return 0;
}

const struct service linux_service = {
	.name = "linux",
	.class_name = placement_class_linux,
	.needs = {"console", NULL},
	.start = linux_service_start,
	.stop = linux_log_missing,
};
