/*
 * What kernel and machine share of the C that has no library: memory functions and arithmetic.
 *
 * mem* have the names and meanings of C, because compilers call them; on bare metal
 * hal/common/string.c provides them, on the host libc does.
 */
#ifndef HAL_BASE_H
#define HAL_BASE_H

#include "hal/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALIGN_DOWN(x, to) ((x) & ~((__typeof__(x))(to)-1))
#define ALIGN_UP(x, to) ALIGN_DOWN((x) + (__typeof__(x))(to)-1, to)
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
