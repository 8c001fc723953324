/*
 * Facts of klib, format, options, log, object, random: what needs no threads.
 */
#include "core/klib.h"
#include "core/log.h"
#include "core/object.h"
#include "core/options.h"
#include "core/panic.h"
#include "core/random.h"
#include "core/state.h"
#include "tests/kernel/ktest.h"

#define CHECK_FORMAT(want, ...)                                                                    \
	do {                                                                                       \
		char text[64];                                                                     \
		size_t length = str_format(text, sizeof(text), __VA_ARGS__);                       \
                                                                                                   \
		EXPECT(!str_compare(text, want));                                                  \
		EXPECT(length == str_length(want));                                                \
	} while (0)

static void test_format_writes_numbers(void)
{
	CHECK_FORMAT("0 -1 42", "%d %d %i", 0, -1, 42);
	CHECK_FORMAT("-2147483648 4294967295", "%d %u", -2147483647 - 1, 4294967295u);
	CHECK_FORMAT("-9223372036854775808", "%ld", INT64_MIN);
	CHECK_FORMAT("18446744073709551615", "%llu", UINT64_MAX * 1ull);
	CHECK_FORMAT("ff FF 0", "%x %X %x", 255, 255, 0);
	CHECK_FORMAT("255 -1 65535", "%hhu %hhd %hu", 511, 255, 0x1ffff);
	CHECK_FORMAT("7 8", "%zu %lx", (size_t)7, 8ul);
}

static void test_format_pads_and_aligns(void)
{
	CHECK_FORMAT("   42|42   |00042|-0042", "%5d|%-5d|%05d|%05d", 42, 42, 42, -42);
	CHECK_FORMAT("  042|042  ", "%5.3d|%-5.3d", 42, 42);
	CHECK_FORMAT("  ab|ab  |a", "%4s|%-4s|%.1s", "ab", "ab", "ab");
	CHECK_FORMAT("   7|7   |ab", "%*d|%*d|%.*s", 4, 7, -4, 7, 2, "abc");
	CHECK_FORMAT("x|  y", "%c|%3c", 'x', 'y');
	CHECK_FORMAT("0x1000", "%p", (void *)0x1000);
	CHECK_FORMAT("100%", "%d%%", 100);
}

static void test_format_cuts_and_tells_the_whole_length(void)
{
	const char *volatile none = NULL; /* the compiler need not know */
	char text[4] = "zzz";

	CHECK(str_format(text, sizeof(text), "%s", "abcdef") == 6);
	CHECK(!str_compare(text, "abc"));
	CHECK(str_format(text, 0, "%d", 12345) == 5);
	CHECK(!str_compare(text, "abc"));
	CHECK(str_format(text, sizeof(text), "%s", none) == 6);
}

static void test_str_compares_and_finds(void)
{
	CHECK(!str_compare("a", "a") && str_compare("a", "b") < 0 && str_compare("b", "a") > 0);
	CHECK(str_compare("\xff", "a") > 0);
	CHECK(str_starts("abc", "ab") && !str_starts("ab", "abc") && str_starts("x", ""));
	CHECK(!str_compare(str_find_char("abc", 'b'), "bc"));
	CHECK(!str_find_char("abc", 'x'));
	CHECK(*str_find_char("abc", 0) == 0);
	CHECK(str_length("") == 0 && str_length_max("abcd", 2) == 2);
}

static void test_str_copy_cuts_and_terminates(void)
{
	char text[4];

	CHECK(str_copy(text, sizeof(text), "abcdef") == 6);
	CHECK(!str_compare(text, "abc"));
	CHECK(str_copy(text, 0, "x") == 1);
}

static void test_str_to_u64_reads_numbers(void)
{
	uint64_t value = 0;

	CHECK(!str_to_u64("0", false, &value) && value == 0);
	CHECK(!str_to_u64("18446744073709551615", false, &value) && value == UINT64_MAX);
	CHECK(!str_to_u64("0xFf", false, &value) && value == 255);
	CHECK(!str_to_u64("3k", true, &value) && value == 3072);
	CHECK(!str_to_u64("2M", true, &value) && value == 2u << 20);
	CHECK(!str_to_u64("1G", true, &value) && value == 1u << 30);
}

static void test_str_to_u64_refuses_what_is_no_number(void)
{
	uint64_t value = 7;

	CHECK(str_to_u64("", false, &value) == -EINVAL);
	CHECK(str_to_u64("0x", false, &value) == -EINVAL);
	CHECK(str_to_u64("12a", false, &value) == -EINVAL);
	CHECK(str_to_u64("-1", false, &value) == -EINVAL);
	CHECK(str_to_u64("1K", false, &value) == -EINVAL);
	CHECK(str_to_u64("1T", true, &value) == -EINVAL);
	CHECK(str_to_u64("1KK", true, &value) == -EINVAL);
	CHECK(str_to_u64("18446744073709551616", false, &value) == -ERANGE);
	CHECK(str_to_u64("17179869184G", true, &value) == -ERANGE);
	CHECK(value == 7);
}

/* The options of the running system come back at the end of a test that changes them. */
static struct options_state *keep_options(void)
{
	static struct options_state kept;

	kept = kernel.options;
	return &kept;
}

static void restore_options(const struct options_state *kept)
{
	/* Words are pointers into the text, which lies at the same place again. */
	kernel.options = *kept;
}

static void check_options(void)
{
	const char *const *words;

	options_init("  quiet init=/bin/x n=3 n=12K \"a b=c d\"  m=z -- prog \"two words\" "
		     "q\\\"uote -- x=1 ");
	CHECK(!str_compare(options_get("quiet"), ""));
	CHECK(!str_compare(options_get("init"), "/bin/x"));
	CHECK(!str_compare(options_get("a b"), "c d"));
	CHECK(!options_get("ini") && !options_get("x"));
	CHECK(options_get_u64("n", 1) == 12 * 1024);
	CHECK(options_get_u64("none", 9) == 9);
	CHECK(options_get_u64("m", 8) == 8);
	CHECK(options_command(&words) == 5);
	CHECK(!str_compare(words[0], "prog") && !str_compare(words[1], "two words"));
	CHECK(!str_compare(words[2], "q\"uote") && !str_compare(words[3], "--"));
	CHECK(!str_compare(words[4], "x=1") && !words[5]);
}

static void test_options_split_words_quotes_and_command(void)
{
	struct options_state *kept = keep_options();

	check_options();
	restore_options(kept);
}

static void check_hostile_options(void)
{
	static char line[HAL_CMDLINE_MAX + 64];
	const char *const *words;

	options_init("");
	CHECK(!options_get("x") && options_command(&words) == 0 && !words[0]);
	options_init("a=1 \"open quote");
	CHECK(!str_compare(options_get("a"), "1"));
	CHECK(options_get("open quote"));
	memset(line, 'x', sizeof(line) - 1);
	options_init(line);
	CHECK(!options_get("x"));
	for (size_t i = 0; i < sizeof(line) - 1; i++)
		line[i] = i % 2 ? ' ' : 'y';
	options_init(line);
	CHECK(kernel.options.word_count == OPTIONS_WORDS_MAX);
}

static void test_options_survive_a_broken_line(void)
{
	struct options_state *kept = keep_options();

	check_hostile_options();
	restore_options(kept);
}

static unsigned destroyed;

static void count_destroy(struct object *object)
{
	(void)object;
	destroyed++;
}

static void test_object_is_destroyed_with_its_last_reference(void)
{
	struct object_type type = {.name = "test", .destroy = count_destroy};
	struct object object;

	destroyed = 0;
	object_init(&object, &type);
	CHECK(atomic_load(&type.live) == 1);
	CHECK(object_get(&object) == &object);
	CHECK(object_try_get(&object));
	object_put(&object);
	CHECK(object_put_unless_last(&object));
	CHECK(!object_put_unless_last(&object));
	CHECK(!destroyed);
	object_put(&object);
	CHECK(destroyed == 1 && atomic_load(&type.live) == 0);
	CHECK(!object_try_get(&object));
	object_put(NULL);
}

static void test_object_ids_are_never_used_twice(void)
{
	struct object_type type = {.name = "test", .destroy = count_destroy};
	struct object a, b;

	object_init(&a, &type);
	object_init(&b, &type);
	EXPECT(a.id != b.id);
	object_put(&a);
	object_put(&b);
}

static void test_log_gives_back_whole_lines_in_order(void)
{
	uint64_t seq = kernel.log.next;
	char text[2 * LOG_LINE_MAX];
	size_t length;

	log_write(LOG_DEBUG, "test", "first %d", 1);
	log_write(LOG_DEBUG, "test", "second");
	length = log_read(&seq, text, sizeof(text) - 1);
	text[length] = 0;
	CHECK(text[0] == '[' && text[length - 1] == '\n');
	CHECK(str_find_char(text, '1') && str_find_char(text, '\n') < text + length - 1);
	CHECK(log_read(&seq, text, sizeof(text)) == 0);
	log_write(LOG_DEBUG, "test", "too long for five bytes");
	CHECK(log_read(&seq, text, 5) == 0);
}

static void test_log_cuts_long_lines(void)
{
	uint64_t seq = kernel.log.next;
	static char text[2 * LOG_LINE_MAX];

	memset(text, 'x', sizeof(text) - 1);
	log_write(LOG_DEBUG, "test", "%s", text);
	CHECK(log_read(&seq, text, sizeof(text)) == LOG_LINE_MAX);
	CHECK(text[LOG_LINE_MAX - 1] == '\n');
}

static void test_log_drops_the_oldest_lines(void)
{
	uint64_t seq = kernel.log.next, first = seq;
	char text[LOG_LINE_MAX];

	for (unsigned i = 0; i < LOG_LINES_MAX + 3; i++)
		log_write(LOG_DEBUG, "test", "line %u", i);
	CHECK(log_read(&seq, text, sizeof(text)) > 0);
	CHECK(seq > first + 3);
}

static void test_symbol_find_refuses_what_is_no_code(void)
{
	size_t offset;

	CHECK(!symbol_find(0, &offset));
	CHECK(!symbol_find(UINTPTR_MAX, &offset));
	if (!symbol_count)
		ktest_skip("this image has no symbol table");
	else
		CHECK(!str_compare(symbol_find((uintptr_t)symbol_find + 1, &offset),
				   "symbol_find"));
}

/* RFC 8439, 2.3.2: key 00..1f, counter 1, nonce 00000009 0000004a 00000000. */
static void test_random_chacha_block_is_that_of_the_rfc(void)
{
	uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t output[16];

	for (unsigned i = 0; i < 8; i++)
		input[4 + i] = 0x03020100 + i * 0x04040404;
	input[12] = 1;
	input[13] = 0x09000000;
	input[14] = 0x4a000000;
	random_chacha_block(input, output);
	CHECK(output[0] == 0xe4e7f110 && output[1] == 0x15593bd1 && output[15] == 0x4e3c50a2);
}

static void test_random_bytes_differ_and_fill_all(void)
{
	uint8_t a[200] = {0}, b[200] = {0};
	unsigned zeros = 0;

	random_bytes(a, sizeof(a));
	random_add("x", 1);
	random_bytes(b, sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)));
	for (unsigned i = 0; i < sizeof(a); i++)
		zeros += !a[i];
	CHECK(zeros < 20);
}

static void test_list_adds_removes_and_walks(void)
{
	struct item {
		struct list link;
		int value;
	} items[3] = {{.value = 0}, {.value = 1}, {.value = 2}}, *item, *after;
	struct list head = LIST_INIT(head);
	int sum = 0;

	CHECK(list_empty(&head) && !LIST_FIRST(&head, struct item, link));
	list_add_last(&head, &items[1].link);
	list_add_last(&head, &items[2].link);
	list_add_first(&head, &items[0].link);
	LIST_FOR_EACH (item, &head, link)
		sum = sum * 10 + item->value;
	CHECK(sum == 12);
	LIST_FOR_EACH_SAFE (item, after, &head, link)
		list_remove(&item->link);
	CHECK(list_empty(&head));
	list_remove(&items[0].link);
	CHECK(list_empty(&items[0].link));
}

const struct ktest ktests_klib[] = {
	KTEST(test_format_writes_numbers),
	KTEST(test_format_pads_and_aligns),
	KTEST(test_format_cuts_and_tells_the_whole_length),
	KTEST(test_str_compares_and_finds),
	KTEST(test_str_copy_cuts_and_terminates),
	KTEST(test_str_to_u64_reads_numbers),
	KTEST(test_str_to_u64_refuses_what_is_no_number),
	KTEST(test_options_split_words_quotes_and_command),
	KTEST(test_options_survive_a_broken_line),
	KTEST(test_object_is_destroyed_with_its_last_reference),
	KTEST(test_object_ids_are_never_used_twice),
	KTEST(test_log_gives_back_whole_lines_in_order),
	KTEST(test_log_cuts_long_lines),
	KTEST(test_log_drops_the_oldest_lines),
	KTEST(test_symbol_find_refuses_what_is_no_code),
	KTEST(test_random_chacha_block_is_that_of_the_rfc),
	KTEST(test_random_bytes_differ_and_fill_all),
	KTEST(test_list_adds_removes_and_walks),
	{0},
};
