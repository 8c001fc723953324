/*
 * Floating-point registers survive system calls, sleeps and preemption: sums that are carried in
 * registers over many calls must come out exactly as without.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double series(int calls)
{
	double a = 0, b = 1, c = 0.5, d = 3;

	for (int i = 1; i <= 20000; i++) {
		a += 1.0 / i;
		b = b * 1.0000001 + c;
		c = sqrt(b + d);
		d += a * 1e-3;
		if (calls && i % 100 == 0)
			getppid();
		if (calls && i % 5000 == 0) {
			const struct timespec pause = {0, 1000000};

			nanosleep(&pause, NULL);
		}
	}
	return a + b + c + d;
}

int main(void)
{
	double plain = series(0), disturbed = series(1);

	printf("%s\n", plain == disturbed ? "equal" : "different");
	return plain != disturbed;
}
