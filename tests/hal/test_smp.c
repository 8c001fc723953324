/*
 * Several CPUs: start, kick, time, user code side by side, mappings seen everywhere.
 */
#include "hal/conformance_user.h"

#include <stdatomic.h>

#define COUNTS 20000
#define LATE_MAX 5000000000ull

static struct {
	struct space space;
	struct hal_user users[HAL_CPUS_MAX];
	_Atomic unsigned ids[HAL_CPUS_MAX];
	_Atomic uint64_t time_ns;
	_Atomic unsigned turn;
	_Atomic bool stop;
	struct hal_event events[HAL_CPUS_MAX];
} test;

static bool need_two(void)
{
	if (cpu_start_all() >= 2)
		return true;
	test_skip("one CPU");
	return false;
}

static void note_id(void *arg)
{
	(void)arg;
	atomic_store(&test.ids[hal_cpu_id()], hal_cpu_id() + 1);
}

static void test_all_cpus_start_and_know_their_number(void)
{
	unsigned count = cpu_start_all();

	for (unsigned i = 1; i < count; i++) {
		cpu_begin(i, note_id, NULL);
		cpu_finish(i);
		CHECK(atomic_load(&test.ids[i]) == i + 1);
		CHECK(hal_cpu_start(i) == -EBUSY);
	}
}

static void test_kick_wakes_an_idle_cpu(void)
{
	if (!need_two())
		return;
	for (unsigned i = 0; i < 1000; i++) {
		cpu_begin(1, note_id, NULL);
		cpu_finish(1);
	}
	CHECK(irq_taken(HAL_IRQ_KICK, 1) > 0);
}

/* Two CPUs by turns: each sees a time that is not before the other's. */
static void pass_time(void *arg)
{
	unsigned self = arg != NULL;

	for (unsigned i = 0; i < 2000; i++) {
		uint64_t now_ns;

		while (atomic_load(&test.turn) != self)
			hal_cpu_relax();
		now_ns = hal_time_ns();
		EXPECT(now_ns >= atomic_load(&test.time_ns));
		atomic_store(&test.time_ns, now_ns);
		atomic_store(&test.turn, !self);
	}
}

static void test_time_agrees_on_two_cpus(void)
{
	if (!need_two())
		return;
	atomic_store(&test.turn, 0);
	cpu_begin(1, pass_time, &test);
	pass_time(NULL);
	cpu_finish(1);
}

static void run_to_syscall(void *arg)
{
	struct hal_user *user = arg;

	user_run(&test.space, user, &test.events[hal_cpu_id()]);
}

static void test_users_of_one_space_run_side_by_side(void)
{
	unsigned count = cpu_start_all();
	uint64_t *sum;

	space_make(&test.space, &fragment_count);
	sum = (uint64_t *)test.space.data;
	for (unsigned i = 0; i < count; i++)
		user_start(&test.users[i], USER_DATA, COUNTS);
	for (unsigned i = 1; i < count; i++)
		cpu_begin(i, run_to_syscall, &test.users[i]);
	run_to_syscall(&test.users[0]);
	for (unsigned i = 0; i < count; i++) {
		if (i)
			cpu_finish(i);
		EXPECT(test.events[i].kind == HAL_EVENT_SYSCALL);
		hal_user_fini(&test.users[i]);
	}
	EXPECT(*sum == (uint64_t)COUNTS * count);
	space_drop(&test.space);
}

/* Runs user code until it faults or is told to stop. */
static void run_until_fault(void *arg)
{
	struct hal_event *event = &test.events[hal_cpu_id()];

	do {
		irq_poll();
		hal_user_run(&test.space.mmu, arg, event);
	} while (event->kind == HAL_EVENT_INTERRUPT && !atomic_load(&test.stop));
}

static void wait_ms(uint64_t ms)
{
	uint64_t end_ns = hal_time_ns() + ms * 1000000;

	while (hal_time_ns() < end_ns)
		hal_cpu_relax();
}

static void stop_cpu(unsigned cpu)
{
	atomic_store(&test.stop, true);
	hal_cpu_kick(cpu);
	cpu_finish(cpu);
}

static void test_kick_ends_a_user_run(void)
{
	unsigned before = irq_taken(HAL_IRQ_KICK, 1);

	if (!need_two())
		return;
	atomic_store(&test.stop, false);
	space_make(&test.space, &fragment_spin);
	user_start(&test.users[1], 0, 0);
	cpu_begin(1, run_until_fault, &test.users[1]);
	wait_ms(5);
	stop_cpu(1);
	EXPECT(test.events[1].kind == HAL_EVENT_INTERRUPT);
	EXPECT(irq_taken(HAL_IRQ_KICK, 1) > before);
	user_end(&test.space, &test.users[1]);
}

static void test_unmap_is_seen_by_another_cpu(void)
{
	uint64_t end_ns;

	if (!need_two())
		return;
	atomic_store(&test.stop, false);
	space_make(&test.space, &fragment_read_spin);
	user_start(&test.users[1], USER_DATA, 0);
	cpu_begin(1, run_until_fault, &test.users[1]);
	wait_ms(5);
	hal_mmu_unmap(&test.space.mmu, USER_DATA, 1);
	end_ns = hal_time_ns() + LATE_MAX;
	while (!cpu_is_done(1) && hal_time_ns() < end_ns)
		hal_cpu_relax();
	EXPECT(cpu_is_done(1));
	stop_cpu(1);
	EXPECT(test.events[1].kind == HAL_EVENT_FAULT);
	EXPECT(test.events[1].addr == USER_DATA);
	user_end(&test.space, &test.users[1]);
}

static void test_protect_is_seen_by_another_cpu(void)
{
	uint64_t *word, at_protect;

	if (!need_two())
		return;
	atomic_store(&test.stop, false);
	space_make(&test.space, &fragment_count);
	word = (uint64_t *)test.space.data;
	user_start(&test.users[1], USER_DATA, UINT64_MAX);
	cpu_begin(1, run_until_fault, &test.users[1]);
	while (!__atomic_load_n(word, __ATOMIC_RELAXED))
		hal_cpu_relax();
	hal_mmu_protect(&test.space.mmu, USER_DATA, 1, HAL_PROT_READ);
	at_protect = __atomic_load_n(word, __ATOMIC_RELAXED);
	wait_ms(5);
	EXPECT(__atomic_load_n(word, __ATOMIC_RELAXED) == at_protect);
	stop_cpu(1);
	EXPECT(test.events[1].kind == HAL_EVENT_FAULT);
	EXPECT(test.events[1].access == HAL_PROT_WRITE);
	user_end(&test.space, &test.users[1]);
}

/* One user moves between CPUs with its registers. */
static void test_user_moves_to_another_cpu(void)
{
	struct hal_event event;

	if (!need_two())
		return;
	space_make(&test.space, &fragment_write);
	user_start(&test.users[0], USER_DATA, 0);
	arch_fill_registers(&test.users[0], 3);
	for (unsigned i = 0; i < 50; i++) {
		arch_set_args(&test.users[0], USER_DATA + i, 0);
		cpu_begin(1, run_to_syscall, &test.users[0]);
		cpu_finish(1);
		EXPECT(test.events[1].kind == HAL_EVENT_SYSCALL);
		arch_set_args(&test.users[0], USER_DATA + i, 0);
		EXPECT(user_run(&test.space, &test.users[0], &event) == HAL_EVENT_SYSCALL);
		EXPECT(arch_wrong_registers(&test.users[0], 3) == 0);
	}
	user_end(&test.space, &test.users[0]);
}

const struct test tests_smp[] = {
	TEST(test_all_cpus_start_and_know_their_number),
	TEST(test_kick_wakes_an_idle_cpu),
	TEST(test_time_agrees_on_two_cpus),
	TEST(test_users_of_one_space_run_side_by_side),
	TEST(test_kick_ends_a_user_run),
	TEST(test_unmap_is_seen_by_another_cpu),
	TEST(test_protect_is_seen_by_another_cpu),
	TEST(test_user_moves_to_another_cpu),
	{0},
};
