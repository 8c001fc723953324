/*
 * Words that the whole contract uses. Knows only the freestanding headers of C.
 */
#ifndef HAL_TYPES_H
#define HAL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/errno.h"

typedef uint64_t paddr_t; /* a physical address of the machine, bytes */
typedef uint64_t vaddr_t; /* an address in a user address space, bytes */

#define HAL_VERSION 1 /* of this contract; a machine that implements another one does not build */

#define HAL_PAGE_SHIFT 12
#define HAL_PAGE_SIZE ((size_t)1 << HAL_PAGE_SHIFT)
#define HAL_CPUS_MAX 64
#define HAL_RAM_RANGES_MAX 64
#define HAL_CMDLINE_MAX 4096

/* What user code may do with a page. HAL_PROT_NONE maps nothing. */
#define HAL_PROT_NONE 0u
#define HAL_PROT_READ (1u << 0)
#define HAL_PROT_WRITE (1u << 1)
#define HAL_PROT_EXEC (1u << 2)

#define HAL_USE_RESULT __attribute__((warn_unused_result))
#define HAL_NORETURN __attribute__((noreturn))

#endif
