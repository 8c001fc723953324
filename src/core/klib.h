/*
 * What a kernel without libc needs of one: strings, formatting, ASSERT; and from hal/base.h, memory
 * functions and small arithmetic.
 */
#ifndef CORE_KLIB_H
#define CORE_KLIB_H

#include "hal/base.h"
#include "hal/types.h"

#include <stdarg.h>

/* String functions of C, under names that do not meet libc's. */
size_t str_length(const char *text);
size_t str_length_max(const char *text, size_t max);
int str_compare(const char *a, const char *b);
bool str_starts(const char *text, const char *prefix);
const char *str_find_char(const char *text, char c); /* NULL if none */

/* Copies with a terminating 0, cut at size - 1. The length of `from`. */
size_t str_copy(char *to, size_t size, const char *from);

/*
 * Reads an unsigned number: decimal, or 0x for hexadecimal, with a suffix K, M or G (powers of
 * 1024) where `suffix`. The whole text must be the number. 0, -EINVAL, -ERANGE.
 */
HAL_USE_RESULT int str_to_u64(const char *text, bool suffix, uint64_t *value);

/*
 * printf-style formatting into `to`, always terminated if size > 0. Knows %d %i %u %x %X %c %s %p
 * %% with flags '-', '0', width and precision (also *), and lengths hh h l ll z. The length that
 * the whole text has.
 */
size_t str_format(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
size_t str_format_list(char *to, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* What cannot be false. Stays on in release. Ends in a panic that shows the expression. */
#define ASSERT(expression)                                                                         \
	((expression) ? (void)0 : assert_failed(#expression, __FILE__, __LINE__))
HAL_NORETURN void assert_failed(const char *expression, const char *file, int line);

#endif
