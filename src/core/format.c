/*
 * printf-style formatting into a buffer. No state, no allocation; what does not fit is counted
 * and dropped.
 */
#include "core/klib.h"

struct output {
	char *to;
	size_t size;   /* of `to`, the terminating 0 included */
	size_t length; /* of the whole text so far */
};

/* One conversion: %[flags][width][.precision][length]type */
struct spec {
	bool left, zero;
	int width;
	int precision; /* -1: none */
	int longs;     /* hh -2, h -1, none 0, l 1, ll 2, z 1 */
};

static void put_char(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void put_repeated(struct output *out, char c, int count)
{
	for (; count > 0; count--)
		put_char(out, c);
}

static void put_text(struct output *out, const struct spec *spec, const char *text, size_t length)
{
	int pad = spec->width - (int)length;

	if (!spec->left)
		put_repeated(out, ' ', pad);
	for (size_t i = 0; i < length; i++)
		put_char(out, text[i]);
	if (spec->left)
		put_repeated(out, ' ', pad);
}

/* `prefix`: "-", "0x" or "". */
static void put_number(struct output *out, const struct spec *spec, const char *prefix,
		       const char *digits, int count)
{
	int prefix_length = (int)str_length(prefix);
	int zeros = MAX(spec->precision - count, 0);
	int pad;

	if (spec->zero && !spec->left && spec->precision < 0)
		zeros = MAX(spec->width - prefix_length - count, 0);
	pad = spec->width - prefix_length - zeros - count;
	if (!spec->left)
		put_repeated(out, ' ', pad);
	while (*prefix)
		put_char(out, *prefix++);
	put_repeated(out, '0', zeros);
	for (int i = 0; i < count; i++)
		put_char(out, digits[i]);
	if (spec->left)
		put_repeated(out, ' ', pad);
}

static void put_unsigned(struct output *out, const struct spec *spec, uint64_t value, char type)
{
	const char *alphabet = type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned base = type == 'u' || type == '-' ? 10 : 16;
	char digits[24];
	int first = sizeof(digits);
	const char *prefix = type == '-' ? "-" : type == 'p' ? "0x" : "";

	for (uint64_t rest = value; rest; rest /= base)
		digits[--first] = alphabet[rest % base];
	if (!value && spec->precision != 0)
		digits[--first] = '0';
	put_number(out, spec, prefix, digits + first, (int)sizeof(digits) - first);
}

static void put_signed(struct output *out, const struct spec *spec, int64_t value)
{
	if (value < 0)
		put_unsigned(out, spec, -(uint64_t)value, '-');
	else
		put_unsigned(out, spec, (uint64_t)value, 'u');
}

/* A non-negative number in the format, or from the arguments for '*'. */
static const char *read_number(const char *at, int *number, va_list *args)
{
	*number = 0;
	if (*at == '*') {
		*number = va_arg(*args, int);
		return at + 1;
	}
	for (; *at >= '0' && *at <= '9'; at++)
		*number = MIN(*number * 10 + (*at - '0'), 1 << 20);
	return at;
}

static const char *read_spec(const char *at, struct spec *spec, va_list *args)
{
	*spec = (struct spec){.precision = -1};
	for (; *at == '-' || *at == '0'; at++) {
		if (*at == '-')
			spec->left = true;
		else
			spec->zero = true;
	}
	at = read_number(at, &spec->width, args);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = -spec->width;
	}
	if (*at == '.')
		at = read_number(at + 1, &spec->precision, args);
	for (; *at == 'l' || *at == 'h' || *at == 'z'; at++)
		spec->longs += *at == 'h' ? -1 : 1;
	return at;
}

static uint64_t take_unsigned(const struct spec *spec, va_list *args)
{
	if (spec->longs >= 1)
		return va_arg(*args, uint64_t);
	if (spec->longs == -1)
		return (unsigned short)va_arg(*args, unsigned);
	if (spec->longs <= -2)
		return (unsigned char)va_arg(*args, unsigned);
	return va_arg(*args, unsigned);
}

static int64_t take_signed(const struct spec *spec, va_list *args)
{
	if (spec->longs >= 1)
		return va_arg(*args, int64_t);
	if (spec->longs == -1)
		return (short)va_arg(*args, int);
	if (spec->longs <= -2)
		return (signed char)va_arg(*args, int);
	return va_arg(*args, int);
}

static void put_string(struct output *out, const struct spec *spec, const char *text)
{
	size_t max = spec->precision >= 0 ? (size_t)spec->precision : SIZE_MAX;

	if (!text)
		text = "(null)";
	put_text(out, spec, text, str_length_max(text, max));
}

static void put_conversion(struct output *out, const struct spec *spec, char type, va_list *args)
{
	char c;

	switch (type) {
	case 'd':
	case 'i':
		put_signed(out, spec, take_signed(spec, args));
		break;
	case 'u':
	case 'x':
	case 'X':
		put_unsigned(out, spec, take_unsigned(spec, args), type);
		break;
	case 'p':
		put_unsigned(out, spec, (uintptr_t)va_arg(*args, void *), type);
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		put_text(out, spec, &c, 1);
		break;
	case 's':
		put_string(out, spec, va_arg(*args, const char *));
		break;
	default: /* also '%': shown as it stands */
		put_char(out, type);
		break;
	}
}

size_t str_format_list(char *to, size_t size, const char *format, va_list args)
{
	struct output out = {.to = to, .size = size};
	struct spec spec;
	va_list copy;

	va_copy(copy, args);
	while (*format) {
		if (*format != '%') {
			put_char(&out, *format++);
			continue;
		}
		format = read_spec(format + 1, &spec, &copy);
		if (*format)
			put_conversion(&out, &spec, *format++, &copy);
	}
	va_end(copy);
	if (size)
		to[MIN(out.length, size - 1)] = 0;
	return out.length;
}

size_t str_format(char *to, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = str_format_list(to, size, format, args);
	va_end(args);
	return length;
}
