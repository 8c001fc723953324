/* Copies standard input to standard output until its end, and says how many bytes that were. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char buf[4096];
	long total = 0;
	ssize_t count;

	while ((count = read(0, buf, sizeof(buf))) > 0) {
		for (ssize_t done = 0; done < count;) {
			ssize_t part = write(1, buf + done, (size_t)(count - done));

			if (part <= 0)
				return 1;
			done += part;
		}
		total += count;
	}
	printf("%ld bytes\n", total);
	return count < 0;
}
