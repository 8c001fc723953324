/*
 * Standard input, read by a thread of its own (a read of a terminal or pipe may hang), or in
 * seeded mode by the CPU when it has nothing else to do.
 *
 * The end of the input is told to the machine as a person would: Ctrl-D, twice if the last line
 * was not ended. Of a terminal, Ctrl-A is the escape (terminal.h).
 *
 * Seeded mode: a file is read in fixed parts. Of a pipe, whole lines are taken, and the CPU waits
 * for them PATIENCE_MS the first few times: so a pipe whose writer keeps up is read the same way
 * in each run. Input that comes after the patience is over, and what a person types, mark the run
 * as not exact.
 */
#include "hal/host/input.h"

#include "hal/base.h"
#include "hal/host/futex.h"
#include "hal/host/host_priv.h"
#include "hal/host/model.h"
#include "hal/host/terminal.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_BYTES 1024u
#define END_OF_INPUT 4 /* Ctrl-D */
#define PATIENCE_MS 200
#define PATIENCE_TRIES 3

static struct {
	struct vdev_device *console;
	_Atomic uint32_t room_word; /* a futex: changes when there may be more room */
	struct terminal_keys keys;
	char last;	 /* byte that was read; the reading thread's or CPU's own, as all below */
	bool ended;	 /* nothing more will come */
	bool is_file;	 /* reading never waits */
	unsigned misses; /* how often waiting was in vain */
} input = {.last = '\n'};

static const char help[] =
	"\r\ncloudos-sim: Ctrl-A x  leave\r\n"
	"             Ctrl-A ?  this help\r\n"
	"             Ctrl-A Ctrl-A  send Ctrl-A\r\n";

/* Sorts out the escapes. How many bytes for the machine are in `out`, which holds twice `bytes`. */
static size_t take_keys(const char *in, size_t bytes, char *out)
{
	size_t length = 0;

	for (size_t i = 0; i < bytes; i++) {
		size_t more;

		switch (terminal_type(&input.keys, in[i], out + length, &more)) {
		case TERMINAL_LEAVE:
			hal_log_write("\r\n", 2);
			host_exit(0);
		case TERMINAL_HELP:
			hal_log_write(help, sizeof(help) - 1);
			break;
		case TERMINAL_DATA:
			length += more;
			break;
		}
	}
	return length;
}

/* Gives bytes to the console; at the end of the input (bytes == 0) what stands for it. */
static void give(const char *text, size_t bytes)
{
	static const char end[] = {END_OF_INPUT, END_OF_INPUT};
	char typed[2 * PART_BYTES];

	if (bytes) {
		input.last = text[bytes - 1];
		if (terminal_is_raw()) {
			bytes = take_keys(text, bytes, typed);
			text = typed;
		}
		model_console_input(input.console, text, bytes);
	} else {
		input.ended = true;
		model_console_input(input.console, end, input.last == '\n' ? 1 : 2);
	}
}

/* ---- Free mode ---- */

static void wait_for_room(void)
{
	for (;;) {
		uint32_t word = atomic_load(&input.room_word);

		if (model_console_room(input.console) >= 2 * PART_BYTES)
			return;
		futex_wait(&input.room_word, word, UINT64_MAX);
	}
}

void input_note_room(void)
{
	atomic_fetch_add(&input.room_word, 1);
	futex_wake(&input.room_word, 1);
}

static void run_input(void)
{
	char buf[PART_BYTES];

	while (!input.ended) {
		ssize_t got;

		wait_for_room();
		got = read(STDIN_FILENO, buf, sizeof(buf));
		if (got < 0 && errno == EAGAIN) {
			struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};

			poll(&ready, 1, -1);
		} else if (got >= 0 || errno != EINTR) {
			give(buf, got > 0 ? (size_t)got : 0);
		}
	}
}

int input_start(struct vdev_device *console)
{
	struct stat status;

	input.console = console;
	if (!host.seeded)
		return host_thread_start("input", run_input);
	if (fstat(STDIN_FILENO, &status))
		input.ended = true;
	else
		input.is_file = S_ISREG(status.st_mode) ||
				(S_ISCHR(status.st_mode) && !isatty(STDIN_FILENO));
	return 0;
}

/* ---- Seeded mode ---- */

/* Waits until reading gives something. False: not within the patience. */
static bool wait_for_input(bool wait)
{
	struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
	int timeout = wait ? -1 : input.misses < PATIENCE_TRIES ? PATIENCE_MS : 0;
	int count;

	if (input.is_file)
		return true;
	if (terminal_is_raw() && !wait)
		timeout = 0;
	do
		count = poll(&ready, 1, timeout);
	while (count < 0 && errno == EINTR);
	if (!count)
		input.misses++;
	else if (input.misses || terminal_is_raw())
		atomic_store(&host.inexact, true);
	return count > 0;
}

/* A line of a pipe, however it is cut up on its way; a part of anything else. */
static size_t read_line(char *buf)
{
	size_t length = 0;

	do {
		ssize_t got = read(STDIN_FILENO, buf + length,
				   input.is_file || terminal_is_raw() ? PART_BYTES : 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	} while (!input.is_file && !terminal_is_raw() && length < PART_BYTES &&
		 buf[length - 1] != '\n');
	return length;
}

bool input_read_seeded(bool wait)
{
	char buf[PART_BYTES];

	if (!input.console || input.ended)
		return false;
	if (!model_console_wants_input(input.console) ||
	    model_console_room(input.console) < 2 * PART_BYTES)
		return !wait;
	if (wait_for_input(wait))
		give(buf, read_line(buf));
	return true;
}
