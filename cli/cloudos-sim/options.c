/*
 * Reads the command line of cloudos-sim: a table of options, one function for each that has a
 * value. What is wrong is said in `message`: what was given, why it cannot be, what to do.
 */
#include "cli/cloudos-sim/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
	"usage: cloudos-sim [OPTIONS] [-- COMMAND [ARGUMENTS...]]\n"
	"\n"
	"Runs CloudOS as a process. COMMAND is a program of the initial image; its output is\n"
	"written to standard output, its exit status becomes that of cloudos-sim.\n"
	"\n"
	"  --mem SIZE         memory, such as 64M or 2G (default: 256M)\n"
	"  --cpus N           CPUs (default: half of the host's)\n"
	"  --pin              keep each CPU on one CPU of the host\n"
	"  --disk SPEC        a disk: PATH[,ro][,fail=N]; may be given several times.\n"
	"                     ro: read only; fail=N: the Nth request fails\n"
	"  --initrd FILE      the initial image: a cpio archive (newc)\n"
	"  --append TEXT      add TEXT to the kernel command line; may be given several times\n"
	"  --console SPEC     stdio (default), file:PATH, or none\n"
	"  --headless         do not read standard input, leave the terminal as it is\n"
	"  --trace FILE       write the kernel's trace to FILE at the end (Chrome JSON)\n"
	"  --seed N           seeded mode: one CPU, virtual time; the same N gives the same run\n"
	"  -v, --verbose      show the kernel's log also where a command is given\n"
	"  --version          print the version and exit\n"
	"  --help             print this text and exit\n"
	"\n"
	"On a terminal: Ctrl-A x leaves, Ctrl-A ? helps, Ctrl-A Ctrl-A sends Ctrl-A.\n"
	"Exit status: the command's; 2 if the machine could not be built; 124 if the simulator\n"
	"itself broke down; 125 if the kernel did.\n";

struct option {
	const char *name;
	const char *value; /* what the value is, for messages; NULL: the option has none */
	bool (*set)(struct options *options, const char *value);
};

static bool wrong(struct options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool wrong(struct options *options, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(options->message, sizeof(options->message), format, args);
	va_end(args);
	return false;
}

/* A whole number, decimal or 0x...; with a suffix K, M, G or T where `suffix`. */
static bool read_number(const char *text, bool suffix, uint64_t *number)
{
	static const char suffixes[] = "KMGT";
	const char *found;
	char *end;

	errno = 0;
	if (text[0] < '0' || text[0] > '9')
		return false;
	*number = strtoull(text, &end, text[0] == '0' && (text[1] | 32) == 'x' ? 16 : 10);
	if (errno || end == text)
		return false;
	found = suffix && *end ? strchr(suffixes, *end & ~32) : NULL;
	if (found) {
		unsigned shift = 10 * (unsigned)(found - suffixes + 1);

		if (*number > UINT64_MAX >> shift)
			return false;
		*number <<= shift;
		end++;
	}
	return !*end;
}

/* ---- Options with a value ---- */

static bool set_mem(struct options *options, const char *value)
{
	uint64_t bytes;

	if (!read_number(value, true, &bytes))
		return wrong(options, "--mem %s: this is no size; write for example --mem 256M",
			     value);
	if (bytes < HOST_MEM_MIN || bytes > HOST_MEM_MAX)
		return wrong(options, "--mem %s: the memory can have from %lluM to %lluG", value,
			     HOST_MEM_MIN >> 20, HOST_MEM_MAX >> 30);
	options->host.mem_bytes = bytes;
	return true;
}

static bool set_cpus(struct options *options, const char *value)
{
	uint64_t cpus;

	if (!read_number(value, false, &cpus) || !cpus || cpus > HAL_CPUS_MAX)
		return wrong(options, "--cpus %s: give a number from 1 to %d", value,
			     HAL_CPUS_MAX);
	options->host.cpus = (unsigned)cpus;
	return true;
}

static bool set_seed(struct options *options, const char *value)
{
	if (!read_number(value, false, &options->host.seed) || !options->host.seed)
		return wrong(options, "--seed %s: give a number from 1 to %llu", value,
			     (unsigned long long)UINT64_MAX);
	options->host.seeded = true;
	return true;
}

/* One word behind a comma of --disk. */
static bool set_disk_word(struct options *options, struct host_disk *disk, const char *word)
{
	if (!strcmp(word, "ro")) {
		disk->read_only = true;
		return true;
	}
	if (!strncmp(word, "fail=", 5) && read_number(word + 5, false, &disk->fail) && disk->fail)
		return true;
	return wrong(options, "--disk: '%s' is unknown; behind the path there can be ,ro (read "
		     "only) and ,fail=N (the Nth request fails, from 1)", word);
}

static bool set_disk(struct options *options, const char *value)
{
	struct host_disk *disk = &options->host.disks[options->host.disk_count];
	char *path = options->disk_paths[options->host.disk_count];
	char *word;

	if (options->host.disk_count == HOST_DISKS_MAX)
		return wrong(options, "--disk %s: there can be at most %d disks", value,
			     HOST_DISKS_MAX);
	if (strlen(value) >= sizeof(options->disk_paths[0]))
		return wrong(options, "--disk: the path is too long");
	strcpy(path, value);
	strtok_r(path, ",", &word);
	if (value[0] == ',' || !path[0])
		return wrong(options, "--disk '%s': a path comes first; write --disk "
			     "PATH[,ro][,fail=N]", value);
	disk->path = path;
	for (char *each = strtok_r(NULL, ",", &word); each; each = strtok_r(NULL, ",", &word))
		if (!set_disk_word(options, disk, each))
			return false;
	options->host.disk_count++;
	return true;
}

static bool set_console(struct options *options, const char *value)
{
	if (!strcmp(value, "stdio")) {
		options->host.console = HOST_CONSOLE_STDIO;
	} else if (!strcmp(value, "none")) {
		options->host.console = HOST_CONSOLE_NONE;
	} else if (!strncmp(value, "file:", 5) && value[5]) {
		options->host.console = HOST_CONSOLE_FILE;
		options->host.console_path = value + 5;
	} else {
		return wrong(options, "--console %s: give stdio, file:PATH or none", value);
	}
	return true;
}

static bool set_initrd(struct options *options, const char *value)
{
	options->host.initrd = value;
	return true;
}

/* Adds to the kernel command line, behind a space. */
static bool add_text(struct options *options, const char *text)
{
	size_t length = strlen(options->cmdline);

	if (length + strlen(text) + 2 > sizeof(options->cmdline))
		return wrong(options, "the kernel command line with '%.40s...' is longer than %d "
			     "bytes; put a long command into a script of the initial image", text,
			     HAL_CMDLINE_MAX - 1);
	if (length)
		options->cmdline[length++] = ' ';
	strcpy(&options->cmdline[length], text);
	return true;
}

static bool set_trace(struct options *options, const char *value)
{
	options->host.trace_path = value;
	return add_text(options, "trace");
}

static bool set_append(struct options *options, const char *value)
{
	const char *end = strstr(value, " -- ");

	if (end || !strcmp(value, "--"))
		return wrong(options, "--append '%s': the command belongs behind a -- of "
			     "cloudos-sim itself", value);
	return add_text(options, value);
}

/* ---- Options without one ---- */

static bool set_pin(struct options *options, const char *value)
{
	(void)value;
	options->host.pin = true;
	return true;
}

static bool set_headless(struct options *options, const char *value)
{
	(void)value;
	options->host.headless = true;
	return true;
}

static bool set_verbose(struct options *options, const char *value)
{
	(void)value;
	options->host.verbose = true;
	return true;
}

static const struct option table[] = {
	{"--mem", "SIZE", set_mem},
	{"--cpus", "N", set_cpus},
	{"--pin", NULL, set_pin},
	{"--disk", "PATH[,ro][,fail=N]", set_disk},
	{"--initrd", "FILE", set_initrd},
	{"--append", "TEXT", set_append},
	{"--console", "stdio|file:PATH|none", set_console},
	{"--headless", NULL, set_headless},
	{"--trace", "FILE", set_trace},
	{"--seed", "N", set_seed},
	{"--verbose", NULL, set_verbose},
	{"-v", NULL, set_verbose},
	{0},
};

/* ---- The line ---- */

/* Adds one word of the command, in quotes where the kernel would otherwise split it. */
static bool add_word(struct options *options, const char *word)
{
	char quoted[HAL_CMDLINE_MAX];
	size_t length = 0;

	if (*word && !strpbrk(word, " \t\n\"\\"))
		return add_text(options, word);
	quoted[length++] = '"';
	for (; *word && length < sizeof(quoted) - 3; word++) {
		if (*word == '"' || *word == '\\')
			quoted[length++] = '\\';
		quoted[length++] = *word;
	}
	if (*word)
		return wrong(options, "a word of the command is longer than the kernel command "
			     "line, which has %d bytes", HAL_CMDLINE_MAX - 1);
	quoted[length++] = '"';
	quoted[length] = '\0';
	return add_text(options, quoted);
}

/* Applies argv[*i] and its value, which is the next word or stands behind a '='. */
static bool apply_option(struct options *options, char **argv, int *i)
{
	const char *word = argv[*i];
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *option = table;

	while (option->name && (strlen(option->name) != length ||
				strncmp(option->name, word, length)))
		option++;
	if (!option->name && word[0] != '-')
		return wrong(options, "'%s' is no option; a command comes behind --, as in: "
			     "cloudos-sim [OPTIONS] -- %s", word, word);
	if (!option->name)
		return wrong(options, "there is no option %s; --help lists all", word);
	if (!option->value && equals)
		return wrong(options, "%s has no value; write %s alone", option->name,
			     option->name);
	if (!option->value)
		return option->set(options, NULL);
	if (equals)
		return option->set(options, equals + 1);
	if (!argv[*i + 1] || !strcmp(argv[*i + 1], "--"))
		return wrong(options, "%s needs a value: %s %s", option->name, option->name,
			     option->value);
	++*i;
	return option->set(options, argv[*i]);
}

static bool add_command(struct options *options, char **words)
{
	if (!*words)
		return wrong(options, "behind -- a command is missing");
	if (!options->host.verbose && !add_text(options, "quiet"))
		return false;
	if (!add_text(options, "--"))
		return false;
	for (; *words; words++)
		if (!add_word(options, *words))
			return false;
	return true;
}

enum options_action options_parse(struct options *options, int argc, char **argv)
{
	bool cpus_given = false;
	int i;

	memset(options, 0, sizeof(*options));
	host_options_default(&options->host);
	options->host.cmdline = options->cmdline;
	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return OPTIONS_HELP;
		if (!strcmp(argv[i], "--version"))
			return OPTIONS_VERSION;
		cpus_given |= !strncmp(argv[i], "--cpus", 6);
		if (!apply_option(options, argv, &i))
			return OPTIONS_WRONG;
	}
	if (i < argc && !add_command(options, &argv[i + 1]))
		return OPTIONS_WRONG;
	if (options->host.seeded && !cpus_given)
		options->host.cpus = 1;
	if (options->host.seeded && options->host.cpus != 1) {
		wrong(options, "--seed and --cpus %u: a seeded machine has one CPU, because the "
		      "order of several cannot be repeated; leave --cpus out",
		      options->host.cpus);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
