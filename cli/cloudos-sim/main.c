/*
 * cloudos-sim: builds a machine from its command line and runs the kernel that it is linked with.
 */
#include "hal/host/host.h"
#include <stdlib.h>

int main(int argc, char **argv)
{
	static struct host_options options;

	host_options_default(&options);
	if (argc > 1)
		options.cmdline = argv[1];
	if (argc > 2)
		options.cpus = (unsigned)atoi(argv[2]);
	if (argc > 3)
		options.seeded = true, options.seed = strtoul(argv[3], NULL, 0);
	host_run(&options);
}
