/*
 * The terminal on standard input.
 *
 * The mode it had is kept in `saved`, written before `raw` is set and then only read, so that a
 * signal handler may restore it.
 */
#include "hal/host/terminal.h"

#include <stdatomic.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE ('a' & 0x1f) /* Ctrl-A */

static struct termios saved; /* Set once, before raw */
static _Atomic bool raw;

void terminal_make_raw(void)
{
	struct termios mode;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved))
		return;
	mode = saved;
	mode.c_iflag &= (tcflag_t)~(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
	mode.c_lflag &= (tcflag_t)~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	atomic_store(&raw, true);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &mode))
		atomic_store(&raw, false);
}

void terminal_restore(void)
{
	if (atomic_exchange(&raw, false))
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

bool terminal_is_raw(void)
{
	return atomic_load(&raw);
}

void terminal_size(uint16_t *columns, uint16_t *rows)
{
	struct winsize size;

	*columns = *rows = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		return;
	*columns = size.ws_col;
	*rows = size.ws_row;
}

enum terminal_key terminal_type(struct terminal_keys *keys, char c, char out[2], size_t *bytes)
{
	bool escaped = keys->escaped;

	*bytes = 0;
	keys->escaped = false;
	if (!escaped && c == ESCAPE) {
		keys->escaped = true;
		return TERMINAL_DATA;
	}
	if (escaped && (c == 'x' || c == 'X'))
		return TERMINAL_LEAVE;
	if (escaped && (c == '?' || c == 'h'))
		return TERMINAL_HELP;
	if (escaped && c != ESCAPE)
		out[(*bytes)++] = ESCAPE;
	out[(*bytes)++] = c;
	return TERMINAL_DATA;
}
