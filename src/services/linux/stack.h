/*
 * The initial stack of a program (System V ABI): pure, builds it in memory of the caller's.
 */
#ifndef SERVICES_LINUX_STACK_H
#define SERVICES_LINUX_STACK_H

#include "hal/types.h"

#define LINUX_AUXV_MAX 24

struct linux_auxv {
	uint64_t type, value;
};

/* What goes on the initial stack. A pointer into it is given by the marked types below. */
struct linux_stack {
	const char *const *argv, *const *envp;
	const char *path;
	const char *platform;
	uint8_t random[16];
	struct linux_auxv auxv[LINUX_AUXV_MAX]; /* without AT_NULL, AT_RANDOM and the like */
	unsigned auxv_count;
};

/*
 * Writes the initial stack of the System V ABI into buf, whose last byte will lie below `top`.
 * The address of argc by `sp`. The bytes used at the end of buf, or -E2BIG.
 */
HAL_USE_RESULT int64_t linux_stack_build(const struct linux_stack *stack, vaddr_t top,
					 uint8_t *buf, size_t size, vaddr_t *sp);

#endif
