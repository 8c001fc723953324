/*
 * The user's console: standard input and output of programs. It is the first console device that
 * a driver offers; until there is one, the machine's log.
 */
#ifndef SERVICES_CONSOLE_CONSOLE_H
#define SERVICES_CONSOLE_CONSOLE_H

#include "hal/types.h"

/* A device that carries bytes. Both calls may block and are made by one thread at a time each. */
struct console_device {
	const char *name;
	void *device; /* the driver's own */
	/* Sends all of it; returns when the device has taken it. 0 or -EIO. */
	int (*write)(void *device, const char *text, size_t bytes);
	/* 1..max bytes, or -EINTR, -EIO. */
	int64_t (*read)(void *device, char *buf, size_t max);
};

/* Makes `device`, which stays for ever, the user's console if there is none yet. Whether it did. */
bool console_offer(const struct console_device *device);

/* Writes all bytes as they are. When it returns they have left the kernel. 0 or -EIO. */
HAL_USE_RESULT int console_write(const char *text, size_t bytes);

/* Waits for input: 1..max bytes; 0 at the end of input (the character CONSOLE_EOF); -EINTR. */
HAL_USE_RESULT int64_t console_read(char *buf, size_t max);

/* Control-D, as the line discipline of a terminal has it: ends the input once. */
#define CONSOLE_EOF '\004'

#endif
