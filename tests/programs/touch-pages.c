/*
 * Touches every page of a mapping of N megabytes (1 without an argument), checks that each was zero
 * and keeps what is written, forwards, backwards and after a part was unmapped.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE 4096u

int main(int argc, char **argv)
{
	size_t pages = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) << 8;
	uint8_t *base = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < pages; i++) {
		uint32_t *word = (uint32_t *)(void *)(base + i * PAGE);

		if (*word)
			return 2;
		*word = (uint32_t)i + 1;
	}
	for (size_t i = pages; i-- > 0;) {
		if (*(uint32_t *)(void *)(base + i * PAGE) != i + 1)
			return 3;
	}
	if (munmap(base + pages / 4 * PAGE, pages / 2 * PAGE))
		return 4;
	for (size_t i = 0; i < pages; i++) {
		if (i >= pages / 4 && i < pages / 4 + pages / 2)
			continue;
		if (*(uint32_t *)(void *)(base + i * PAGE) != i + 1)
			return 5;
	}
	printf("%zu pages\n", pages);
	return 0;
}
