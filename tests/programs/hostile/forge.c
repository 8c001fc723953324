/*
 * Overwrites the exchange area of its own CPU with words of chance, with system calls between:
 * `forge ROUNDS SEED`. What becomes of the program does not matter.
 */
#include "programs/hostile/hostile.h"

#define AREA 0x7fffe0200000ull /* src/hal/host/stub.h */

int hostile(const char *word, uint64_t number)
{
	volatile uint64_t *words = (volatile uint64_t *)AREA;
	uint64_t chance = number * 2 + 1;

	for (uint64_t round = to_number(word); round; round--) {
		uint64_t at;

		chance ^= chance << 13;
		chance ^= chance >> 7;
		chance ^= chance << 17;
		at = chance & 0x10000 ? chance & 31 : chance & 0xfff;
		words[at] = chance & 0x20000 ? chance >> 60 : chance;
		if (round % 8 == 0)
			call3(NR_GETPID, 0, 0, 0);
	}
	return 0;
}
