/*
 * The initial stack of a program.
 */
#include "services/linux/stack.h"

#include "tests/kernel/ktest.h"

#define TOP 0x7fff00000000ull
#define SIZE 4096u

static struct {
	uint8_t bytes[SIZE] __attribute__((aligned(16)));
	struct linux_stack stack;
	vaddr_t sp;
} built;

static int64_t build(const char *const *argv, const char *const *envp, size_t size)
{
	memset(&built, 0, sizeof(built));
	built.stack.argv = argv;
	built.stack.envp = envp;
	built.stack.path = "/bin/prog";
	built.stack.platform = "x86_64";
	memset(built.stack.random, 0xab, sizeof(built.stack.random));
	built.stack.auxv[built.stack.auxv_count++] = (struct linux_auxv){6, 4096};
	return linux_stack_build(&built.stack, TOP, built.bytes, size, &built.sp);
}

/* What the program would find at a user address. */
static const void *at(vaddr_t addr)
{
	return built.bytes + SIZE - (TOP - addr);
}

static uint64_t word(unsigned i)
{
	uint64_t value;

	memcpy(&value, at(built.sp + 8 * i), sizeof(value));
	return value;
}

static bool is_text(uint64_t addr, const char *text)
{
	return addr < TOP && addr >= TOP - SIZE && str_compare(at(addr), text) == 0;
}

static void test_linux_stack_has_the_layout_of_the_abi(void)
{
	static const char *const argv[] = {"prog", "", "two words", NULL};
	static const char *const envp[] = {"A=1", "B=", NULL};
	int64_t bytes = build(argv, envp, SIZE);

	CHECK(bytes > 0 && built.sp == TOP - (uint64_t)bytes && built.sp % 16 == 0);
	CHECK(word(0) == 3);
	CHECK(is_text(word(1), "prog") && is_text(word(2), "") && is_text(word(3), "two words"));
	CHECK(word(4) == 0);
	CHECK(is_text(word(5), "A=1") && is_text(word(6), "B=") && word(7) == 0);
	CHECK(word(8) == 6 && word(9) == 4096);
}

static void test_linux_stack_auxv_points_at_its_texts(void)
{
	static const char *const argv[] = {"prog", NULL};
	static const char *const envp[] = {NULL};
	const uint8_t *random;

	CHECK(build(argv, envp, SIZE) > 0);
	CHECK(word(0) == 1 && word(2) == 0 && word(3) == 0);
	CHECK(word(4) == 6 && word(6) == 25 && word(8) == 15 && word(10) == 31 && word(12) == 0);
	random = at(word(7));
	CHECK(random[0] == 0xab && random[15] == 0xab && word(7) % 16 == 0);
	CHECK(is_text(word(9), "x86_64") && is_text(word(11), "/bin/prog"));
}

static void test_linux_stack_is_aligned_for_any_arguments(void)
{
	static const char *const envp[] = {"LONG=abc", NULL};
	static const char letters[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	for (unsigned i = 0; i < 32; i++) {
		const char *argv[] = {letters + i, i & 1 ? "odd" : NULL, NULL};

		CHECK(build(argv, envp, SIZE) > 0 && built.sp % 16 == 0);
	}
}

static void test_linux_stack_refuses_what_does_not_fit(void)
{
	static const char *const argv[] = {"prog", "argument", NULL};
	static const char *const envp[] = {"A=1", NULL};
	int64_t bytes = build(argv, envp, SIZE);

	CHECK(bytes > 0);
	for (size_t size = 0; size < (size_t)bytes; size += 16)
		CHECK(build(argv, envp, size) == -E2BIG);
	CHECK(build(argv, envp, (size_t)bytes) == bytes);
}

const struct ktest ktests_linux_stack[] = {
	KTEST(test_linux_stack_has_the_layout_of_the_abi),
	KTEST(test_linux_stack_auxv_points_at_its_texts),
	KTEST(test_linux_stack_is_aligned_for_any_arguments),
	KTEST(test_linux_stack_refuses_what_does_not_fit),
	{0},
};
