/*
 * The initial stack of a program (System V ABI, "Initial Stack and Register State"). From the top
 * down: the program's path, the strings of envp and argv, the platform's name, 16 random bytes,
 * then the auxiliary vector, the pointers of envp and argv, and argc at an address that is a
 * multiple of 16.
 *
 * Pure: no state, no lock. Invariant: nothing is written below buf.
 */
#include "services/linux/stack.h"

#include "core/klib.h"

#define AT_NULL 0
#define AT_PLATFORM 15
#define AT_RANDOM 25
#define AT_EXECFN 31
#define EXTRA_AUXV_COUNT 4

struct builder {
	uint8_t *buf;
	size_t left; /* bytes of buf that are free, all at its start */
	size_t size;
	vaddr_t top;
};

/* The user address of the lowest byte written so far. */
static vaddr_t builder_addr(const struct builder *builder)
{
	return builder->top - (builder->size - builder->left);
}

static int push(struct builder *builder, const void *data, size_t bytes)
{
	if (bytes > builder->left)
		return -E2BIG;
	builder->left -= bytes;
	memcpy(builder->buf + builder->left, data, bytes);
	return 0;
}

static int push_string(struct builder *builder, const char *text)
{
	return push(builder, text, str_length(text) + 1);
}

static unsigned count_strings(const char *const *strings)
{
	unsigned count = 0;

	while (strings[count])
		count++;
	return count;
}

/* Pushes all strings; the first one ends lowest, so that they follow one another in memory. */
static int push_strings(struct builder *builder, const char *const *strings)
{
	for (unsigned i = count_strings(strings); i > 0; i--) {
		int err = push_string(builder, strings[i - 1]);

		if (err)
			return err;
	}
	return 0;
}

/* Writes the pointers to strings that start at `addr` one after the other, and NULL. */
static uint64_t *write_pointers(uint64_t *words, const char *const *strings, vaddr_t addr)
{
	for (; *strings; strings++) {
		*words++ = addr;
		addr += str_length(*strings) + 1;
	}
	*words++ = 0;
	return words;
}

/* Where the strings landed. */
struct places {
	vaddr_t path, argv, envp, platform, random;
};

static int push_texts(struct builder *builder, const struct linux_stack *stack,
		      struct places *places)
{
	static const uint8_t zeros[16];
	int err = push(builder, zeros, 8);

	if (!err)
		err = push_string(builder, stack->path);
	places->path = builder_addr(builder);
	if (!err)
		err = push_strings(builder, stack->envp);
	places->envp = builder_addr(builder);
	if (!err)
		err = push_strings(builder, stack->argv);
	places->argv = builder_addr(builder);
	if (!err)
		err = push_string(builder, stack->platform);
	places->platform = builder_addr(builder);
	if (!err)
		err = push(builder, zeros, builder_addr(builder) & 15);
	if (!err)
		err = push(builder, stack->random, sizeof(stack->random));
	places->random = builder_addr(builder);
	return err;
}

int64_t linux_stack_build(const struct linux_stack *stack, vaddr_t top, uint8_t *buf, size_t size,
			  vaddr_t *sp)
{
	struct builder builder = {buf, size, size, top};
	unsigned argc = count_strings(stack->argv);
	size_t words_count = 1 + argc + 1 + count_strings(stack->envp) + 1 +
			     2 * ((size_t)stack->auxv_count + EXTRA_AUXV_COUNT);
	struct places places;
	uint64_t *words;
	int err = push_texts(&builder, stack, &places);

	if (err)
		return err;
	words_count += words_count & 1;
	if (words_count * sizeof(uint64_t) > builder.left)
		return -E2BIG;
	builder.left -= words_count * sizeof(uint64_t);
	words = (uint64_t *)(void *)(buf + builder.left);
	memset(words, 0, words_count * sizeof(uint64_t));
	*words++ = argc;
	words = write_pointers(words, stack->argv, places.argv);
	words = write_pointers(words, stack->envp, places.envp);
	memcpy(words, stack->auxv, stack->auxv_count * sizeof(struct linux_auxv));
	words += 2 * stack->auxv_count;
	*words++ = AT_RANDOM;
	*words++ = places.random;
	*words++ = AT_PLATFORM;
	*words++ = places.platform;
	*words++ = AT_EXECFN;
	*words++ = places.path;
	*words++ = AT_NULL;
	*sp = builder_addr(&builder);
	return (int64_t)(size - builder.left);
}
