/*
 * Runs the tests of the contract one by one and says how they went.
 */
#include "hal/conformance.h"

#define LINE_MAX_BYTES 256

static struct {
	unsigned tests, failed, skipped;
	const char *name;   /* of the test that runs */
	_Atomic bool ended; /* it has failed or was skipped */
} run;

static const struct test *const tables[] = {tests_machine, tests_cpu, tests_irq, tests_user,
					    tests_smp,	   tests_hostile};

/* ---- A line of text, as much of printf as up_panic() promises ---- */

struct line {
	char text[LINE_MAX_BYTES];
	size_t length;
};

static void add_text(struct line *line, const char *text)
{
	while (*text && line->length < sizeof(line->text) - 1)
		line->text[line->length++] = *text++;
}

static void add_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[24];
	unsigned i = sizeof(digits);

	digits[--i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	add_text(line, &digits[i]);
}

static void add_signed(struct line *line, int64_t value)
{
	if (value < 0)
		add_text(line, "-");
	add_number(line, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

/* One conversion: `kind` with or without l. */
static void add_argument(struct line *line, char kind, bool is_long, va_list *args)
{
	switch (kind) {
	case 's':
		add_text(line, va_arg(*args, const char *));
		break;
	case 'd':
		add_signed(line, is_long ? va_arg(*args, long) : va_arg(*args, int));
		break;
	case 'u':
	case 'x':
		add_number(line, is_long ? va_arg(*args, unsigned long)
					 : va_arg(*args, unsigned int), kind == 'u' ? 10 : 16);
		break;
	case 'p':
		add_text(line, "0x");
		add_number(line, (uintptr_t)va_arg(*args, void *), 16);
		break;
	default:
		add_text(line, "%");
		break;
	}
}

void log_list(const char *format, va_list list)
{
	struct line line = {.length = 0};
	va_list args;

	va_copy(args, list);
	for (const char *p = format; *p; p++) {
		char one[2] = {*p, '\0'};
		bool is_long;

		if (*p != '%') {
			add_text(&line, one);
			continue;
		}
		p += p[1] == '#';
		is_long = *++p == 'l';
		while (*p == 'l')
			p++;
		add_argument(&line, *p, is_long, &args);
	}
	va_end(args);
	line.text[line.length++] = '\n';
	hal_log_write(line.text, line.length);
}

void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_list(format, args);
	va_end(args);
}

/* ---- Tests ---- */

void test_fail(const char *what, const char *file, int line)
{
	log_line("not ok %s: %s (%s:%d)", run.name, what, file, line);
	if (!run.ended)
		run.failed++;
	run.ended = true;
}

void test_skip(const char *why)
{
	log_line("skip %s: %s", run.name, why);
	if (!run.ended)
		run.skipped++;
	run.ended = true;
}

static void run_table(const struct test *test)
{
	for (; test->name; test++) {
		run.name = test->name;
		run.ended = false;
		run.tests++;
		test->run();
		if (hal_irq_enabled()) {
			test_fail("it left interrupts enabled", __FILE__, __LINE__);
			hal_irq_disable();
		}
		hal_timer_set(HAL_TIME_NEVER);
		irq_poll();
		if (!run.ended)
			log_line("ok %s", test->name);
	}
}

/* Whether the command line has this word. */
static bool has_word(const char *word)
{
	const char *p = hal_boot_info()->cmdline;

	for (;;) {
		const char *w = word;

		while (*p == ' ')
			p++;
		if (!*p)
			return false;
		while (*w && *p == *w)
			p++, w++;
		if (!*w && (!*p || *p == ' '))
			return true;
		while (*p && *p != ' ')
			p++;
	}
}

/* ---- What must end in up_panic() ---- */

static void touch_guard(void)
{
	volatile char *page = hal_phys_to_virt(page_take());

	if (hal_guard_set((void *)page, true))
		return;
	page[8] = 1;
}

static void touch_null(void)
{
	volatile char *volatile null = NULL;

	*null = 1;
}

/* Kernel text is not writable. */
static void touch_text(void)
{
	volatile char *volatile text = (volatile char *)(uintptr_t)log_line;

	*text = 1;
}

static void run_panics(void)
{
	if (has_word("guard"))
		touch_guard();
	else if (has_word("null"))
		touch_null();
	else if (has_word("text"))
		touch_text();
	else
		return;
	log_line("not ok: the kernel went on");
	hal_power_off(1);
}

HAL_NORETURN void up_boot(void)
{
	log_line("hal: conformance on machine %s, contract version %d, %u CPUs, loader %s",
		 HAL_MACHINE_NAME, HAL_VERSION, hal_cpu_count(), hal_boot_info()->loader);
	run_panics();
	for (unsigned i = 0; i < ARRAY_COUNT(tables); i++)
		run_table(tables[i]);
	log_line("hal: %u tests, %u failed, %u skipped", run.tests, run.failed, run.skipped);
	hal_power_off(run.failed ? 1 : 0);
}
