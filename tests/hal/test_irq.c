/*
 * Interrupts as bits, taken at known points; timer and time.
 */
#include "hal/conformance.h"

#define MS 1000000ull
#define LATE_MAX (2000 * MS) /* a loaded host or an emulator is slow; never is what we look for */

static void test_irq_disable_tells_what_it_was(void)
{
	CHECK(!hal_irq_disable());
	hal_irq_enable();
	CHECK(hal_irq_enabled());
	CHECK(hal_irq_disable());
	CHECK(!hal_irq_enabled());
	hal_irq_restore(false);
	CHECK(!hal_irq_enabled());
	hal_irq_restore(true);
	CHECK(hal_irq_enabled());
	hal_irq_disable();
}

static void test_kick_is_pending_until_it_is_taken(void)
{
	unsigned before = irq_taken(HAL_IRQ_KICK, 0);

	irq_poll();
	before = irq_taken(HAL_IRQ_KICK, 0);
	CHECK(!hal_irq_pending());
	hal_cpu_kick(0);
	while (!hal_irq_pending())
		hal_cpu_relax();
	CHECK(irq_taken(HAL_IRQ_KICK, 0) == before);
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_KICK, 0) == before + 1);
	CHECK(!hal_irq_pending());
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_KICK, 0) == before + 1);
}

static void test_kicks_that_are_not_taken_are_one(void)
{
	unsigned before = irq_taken(HAL_IRQ_KICK, 0);

	for (unsigned i = 0; i < 10; i++)
		hal_cpu_kick(0);
	while (!hal_irq_pending())
		hal_cpu_relax();
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_KICK, 0) == before + 1);
}

static void test_irq_restore_takes_what_is_pending(void)
{
	unsigned before = irq_taken(HAL_IRQ_KICK, 0);

	hal_cpu_kick(0);
	hal_irq_restore(false);
	CHECK(irq_taken(HAL_IRQ_KICK, 0) == before);
	while (!hal_irq_pending())
		hal_cpu_relax();
	hal_irq_restore(true);
	hal_irq_disable();
	CHECK(irq_taken(HAL_IRQ_KICK, 0) == before + 1);
}

static void test_timer_fires_after_its_deadline(void)
{
	unsigned before = irq_taken(HAL_IRQ_TIMER, 0);
	uint64_t deadline_ns = hal_time_ns() + 5 * MS;

	hal_timer_set(deadline_ns);
	while (!hal_irq_pending() && hal_time_ns() < deadline_ns + LATE_MAX)
		hal_cpu_relax();
	CHECK(hal_time_ns() >= deadline_ns);
	CHECK(hal_irq_pending());
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before + 1);
}

static void test_timer_in_the_past_fires_at_once(void)
{
	unsigned before = irq_taken(HAL_IRQ_TIMER, 0);
	uint64_t end_ns = hal_time_ns() + LATE_MAX;

	hal_timer_set(0);
	while (!hal_irq_pending() && hal_time_ns() < end_ns)
		hal_cpu_relax();
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before + 1);
	hal_timer_set(hal_time_ns());
	while (!hal_irq_pending() && hal_time_ns() < end_ns)
		hal_cpu_relax();
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before + 2);
}

static void test_timer_deadline_is_replaced(void)
{
	unsigned before = irq_taken(HAL_IRQ_TIMER, 0);
	uint64_t start_ns = hal_time_ns();

	hal_timer_set(start_ns + 20 * MS);
	hal_timer_set(HAL_TIME_NEVER);
	while (hal_time_ns() < start_ns + 40 * MS)
		hal_cpu_relax();
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before);
	hal_timer_set(hal_time_ns() + 100000 * MS);
	hal_timer_set(hal_time_ns() + 2 * MS);
	start_ns = hal_time_ns();
	while (!hal_irq_pending() && hal_time_ns() < start_ns + LATE_MAX)
		hal_cpu_relax();
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before + 1);
}

static void test_timer_that_has_fired_is_silent(void)
{
	unsigned before;
	uint64_t start_ns;

	hal_timer_set(0);
	while (!hal_irq_pending())
		hal_cpu_relax();
	irq_poll();
	before = irq_taken(HAL_IRQ_TIMER, 0);
	start_ns = hal_time_ns();
	while (hal_time_ns() < start_ns + 20 * MS)
		hal_cpu_relax();
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before);
}

static void test_idle_ends_with_a_pending_interrupt(void)
{
	uint64_t start_ns = hal_time_ns();

	hal_cpu_kick(0);
	while (!hal_irq_pending() && hal_time_ns() < start_ns + LATE_MAX)
		hal_cpu_idle();
	CHECK(hal_irq_pending());
	CHECK(!hal_irq_enabled());
	irq_poll();
}

static void test_idle_sleeps_until_the_timer(void)
{
	unsigned before = irq_taken(HAL_IRQ_TIMER, 0);
	uint64_t deadline_ns = hal_time_ns() + 20 * MS;

	hal_timer_set(deadline_ns);
	while (!hal_irq_pending() && hal_time_ns() < deadline_ns + LATE_MAX)
		hal_cpu_idle();
	CHECK(hal_time_ns() >= deadline_ns);
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before);
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before + 1);
}

static void test_two_interrupts_are_taken_each(void)
{
	unsigned timers = irq_taken(HAL_IRQ_TIMER, 0), kicks = irq_taken(HAL_IRQ_KICK, 0);
	uint64_t start_ns = hal_time_ns();

	hal_timer_set(start_ns + MS);
	hal_cpu_kick(0);
	while (hal_time_ns() < start_ns + 20 * MS)
		hal_cpu_relax();
	hal_cpu_idle();
	irq_poll();
	CHECK(irq_taken(HAL_IRQ_TIMER, 0) == timers + 1);
	CHECK(irq_taken(HAL_IRQ_KICK, 0) == kicks + 1);
}

static void test_time_never_goes_back(void)
{
	uint64_t last_ns = hal_time_ns();

	for (unsigned i = 0; i < 100000; i++) {
		uint64_t now_ns = hal_time_ns();

		CHECK(now_ns >= last_ns);
		last_ns = now_ns;
	}
}

static void test_device_interrupt_numbers_are_checked(void)
{
	CHECK(hal_irq_unmask(HAL_IRQ_TIMER, 0) == -EINVAL);
	CHECK(hal_irq_unmask(HAL_IRQ_KICK, 0) == -EINVAL);
	CHECK(hal_irq_unmask(HAL_IRQ_MAX, 0) == -EINVAL);
}

static void test_message_interrupts_are_numbered_as_device_ones(void)
{
	unsigned irq = 0, other = 0;
	uint64_t addr;
	uint32_t data;
	int err = hal_irq_message(&irq, &addr, &data);

	if (err == -EOPNOTSUPP) {
		test_skip("the machine has none");
		return;
	}
	CHECK(err == 0);
	CHECK(irq >= HAL_IRQ_DEVICE && irq < HAL_IRQ_MAX);
	CHECK(hal_irq_message(&other, &addr, &data) == 0);
	CHECK(other != irq);
	CHECK(hal_irq_unmask(irq, 0) == 0);
	hal_irq_mask(irq);
}

const struct test tests_irq[] = {
	TEST(test_irq_disable_tells_what_it_was),
	TEST(test_kick_is_pending_until_it_is_taken),
	TEST(test_kicks_that_are_not_taken_are_one),
	TEST(test_irq_restore_takes_what_is_pending),
	TEST(test_timer_fires_after_its_deadline),
	TEST(test_timer_in_the_past_fires_at_once),
	TEST(test_timer_deadline_is_replaced),
	TEST(test_timer_that_has_fired_is_silent),
	TEST(test_idle_ends_with_a_pending_interrupt),
	TEST(test_idle_sleeps_until_the_timer),
	TEST(test_two_interrupts_are_taken_each),
	TEST(test_time_never_goes_back),
	TEST(test_device_interrupt_numbers_are_checked),
	TEST(test_message_interrupts_are_numbered_as_device_ones),
	{0},
};
