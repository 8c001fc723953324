/* Prints its arguments and environment as it was given them, one a line. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	printf("%d\n", argc);
	for (int i = 1; i < argc; i++)
		printf("<%s>\n", argv[i]);
	printf("path: %s\n", getenv("PATH") ? "set" : "not set");
	return 0;
}
