/*
 * The init service: runs the command of the kernel command line, or /bin/hello, from the initial
 * image and ends the system with the status a shell would show. Programs that are separated by a
 * word ";" run one after the other; the status is that of the last.
 *
 * State: none that outlives its thread. When tests were asked for, core runs those instead.
 */
#include "core/log.h"
#include "core/main.h"
#include "core/options.h"
#include "core/service.h"
#include "core/task.h"
#include "services/initrd/initrd.h"
#include "services/linux/linux.h"
#include "services/placement.h"

#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND 127
#define LISTED_MAX 100 /* programs named when one is not found */
#define LISTING_COLUMNS 80

static const char *const environment[] = {"PATH=/bin", "HOME=/", NULL};

/* Lines of names, for the log. */
struct listing {
	char line[LISTING_COLUMNS];
	size_t used; /* of line */
	unsigned count;
};

static void log_line(struct listing *listing)
{
	if (listing->used)
		log_write(LOG_ERROR, "init", "   %s", listing->line);
	listing->used = 0;
}

static void list_program(void *arg, const struct cpio_entry *entry)
{
	struct listing *listing = arg;
	size_t bytes = str_length(entry->name) + 1;

	if (!(entry->mode & 0111) || (entry->mode & CPIO_TYPE_MASK) == CPIO_TYPE_DIR)
		return;
	if (++listing->count > LISTED_MAX || bytes >= sizeof(listing->line))
		return;
	if (listing->used + bytes >= sizeof(listing->line))
		log_line(listing);
	listing->used += str_format(listing->line + listing->used,
				    sizeof(listing->line) - listing->used, " %s", entry->name);
}

/* What the initial image has to offer, for who asked for something that it has not. */
static void log_programs(void)
{
	struct listing listing = {.used = 0};

	log_write(LOG_ERROR, "init", "the initial image has these programs:");
	initrd_each(list_program, &listing);
	log_line(&listing);
	if (listing.count > LISTED_MAX)
		log_write(LOG_ERROR, "init", "    and %u more", listing.count - LISTED_MAX);
	if (listing.count == 0)
		log_write(LOG_ERROR, "init", "    none");
}

static int report_failure(const char *path, int err, const char *why)
{
	log_write(LOG_ERROR, "init", "%s: %s", path, why);
	if (err != -ENOENT)
		return STATUS_NOT_EXECUTABLE;
	log_programs();
	return STATUS_NOT_FOUND;
}

/* Runs one program to its end. Its status as a shell shows it. */
static int run_program(const char **argv)
{
	char path[256];
	const char *name = argv[0];
	const char *why = "";
	struct task *task;
	int status, err;

	if (!str_find_char(name, '/')) {
		str_format(path, sizeof(path), "/bin/%s", name);
		argv[0] = path;
	}
	err = linux_start_program(argv, environment, &task, &why);
	if (err) {
		err = report_failure(argv[0], err, why);
		argv[0] = name;
		return err;
	}
	argv[0] = name;
	err = task_wait_ended(task, &status);
	task_put(task);
	if (err)
		return STATUS_NOT_EXECUTABLE;
	status = linux_shell_status(status);
	log_write(LOG_INFO, "init", "%s ended with status %d", name, status);
	return status;
}

static void run_commands(void *arg)
{
	const char *argv[OPTIONS_WORDS_MAX + 1];
	const char *const *words;
	unsigned count = options_command(&words), argc = 0;
	int status = 0;

	(void)arg;
	for (unsigned i = 0; i < count; i++) {
		if (str_compare(words[i], ";") != 0)
			argv[argc++] = words[i];
		if (argc && (i + 1 == count || str_compare(words[i], ";") == 0)) {
			argv[argc] = NULL;
			status = run_program(argv);
			argc = 0;
		}
	}
	if (count == 0) {
		argv[0] = options_get("init") ? options_get("init") : "/bin/hello";
		argv[1] = NULL;
		status = run_program(argv);
	}
	kernel_shutdown(status);
}

static int init_start(void)
{
	struct thread *thread;
	int err;

	if (kernel_wants_tests())
		return 0;
	err = thread_create_kernel(NULL, "init", run_commands, NULL, &thread);
	if (err)
		return err;
	thread_start(thread);
	thread_put(thread);
	return 0;
}

const struct service init_service = {
	.name = "init",
	.class_name = placement_class_init,
	.needs = {"console", "linux", NULL},
	.start = init_start,
};
