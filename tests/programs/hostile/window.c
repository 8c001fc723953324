/*
 * Touches memory that is not the program's: `window read|write|execute ADDRESS`; `window scan`
 * reads what there is of the exchange area of its own CPU and looks for addresses of the host.
 */
#include "programs/hostile/hostile.h"

#define AREA 0x7fffe0200000ull /* src/hal/host/stub.h */
#define AREA_BYTES 0x8000
#define WINDOW 0x7fffe0000000ull
#define WINDOW_END 0x7fffe0400000ull
#define HIGH_START 0x550000000000ull /* where Linux places programs, libraries and stacks */
#define USER_END 0x800000000000ull
#define KERNEL_START 0xffff800000000000ull
#define DIRECT_MAP 0x7e8000000000ull
#define DIRECT_MAP_END 0x7f0000000000ull

/* An address that a process of Linux may have. Those of the stub's window and of the program's own
 * stack, just below 0x7fffc0000000, are known to the program and the same everywhere. */
static int tells(uint64_t word)
{
	if (word >= KERNEL_START && word < ~0xffffull)
		return 1;
	if (word >= WINDOW && word < WINDOW_END)
		return 0;
	if (word >= 0x7fff00000000ull && word < 0x7fffc0000000ull)
		return 0;
	return word >= HIGH_START && word < USER_END;
}

static int scan(void)
{
	const volatile uint64_t *words = (const volatile uint64_t *)AREA;
	int found = 0;

	call3(NR_GETPID, 0, 0, 0);
	for (unsigned i = 0; i < AREA_BYTES / sizeof(words[0]); i++) {
		uint64_t word = words[i];

		if (tells(word)) {
			say("leak ");
			say_number(word);
			found = 1;
		}
	}
	return found;
}

int hostile(const char *word, uint64_t number)
{
	if (is(word, "scan"))
		return scan();
	if (is(word, "read"))
		(void)*(volatile char *)number;
	else if (is(word, "write"))
		*(volatile char *)number = 1;
	else
		((void (*)(void))number)();
	return 0;
}
