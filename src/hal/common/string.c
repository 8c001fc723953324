/*
 * The four memory functions that C compilers call on their own, for machines without libc.
 *
 * All loads and stores of more than a byte are aligned, so that the code runs with strict
 * alignment and before the MMU is on. Where source and target are aligned differently, whole words
 * of the source are shifted together (both machines are little-endian); this reads at most the
 * rest of an aligned word around the source, never another page. Has no state and no lock.
 *
 * Invariant: nothing here may be compiled into a call of itself, hence the pragma.
 */
#include "hal/base.h"

#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef uint64_t __attribute__((may_alias)) word_t;

#define WORD sizeof(word_t)
#define WORD_BITS (8 * WORD)

static inline size_t misaligned(const void *p)
{
	return (uintptr_t)p & (WORD - 1);
}

/* Copies `words` words upwards to an aligned target from a source that is `shift` > 0 bytes behind
 * an aligned word. */
static void copy_shifted_up(word_t *to, const uint8_t *from, size_t words, size_t shift)
{
	const word_t *source = (const word_t *)(from - shift);
	unsigned low = (unsigned)(8 * shift), high = (unsigned)(WORD_BITS - low);
	word_t current = *source++;

	while (words--) {
		word_t next = *source++;

		*to++ = current >> low | next << high;
		current = next;
	}
}

/* The same from the end downwards; `to` and `from` point behind the last byte. */
static void copy_shifted_down(word_t *to, const uint8_t *from, size_t words, size_t shift)
{
	const word_t *source = (const word_t *)(from - shift);
	unsigned low = (unsigned)(8 * shift), high = (unsigned)(WORD_BITS - low);
	word_t current = *source;

	while (words--) {
		word_t before = *--source;

		*--to = before >> low | current << high;
		current = before;
	}
}

static void copy_words_up(word_t *to, const word_t *from, size_t words)
{
	for (; words >= 4; words -= 4, to += 4, from += 4) {
		word_t a = from[0], b = from[1], c = from[2], d = from[3];

		to[0] = a;
		to[1] = b;
		to[2] = c;
		to[3] = d;
	}
	while (words--)
		*to++ = *from++;
}

static void copy_up(uint8_t *to, const uint8_t *from, size_t bytes)
{
	size_t words, shift;

	if (bytes >= 2 * WORD) {
		while (misaligned(to)) {
			*to++ = *from++;
			bytes--;
		}
		words = bytes / WORD;
		shift = misaligned(from);
		if (shift)
			copy_shifted_up((word_t *)to, from, words, shift);
		else
			copy_words_up((word_t *)to, (const word_t *)from, words);
		to += words * WORD;
		from += words * WORD;
		bytes -= words * WORD;
	}
	while (bytes--)
		*to++ = *from++;
}

static void copy_down(uint8_t *to, const uint8_t *from, size_t bytes)
{
	size_t words, shift;

	to += bytes;
	from += bytes;
	if (bytes >= 2 * WORD) {
		while (misaligned(to)) {
			*--to = *--from;
			bytes--;
		}
		words = bytes / WORD;
		shift = misaligned(from);
		if (shift) {
			copy_shifted_down((word_t *)to, from, words, shift);
		} else {
			word_t *t = (word_t *)to;
			const word_t *f = (const word_t *)from;

			for (size_t i = 0; i < words; i++)
				*--t = *--f;
		}
		to -= words * WORD;
		from -= words * WORD;
		bytes -= words * WORD;
	}
	while (bytes--)
		*--to = *--from;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	copy_up(to, from, bytes);
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	if ((uintptr_t)to - (uintptr_t)from < bytes)
		copy_down(to, from, bytes);
	else
		copy_up(to, from, bytes);
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	uint8_t *p = to;
	word_t word = (uint8_t)value * (word_t)0x0101010101010101u;

	if (bytes >= 2 * WORD) {
		word_t *w;

		for (; misaligned(p); bytes--)
			*p++ = (uint8_t)value;
		w = (word_t *)p;
		for (; bytes >= 4 * WORD; bytes -= 4 * WORD, w += 4) {
			w[0] = word;
			w[1] = word;
			w[2] = word;
			w[3] = word;
		}
		for (; bytes >= WORD; bytes -= WORD)
			*w++ = word;
		p = (uint8_t *)w;
	}
	while (bytes--)
		*p++ = (uint8_t)value;
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *p = a, *q = b;

	if (misaligned(p) == misaligned(q)) {
		for (; bytes && misaligned(p); p++, q++, bytes--)
			if (*p != *q)
				return *p - *q;
		for (; bytes >= WORD && *(const word_t *)p == *(const word_t *)q; bytes -= WORD) {
			p += WORD;
			q += WORD;
		}
	}
	for (; bytes; p++, q++, bytes--)
		if (*p != *q)
			return *p - *q;
	return 0;
}
