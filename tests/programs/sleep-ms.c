/* Sleeps for N milliseconds (10) and checks that the clock shows at least that much more. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	long ms = argc > 1 ? atol(argv[1]) : 10;
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
	struct timespec start, end;
	long passed;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (nanosleep(&pause, NULL))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	passed = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
	puts(passed >= ms ? "slept" : "woke too early");
	return passed < ms;
}
