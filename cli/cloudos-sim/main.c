/*
 * cloudos-sim: builds a machine from its command line and runs the kernel that it is linked with.
 */
#include "hal/host/host.h"

int main(int argc, char **argv)
{
	static struct host_options options;

	host_options_default(&options);
	if (argc > 1)
		options.cmdline = argv[1];
	host_run(&options);
}
