/*
 * The terminal on standard input: raw while the machine runs, and always given back.
 */
#ifndef HAL_HOST_TERMINAL_H
#define HAL_HOST_TERMINAL_H

#include "hal/types.h"

enum terminal_key { TERMINAL_DATA, TERMINAL_LEAVE, TERMINAL_HELP };

/* The escape: Ctrl-A, then x leaves, ? or h helps, Ctrl-A sends itself. */
struct terminal_keys {
	bool escaped; /* the last byte was Ctrl-A */
};

/*
 * Takes the next typed byte. TERMINAL_DATA: `bytes` (0..2) in `out` are for the machine.
 */
enum terminal_key terminal_type(struct terminal_keys *keys, char c, char out[2], size_t *bytes);

/* Puts standard input into raw mode if it is a terminal; output processing stays on. */
void terminal_make_raw(void);

/* Undoes it. From any thread, from signal handlers, and more than once. */
void terminal_restore(void);

/* Whether standard input is a terminal that was made raw. */
bool terminal_is_raw(void);

/* Columns and rows of the terminal on standard output or input; 0, 0 if there is none. */
void terminal_size(uint16_t *columns, uint16_t *rows);

#endif
