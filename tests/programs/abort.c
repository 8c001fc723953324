/* Ends itself by SIGABRT. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	puts("before the end");
	fflush(stdout);
	abort();
}
