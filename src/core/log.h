/*
 * The kernel log: a ring of lines in memory, which a console shows from a chosen level on.
 * Lock: LOCK_RANK_LOG; may be written from anywhere, also while panicking.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/lock.h"

enum log_level {
	LOG_ERROR = 3, /* the numbers of syslog(3) */
	LOG_WARNING = 4,
	LOG_NOTICE = 5,
	LOG_INFO = 6,
	LOG_DEBUG = 7,
};

#define LOG_LINE_MAX 256

/*
 * Writes one line, without its newline: "[seconds] area: text". Cut at LOG_LINE_MAX. What is not
 * above the level of the option loglevel= (default LOG_INFO, with `quiet` LOG_WARNING) also goes
 * to hal_log_write().
 */
void log_write(enum log_level level, const char *area, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Copies lines from sequence number `*seq` on into `buf`, whole lines only; moves `*seq` past
 * them. A `*seq` that was overwritten is moved to the oldest line. Bytes written, 0 at the end.
 */
size_t log_read(uint64_t *seq, char *buf, size_t size);

void log_set_level(enum log_level level);

/* As log_write(), from a panic: waits for no lock, and is shown at any level. */
void log_write_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define LOG_LINES_MAX 256

/* The ring: line number n lies in slot n % LOG_LINES_MAX. */
struct log_line {
	uint16_t length;
	char text[LOG_LINE_MAX]; /* with its newline, not terminated */
};

struct log_state {
	struct spinlock lock;
	uint64_t next; /* number of the next line. Guarded by lock */
	_Atomic int level;
	struct log_line lines[LOG_LINES_MAX]; /* Guarded by lock */
};

#endif
