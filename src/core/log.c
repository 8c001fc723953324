/*
 * The kernel log: a ring of lines, kernel.log. The line is made on the caller's stack and entered
 * under the lock; it is shown under the lock too, so that lines stay whole.
 */
#include "core/log.h"

#include "core/klib.h"
#include "core/state.h"

static void write_line_locked(const char *text, size_t length, bool show)
{
	struct log_line *line = &kernel.log.lines[kernel.log.next++ % LOG_LINES_MAX];

	memcpy(line->text, text, length);
	line->length = (uint16_t)length;
	if (show)
		hal_log_write(text, length);
}

/* "[seconds] area: text\n", cut to LOG_LINE_MAX. The length. */
static size_t make_line(char *line, const char *area, const char *format, va_list args)
{
	uint64_t us = hal_time_ns() / 1000;
	size_t length = str_format(line, LOG_LINE_MAX, "[%5lu.%06lu] %s: ",
				   (unsigned long)(us / 1000000), (unsigned long)(us % 1000000),
				   area);

	length = MIN(length, (size_t)LOG_LINE_MAX / 2);
	length += str_format_list(line + length, LOG_LINE_MAX - length, format, args);
	length = MIN(length, (size_t)LOG_LINE_MAX - 1);
	line[length++] = '\n';
	return length;
}

void log_write(enum log_level level, const char *area, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	size_t length;
	va_list args;

	va_start(args, format);
	length = make_line(line, area, format, args);
	va_end(args);
	spin_lock(&kernel.log.lock);
	write_line_locked(line, length, (int)level <= atomic_load(&kernel.log.level));
	spin_unlock(&kernel.log.lock);
}

void log_write_panic(const char *format, ...)
{
	char line[LOG_LINE_MAX];
	size_t length;
	va_list args;
	bool locked;

	va_start(args, format);
	length = make_line(line, "panic", format, args);
	va_end(args);
	/* Whoever holds the lock may have been stopped: better a torn ring than silence. */
	locked = spin_try_lock(&kernel.log.lock);
	write_line_locked(line, length, true);
	if (locked)
		spin_unlock(&kernel.log.lock);
}

size_t log_read(uint64_t *seq, char *buf, size_t size)
{
	size_t written = 0;

	spin_lock(&kernel.log.lock);
	if (*seq + LOG_LINES_MAX < kernel.log.next)
		*seq = kernel.log.next - LOG_LINES_MAX;
	for (; *seq < kernel.log.next; ++*seq) {
		const struct log_line *line = &kernel.log.lines[*seq % LOG_LINES_MAX];

		if (written + line->length > size)
			break;
		memcpy(buf + written, line->text, line->length);
		written += line->length;
	}
	spin_unlock(&kernel.log.lock);
	return written;
}

void log_set_level(enum log_level level)
{
	atomic_store(&kernel.log.level, (int)level);
}
