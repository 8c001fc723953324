/*
 * The end of a kernel that cannot go on: message, CPU, thread and symbolised backtrace on the log,
 * the other CPUs stopped, then power off with status PANIC_STATUS (or a halt with panic=halt).
 */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "hal/types.h"

#include <stdatomic.h>

#define PANIC_STATUS 125

HAL_NORETURN void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The function that `pc` lies in, from the table that the build made of the kernel's own symbols;
 * `offset` bytes into it. NULL if it lies in none. */
const char *symbol_find(uintptr_t pc, size_t *offset);

/* The table that the build makes of the kernel's own symbols, ascending by address; the name is at
 * symbol_names + name. Empty in the first stage of the link. */
struct symbol_entry {
	uint64_t addr;
	uint32_t name;
};

extern const struct symbol_entry symbol_table[];
extern const uint32_t symbol_count;
extern const char symbol_names[];

struct panic_state {
	_Atomic uint32_t cpu;	/* that panics, plus 1; 0: none */
	_Atomic uint32_t depth; /* how often it has panicked */
};

#endif
