/*
 * The first program: says who it is and where it runs, and checks that the ground holds.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Whether the monotonic clock moves within a bounded number of looks. */
static int clock_moves(void)
{
	struct timespec first, now;

	if (clock_gettime(CLOCK_MONOTONIC, &first))
		return 0;
	for (int i = 0; i < 10000000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec != first.tv_sec || now.tv_nsec != first.tv_nsec)
			return 1;
	}
	return 0;
}

/* Small and large allocations that keep what was written to them. */
static int malloc_works(void)
{
	for (size_t bytes = 16; bytes <= 4u << 20; bytes *= 4) {
		unsigned char *block = malloc(bytes);

		if (!block)
			return 0;
		memset(block, (int)(bytes & 0xff) ^ 0x5a, bytes);
		if (block[0] != block[bytes - 1])
			return 0;
		block = realloc(block, bytes * 2);
		if (!block || block[bytes - 1] != (unsigned char)((bytes & 0xff) ^ 0x5a))
			return 0;
		free(block);
	}
	return 1;
}

int main(int argc, char **argv)
{
	volatile double two = 2.0;
	struct utsname names;

	printf("Hello from a user program\n");
	for (int i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	if (uname(&names))
		return 1;
	printf("system: %s\n", names.sysname);
	printf("clock moves: %s\n", clock_moves() ? "yes" : "no");
	printf("memory: %s\n", malloc_works() ? "works" : "broken");
	printf("square root of two: %.6f\n", sqrt(two));
	return 0;
}
