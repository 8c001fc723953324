/*
 * The command line of cloudos-sim.
 */
#ifndef CLI_CLOUDOS_SIM_OPTIONS_H
#define CLI_CLOUDOS_SIM_OPTIONS_H

#include "hal/host/host.h"

enum options_action {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_WRONG, /* `message` says what is wrong and what to do */
};

#define OPTIONS_MESSAGE_MAX 512

struct options {
	struct host_options host;
	char cmdline[HAL_CMDLINE_MAX];	   /* that host.cmdline points at */
	char message[OPTIONS_MESSAGE_MAX]; /* OPTIONS_WRONG */
	char disk_paths[HOST_DISKS_MAX][4096];
};

/*
 * Reads the command line into `options`, which host_options_default() values fill first. Words
 * of the command behind `--` are quoted as the kernel's command line wants them. Touches no file.
 */
enum options_action options_parse(struct options *options, int argc, char **argv);

/* The text of --help. */
extern const char options_help[];

#endif
