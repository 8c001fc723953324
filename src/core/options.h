/*
 * The kernel command line: words, `name=value` options, and after ` -- ` the program that init
 * runs with its arguments. A word in double quotes may hold spaces; \" \\ and \' (which GRUB
 * writes) stand for their second letter. A broken line (open quote, too long) is reported on the
 * log and used as far as read.
 */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include "hal/types.h"

#define OPTIONS_WORDS_MAX 128

/* Splits `cmdline`. Called once by core at boot. */
void options_init(const char *cmdline);

/* The value of the last `name=value`, "" for a bare `name`, NULL if it is not given. */
const char *options_get(const char *name);

/* A number option; `fallback` if it is not given, or given wrong (which is logged). */
uint64_t options_get_u64(const char *name, uint64_t fallback);

/* The words behind ` -- `: the count, and the words, terminated by NULL. */
unsigned options_command(const char *const **words);

struct options_state {
	char text[HAL_CMDLINE_MAX];		    /* the words, each terminated. Set once */
	const char *words[OPTIONS_WORDS_MAX + 1];   /* options, then NULL. Set once */
	const char *command[OPTIONS_WORDS_MAX + 1]; /* behind ` -- `, then NULL. Set once */
	unsigned word_count, command_count;	    /* Set once */
};

#endif
