/*
 * The command line of cloudos-sim, and the keys of its terminal.
 */
#include "cli/cloudos-sim/options.h"

#include "sim/sim_tests.h"

#include "hal/host/terminal.h"

#include <stdlib.h>
#include <string.h>

static struct options options;

void host_options_default(struct host_options *host)
{
	*host = (struct host_options){.mem_bytes = 256 << 20, .cpus = 3, .cmdline = ""};
}

/* Parses words up to a NULL. */
#define PARSE(...) parse((const char *[]){"cloudos-sim", __VA_ARGS__, NULL})

static enum options_action parse(const char **words)
{
	int count = 0;

	while (words[count])
		count++;
	return options_parse(&options, count, (char **)words);
}

START_TEST(test_options_default)
{
	const char *words[] = {"cloudos-sim", NULL};

	ck_assert_int_eq(parse(words), OPTIONS_RUN);
	ck_assert_uint_eq(options.host.mem_bytes, 256 << 20);
	ck_assert_uint_eq(options.host.cpus, 3);
	ck_assert_str_eq(options.host.cmdline, "");
}
END_TEST

START_TEST(test_options_values_follow_or_stand_behind_equals)
{
	ck_assert_int_eq(PARSE("--mem", "64M", "--cpus=2", "--initrd", "a b", "--console",
			       "file:x", "--trace=t", "--headless", "-v"), OPTIONS_RUN);
	ck_assert_uint_eq(options.host.mem_bytes, 64 << 20);
	ck_assert_uint_eq(options.host.cpus, 2);
	ck_assert_str_eq(options.host.initrd, "a b");
	ck_assert_int_eq(options.host.console, HOST_CONSOLE_FILE);
	ck_assert_str_eq(options.host.console_path, "x");
	ck_assert_str_eq(options.host.trace_path, "t");
	ck_assert(options.host.headless && options.host.verbose);
}
END_TEST

START_TEST(test_options_disks)
{
	ck_assert_int_eq(PARSE("--disk", "a.img", "--disk", "b,ro,fail=7"), OPTIONS_RUN);
	ck_assert_uint_eq(options.host.disk_count, 2);
	ck_assert_str_eq(options.host.disks[0].path, "a.img");
	ck_assert(!options.host.disks[0].read_only && !options.host.disks[0].fail);
	ck_assert_str_eq(options.host.disks[1].path, "b");
	ck_assert(options.host.disks[1].read_only);
	ck_assert_uint_eq(options.host.disks[1].fail, 7);
}
END_TEST

START_TEST(test_options_command_is_quoted_for_the_kernel)
{
	ck_assert_int_eq(PARSE("--append", "loglevel=7", "--append=trace", "--", "/bin/sh", "-c",
			       "echo \"a\\b\"", "", "x=y", "--mem"), OPTIONS_RUN);
	ck_assert_str_eq(options.host.cmdline,
			 "loglevel=7 trace quiet -- /bin/sh -c \"echo \\\"a\\\\b\\\"\" \"\" x=y "
			 "--mem");
	ck_assert_int_eq(PARSE("-v", "--", "a"), OPTIONS_RUN);
	ck_assert_str_eq(options.host.cmdline, "-- a");
}
END_TEST

START_TEST(test_options_command_that_is_too_long_is_refused)
{
	static char word[5000];

	memset(word, 'a', sizeof(word) - 1);
	ck_assert_int_eq(PARSE("--", word), OPTIONS_WRONG);
	word[2000] = ' ';
	ck_assert_int_eq(PARSE("--", word), OPTIONS_WRONG);
	ck_assert_int_eq(PARSE("--append", word), OPTIONS_WRONG);
	ck_assert_ptr_nonnull(strstr(options.message, "4095"));
	ck_assert_int_eq(PARSE("--disk", word), OPTIONS_WRONG);
}
END_TEST

START_TEST(test_options_seed_means_one_cpu)
{
	ck_assert_int_eq(PARSE("--seed", "0x10"), OPTIONS_RUN);
	ck_assert(options.host.seeded);
	ck_assert_uint_eq(options.host.seed, 16);
	ck_assert_uint_eq(options.host.cpus, 1);
	ck_assert_int_eq(PARSE("--cpus", "1", "--seed", "5"), OPTIONS_RUN);
	ck_assert_int_eq(PARSE("--cpus", "2", "--seed", "5"), OPTIONS_WRONG);
	ck_assert_ptr_nonnull(strstr(options.message, "one CPU"));
}
END_TEST

/* Each with a word that the message must have. */
static const struct {
	const char *words[4];
	const char *said;
} wrong[] = {
	{{"--mem", "12"}, "16M"},
	{{"--mem", "64X"}, "--mem 256M"},
	{{"--mem", "99999999999999999999"}, "no size"},
	{{"--mem", "99999999999T"}, "no size"},
	{{"--mem", "-5"}, "no size"},
	{{"--mem"}, "needs a value"},
	{{"--mem", "--", "x"}, "needs a value"},
	{{"--cpus", "0"}, "1 to 64"},
	{{"--cpus", "65"}, "1 to 64"},
	{{"--cpus", "two"}, "1 to 64"},
	{{"--seed", "0"}, "from 1"},
	{{"--seed", "1x"}, "from 1"},
	{{"--disk", ",ro"}, "path comes first"},
	{{"--disk", ""}, "path comes first"},
	{{"--disk", "a,rw"}, "'rw' is unknown"},
	{{"--disk", "a,fail=0"}, "unknown"},
	{{"--disk", "a,fail=x"}, "unknown"},
	{{"--console", "tty"}, "stdio"},
	{{"--console", "file:"}, "stdio"},
	{{"--append", "a -- b"}, "--append"},
	{{"--headless=yes"}, "no value"},
	{{"--speed", "9"}, "--help"},
	{{"-x"}, "--help"},
	{{"/bin/hello"}, "-- /bin/hello"},
	{{"--"}, "command is missing"},
};

START_TEST(test_options_mistakes_are_explained)
{
	const char *words[6] = {"cloudos-sim"};

	for (unsigned i = 0; i < 4; i++)
		words[i + 1] = wrong[_i].words[i];
	ck_assert_int_eq(parse(words), OPTIONS_WRONG);
	ck_assert_msg(strstr(options.message, wrong[_i].said), "'%s' does not say '%s'",
		      options.message, wrong[_i].said);
}
END_TEST

START_TEST(test_options_too_many_disks)
{
	const char *words[2 * (HOST_DISKS_MAX + 1) + 2] = {"cloudos-sim"};

	for (unsigned i = 0; i <= HOST_DISKS_MAX; i++) {
		words[2 * i + 1] = "--disk";
		words[2 * i + 2] = "x";
	}
	ck_assert_int_eq(parse(words), OPTIONS_WRONG);
	ck_assert_ptr_nonnull(strstr(options.message, "16"));
}
END_TEST

START_TEST(test_options_help_and_version)
{
	ck_assert_int_eq(PARSE("--help"), OPTIONS_HELP);
	ck_assert_int_eq(PARSE("--mem", "64M", "-h"), OPTIONS_HELP);
	ck_assert_int_eq(PARSE("--version"), OPTIONS_VERSION);
	ck_assert_int_eq(PARSE("--", "--help"), OPTIONS_RUN);
}
END_TEST

TCase *options_tests(void)
{
	TCase *tests = tcase_create("options");

	tcase_add_test(tests, test_options_default);
	tcase_add_test(tests, test_options_values_follow_or_stand_behind_equals);
	tcase_add_test(tests, test_options_disks);
	tcase_add_test(tests, test_options_command_is_quoted_for_the_kernel);
	tcase_add_test(tests, test_options_command_that_is_too_long_is_refused);
	tcase_add_test(tests, test_options_seed_means_one_cpu);
	tcase_add_loop_test(tests, test_options_mistakes_are_explained, 0,
			    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tests, test_options_too_many_disks);
	tcase_add_test(tests, test_options_help_and_version);
	return tests;
}

/* ---- Keys ---- */

START_TEST(test_terminal_escapes)
{
	struct terminal_keys keys = {0};
	char out[2];
	size_t bytes;

	ck_assert_int_eq(terminal_type(&keys, 'q', out, &bytes), TERMINAL_DATA);
	ck_assert(bytes == 1 && out[0] == 'q');
	ck_assert_int_eq(terminal_type(&keys, 1, out, &bytes), TERMINAL_DATA);
	ck_assert_uint_eq(bytes, 0);
	ck_assert_int_eq(terminal_type(&keys, 1, out, &bytes), TERMINAL_DATA);
	ck_assert(bytes == 1 && out[0] == 1);
	terminal_type(&keys, 1, out, &bytes);
	ck_assert_int_eq(terminal_type(&keys, 'z', out, &bytes), TERMINAL_DATA);
	ck_assert(bytes == 2 && out[0] == 1 && out[1] == 'z');
	terminal_type(&keys, 1, out, &bytes);
	ck_assert_int_eq(terminal_type(&keys, '?', out, &bytes), TERMINAL_HELP);
	terminal_type(&keys, 1, out, &bytes);
	ck_assert_int_eq(terminal_type(&keys, 'x', out, &bytes), TERMINAL_LEAVE);
}
END_TEST

TCase *terminal_tests(void)
{
	TCase *tests = tcase_create("terminal");

	tcase_add_test(tests, test_terminal_escapes);
	return tests;
}
