/*
 * The Linux ABI: starts unmodified Linux programs of the initial image.
 */
#ifndef SERVICES_LINUX_LINUX_H
#define SERVICES_LINUX_LINUX_H

#include "core/task.h"

/*
 * Loads the program at argv[0] of the initial image and starts it as a task of its own, with its
 * standard input and output on the console. `argv` and `envp` end with NULL and are copied. 0 with
 * a reference in `task`; -ENOENT; -EACCES for what is no executable file; -ENOEXEC; -E2BIG;
 * -ENOMEM. On failure `why` says more, for people.
 */
HAL_USE_RESULT int linux_start_program(const char *const *argv, const char *const *envp,
				       struct task **task, const char **why);

/* The status a shell would show for the exit status of a task of this service: its code, or 128
 * plus the number of the signal that ended it. */
int linux_shell_status(int exit_status);

#endif
