/*
 * The kernel command line, kernel.options: split once at boot, then read-only.
 */
#include "core/options.h"

#include "core/klib.h"
#include "core/log.h"
#include "core/state.h"

/* Where reading the line stands: `from` is read, `to` in the buffer of words is written. */
struct cursor {
	const char *from;
	char *to, *end;
};

static void put(struct cursor *at, char c)
{
	if (at->to < at->end)
		*at->to++ = c;
}

/* Reads one word, with its quotes taken off. False at the end of the line. */
static bool read_word(struct cursor *at, const char **word)
{
	bool quoted = false;

	while (*at->from == ' ' || *at->from == '\t' || *at->from == '\n')
		at->from++;
	if (!*at->from || at->to >= at->end)
		return false;
	*word = at->to;
	for (; *at->from && (quoted || !str_find_char(" \t\n", *at->from)); at->from++) {
		if (*at->from == '"') {
			quoted = !quoted;
			continue;
		}
		if (*at->from == '\\' && at->from[1] && str_find_char("\"\\'", at->from[1]))
			at->from++;
		put(at, *at->from);
	}
	if (quoted)
		log_write(LOG_WARNING, "options",
			  "the command line ends inside quotes: close them with \"");
	put(at, 0);
	return true;
}

void options_init(const char *cmdline)
{
	struct options_state *options = &kernel.options;
	struct cursor at = {.from = cmdline,
			    .to = options->text,
			    .end = options->text + sizeof(options->text) - 1};
	bool command = false;
	const char *word;

	memset(options, 0, sizeof(*options));
	if (str_length_max(cmdline, HAL_CMDLINE_MAX) == HAL_CMDLINE_MAX)
		log_write(LOG_WARNING, "options", "the command line is cut at %d bytes",
			  HAL_CMDLINE_MAX - 1);
	while (read_word(&at, &word)) {
		if (!command && !str_compare(word, "--")) {
			command = true;
			continue;
		}
		if (options->word_count + options->command_count == OPTIONS_WORDS_MAX) {
			log_write(LOG_WARNING, "options",
				  "the command line has more than %d words; dropped from '%s' on",
				  OPTIONS_WORDS_MAX, word);
			break;
		}
		if (command)
			options->command[options->command_count++] = word;
		else
			options->words[options->word_count++] = word;
	}
}

const char *options_get(const char *name)
{
	const struct options_state *options = &kernel.options;
	size_t length = str_length(name);

	for (unsigned i = options->word_count; i > 0; i--) {
		const char *word = options->words[i - 1];

		if (!str_starts(word, name))
			continue;
		if (word[length] == '=')
			return word + length + 1;
		if (!word[length])
			return word + length;
	}
	return NULL;
}

uint64_t options_get_u64(const char *name, uint64_t fallback)
{
	const char *text = options_get(name);
	uint64_t value;

	if (!text)
		return fallback;
	if (str_to_u64(text, true, &value)) {
		log_write(LOG_WARNING, "options", "%s=%s is no number; %s=%lu is used", name, text,
			  name, (unsigned long)fallback);
		return fallback;
	}
	return value;
}

unsigned options_command(const char *const **words)
{
	*words = kernel.options.command;
	return kernel.options.command_count;
}
