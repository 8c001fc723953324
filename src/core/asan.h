/*
 * Tells AddressSanitizer which kernel memory may not be touched. The functions are the run-time
 * library's; where it is not linked, they are missing and nothing happens.
 */
#ifndef CORE_ASAN_H
#define CORE_ASAN_H

#include "hal/types.h"

void __asan_poison_memory_region(const volatile void *addr, size_t bytes) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *addr, size_t bytes) __attribute__((weak));

static inline void asan_poison(const void *addr, size_t bytes)
{
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(addr, bytes);
}

static inline void asan_unpoison(const void *addr, size_t bytes)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(addr, bytes);
}

#endif
