/*
 * cloudos-sim: builds a machine from its command line and runs the kernel that it is linked with.
 */
#include "cli/cloudos-sim/options.h"

#include <stdio.h>

#define STATUS_USAGE 2

int main(int argc, char **argv)
{
	static struct options options; /* lives as long as the machine */

	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		return 0;
	case OPTIONS_VERSION:
		printf("cloudos-sim %s\n", CLOUDOS_VERSION);
		return 0;
	case OPTIONS_WRONG:
		fprintf(stderr, "cloudos-sim: %s\n", options.message);
		return STATUS_USAGE;
	case OPTIONS_RUN:
		break;
	}
	host_run(&options.host);
}
