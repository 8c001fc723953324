/*
 * The end of a kernel that cannot go on: message, CPU, thread and symbolised backtrace on the log,
 * the other CPUs stopped, then power off with status PANIC_STATUS (or a halt with panic=halt).
 */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "hal/types.h"

#define PANIC_STATUS 125

HAL_NORETURN void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The function that `pc` lies in, from the table that the build made of the kernel's own symbols;
 * `offset` bytes into it. NULL if it lies in none. */
const char *symbol_find(uintptr_t pc, size_t *offset);

#endif
