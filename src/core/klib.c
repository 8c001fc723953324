/*
 * Strings, numbers and assertions for a kernel without libc. No state.
 */
#include "core/klib.h"

#include "core/panic.h"

size_t str_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

size_t str_length_max(const char *text, size_t max)
{
	size_t length = 0;

	while (length < max && text[length])
		length++;
	return length;
}

int str_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

bool str_starts(const char *text, const char *prefix)
{
	while (*prefix) {
		if (*text++ != *prefix++)
			return false;
	}
	return true;
}

const char *str_find_char(const char *text, char c)
{
	for (; *text; text++) {
		if (*text == c)
			return text;
	}
	return c ? NULL : text;
}

size_t str_copy(char *to, size_t size, const char *from)
{
	size_t length = str_length(from);
	size_t copied = size ? MIN(length, size - 1) : 0;

	if (size) {
		memcpy(to, from, copied);
		to[copied] = 0;
	}
	return length;
}

/* The value of a digit in `base`, or -1. */
static int read_digit(char c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == 16 && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The power of two that a suffix letter stands for, or -1. */
static int read_suffix(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return -1;
	}
}

int str_to_u64(const char *text, bool suffix, uint64_t *value)
{
	unsigned base = 10;
	uint64_t sum = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (read_digit(*text, base) < 0)
		return -EINVAL;
	for (int digit; (digit = read_digit(*text, base)) >= 0; text++) {
		if (__builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)digit, &sum))
			return -ERANGE;
	}
	if (suffix && *text) {
		int shift = read_suffix(*text++);

		if (shift < 0)
			return -EINVAL;
		if (sum > UINT64_MAX >> shift)
			return -ERANGE;
		sum <<= shift;
	}
	if (*text)
		return -EINVAL;
	*value = sum;
	return 0;
}

void assert_failed(const char *expression, const char *file, int line)
{
	panic("%s:%d: assertion failed: %s", file, line, expression);
}
