/*
 * Kernel contexts and call chains.
 */
#include "hal/conformance.h"

#define CONTEXTS 64
#define ROUNDS 1000

struct fiber {
	struct hal_context context;
	unsigned index, rounds;
	void *arg;
};

static struct {
	struct hal_context main; /* of this code, filled by its first switch, never ended */
	struct fiber fibers[CONTEXTS];
	unsigned running;
	char stacks[CONTEXTS][HAL_STACK_BYTES / 2] __attribute__((aligned(4096)));
} test;

static void enter_once(void *arg)
{
	struct fiber *fiber = arg;

	EXPECT(!hal_irq_enabled());
	fiber->arg = arg;
	fiber->rounds++;
	for (;;)
		hal_context_switch(&fiber->context, &test.main);
}

static void make_fiber(unsigned i, void (*entry)(void *))
{
	test.fibers[i] = (struct fiber){.index = i};
	hal_context_init(&test.fibers[i].context, "test", test.stacks[i], sizeof(test.stacks[i]),
			 entry, &test.fibers[i]);
}

static void test_context_runs_entry_with_its_argument(void)
{
	make_fiber(0, enter_once);
	CHECK(test.fibers[0].rounds == 0);
	hal_context_switch(&test.main, &test.fibers[0].context);
	CHECK(test.fibers[0].rounds == 1);
	CHECK(test.fibers[0].arg == &test.fibers[0]);
	hal_context_fini(&test.fibers[0].context);
}

/* Keeps values over switches, on the stack and in what the compiler makes registers. */
static void keep_values(void *arg)
{
	struct fiber *fiber = arg;
	volatile uint64_t memory[8];
	uint64_t a = fiber->index * 3, b = fiber->index * 5, c = fiber->index * 7;

	for (unsigned i = 0; i < 8; i++)
		memory[i] = fiber->index * 100 + i;
	for (;;) {
		unsigned next = fiber->index + 1;

		fiber->rounds++;
		hal_context_switch(&fiber->context, next < test.running
				   ? &test.fibers[next].context : &test.main);
		a += 3, b += 5, c += 7;
		EXPECT(a - fiber->index * 3 == fiber->rounds * 3);
		EXPECT(b - fiber->index * 5 == fiber->rounds * 5);
		EXPECT(c - fiber->index * 7 == fiber->rounds * 7);
		for (unsigned i = 0; i < 8; i++)
			EXPECT(memory[i] == fiber->index * 100 + i);
	}
}

static void test_context_switch_keeps_stack_and_registers(void)
{
	test.running = CONTEXTS;
	for (unsigned i = 0; i < CONTEXTS; i++)
		make_fiber(i, keep_values);
	for (unsigned round = 0; round < ROUNDS; round++)
		hal_context_switch(&test.main, &test.fibers[0].context);
	for (unsigned i = 0; i < CONTEXTS; i++)
		CHECK(test.fibers[i].rounds == ROUNDS);
	for (unsigned i = 0; i < CONTEXTS; i++)
		hal_context_fini(&test.fibers[i].context);
}

static void test_context_switch_keeps_interrupts_disabled(void)
{
	make_fiber(0, enter_once);
	hal_cpu_kick(hal_cpu_id());
	hal_context_switch(&test.main, &test.fibers[0].context);
	CHECK(!hal_irq_enabled());
	CHECK(hal_irq_pending());
	irq_poll();
	hal_context_fini(&test.fibers[0].context);
}

__attribute__((noinline)) static unsigned chain_inner(uintptr_t *pcs, unsigned max)
{
	unsigned count = hal_backtrace(pcs, max);

	__asm__ volatile("" ::: "memory");
	return count;
}

__attribute__((noinline)) static unsigned chain_outer(uintptr_t *pcs, unsigned max)
{
	unsigned count = chain_inner(pcs, max);

	__asm__ volatile("" ::: "memory");
	return count;
}

static void test_backtrace_shows_the_callers(void)
{
	uintptr_t pcs[16];
	unsigned count = chain_outer(pcs, ARRAY_COUNT(pcs));

	CHECK(count >= 3);
	CHECK(pcs[0] - (uintptr_t)chain_inner < 256);
	CHECK(pcs[1] - (uintptr_t)chain_outer < 256);
	CHECK(chain_outer(pcs, 2) == 2);
	CHECK(chain_outer(pcs, 0) == 0);
}

static void trace_in_fiber(void *arg)
{
	struct fiber *fiber = arg;
	uintptr_t pcs[16];

	fiber->rounds = chain_outer(pcs, ARRAY_COUNT(pcs));
	for (;;)
		hal_context_switch(&fiber->context, &test.main);
}

static void test_backtrace_stops_at_the_start_of_a_context(void)
{
	make_fiber(0, trace_in_fiber);
	hal_context_switch(&test.main, &test.fibers[0].context);
	CHECK(test.fibers[0].rounds >= 3);
	CHECK(test.fibers[0].rounds <= 6);
	hal_context_fini(&test.fibers[0].context);
}

static void test_cpu_boots_as_number_0(void)
{
	CHECK(hal_cpu_id() == 0);
	CHECK(hal_cpu_count() >= 1 && hal_cpu_count() <= HAL_CPUS_MAX);
	CHECK(!hal_irq_enabled());
	CHECK(hal_cpu_start(0) == -EBUSY);
}

const struct test tests_cpu[] = {
	TEST(test_cpu_boots_as_number_0),
	TEST(test_context_runs_entry_with_its_argument),
	TEST(test_context_switch_keeps_stack_and_registers),
	TEST(test_context_switch_keeps_interrupts_disabled),
	TEST(test_backtrace_shows_the_callers),
	TEST(test_backtrace_stops_at_the_start_of_a_context),
	{0},
};
