/*
 * User code that attacks the machine: whatever it does, the kernel goes on, another space is not
 * harmed, and nothing is mapped that was not mapped. docs/security.md names these tests.
 */
#include "hal/hostile.h"

#define MS 1000000ull
#define STOPS_MAX 4 /* timer interrupts after which an attack that goes nowhere is left */
#define FORGE_ROUNDS 60

static struct hal_user user, victim;
static struct {
	struct space space;
	struct hal_user users[2];
	struct hal_event events[2];
} test;

static bool is_machine_trap(const struct hal_event *event)
{
	return event->kind == HAL_EVENT_TRAP && event->trap == HAL_TRAP_MACHINE;
}

/* Runs until something but an interrupt happens, or until the timer has stopped it often. */
static void run_some(struct space *space, struct hal_user *attacker, struct hal_event *event)
{
	for (unsigned stops = 0; stops < STOPS_MAX; stops++) {
		hal_timer_set(hal_time_ns() + MS / 2);
		irq_poll();
		hal_user_run(&space->mmu, attacker, event);
		if (event->kind != HAL_EVENT_INTERRUPT)
			break;
	}
	hal_timer_set(HAL_TIME_NEVER);
	irq_poll();
}

/* The victim makes system calls for ever, in a space of its own. */
static void begin_victim(struct space *space)
{
	struct hal_event event;

	space_make(space, &fragment_read);
	user_start(&victim, USER_DATA, 0);
	EXPECT(user_run(space, &victim, &event) == HAL_EVENT_SYSCALL);
	arch_fill_registers(&victim, 0);
}

/* A user in a space of its own still runs and has its registers. */
static void check_victim(struct space *space, uint64_t round)
{
	struct hal_event event;

	EXPECT(user_run(space, &victim, &event) == HAL_EVENT_SYSCALL);
	EXPECT(arch_wrong_registers(&victim, round) == 0);
	arch_fill_registers(&victim, round + 1);
}

/* The attacker's space still shows what is mapped and nothing else; or it is dead. */
static bool check_space(struct space *space)
{
	struct hal_event event;

	user_start(&user, USER_NOTHING, 0);
	user_run(space, &user, &event);
	hal_user_fini(&user);
	if (is_machine_trap(&event))
		return false;
	EXPECT(event.kind == HAL_EVENT_FAULT && event.addr == USER_NOTHING);
	return true;
}

static void attack_addresses(const struct fragment *fragment)
{
	struct space space, other;
	struct hal_event event;
	uint64_t round = 0;

	begin_victim(&other);
	space_make(&space, fragment);
	for (const vaddr_t *addr = hostile_addresses; *addr; addr++) {
		user_start(&user, *addr, 0);
		run_some(&space, &user, &event);
		hal_user_fini(&user);
		check_victim(&other, round++);
		if (is_machine_trap(&event)) {
			space_drop(&space);
			space_make(&space, fragment);
		}
	}
	space_drop(&space);
	user_end(&other, &victim);
}

static void test_reads_above_user_memory_do_no_harm(void)
{
	attack_addresses(&fragment_read);
}

static void test_writes_above_user_memory_do_no_harm(void)
{
	attack_addresses(&fragment_write);
}

static void test_jumps_above_user_memory_do_no_harm(void)
{
	attack_addresses(&fragment_jump);
}

/* What ends an attack that goes nowhere is the timer, which virtual time does not bring about. */
static bool can_attack_code(void)
{
	if (hostile_code && !hal_has(HAL_HAS_SEED))
		return true;
	test_skip(hostile_code ? "seeded mode cannot stop user code"
			       : "the machine keeps no code in user address spaces");
	return false;
}

static void test_jumps_to_each_byte_of_machine_code_do_no_harm(void)
{
	struct space space, other;
	struct hal_event event;
	uint64_t round = 0;

	if (!can_attack_code())
		return;
	begin_victim(&other);
	space_make(&space, &fragment_jump);
	for (vaddr_t i = 0; i < HAL_PAGE_SIZE; i++) {
		for (unsigned set = 0; set < hostile_register_sets; set++) {
			user_start(&user, 0, 0);
			hostile_set_registers(&user, set);
			arch_set_args(&user, hostile_code + i, USER_NOTHING);
			run_some(&space, &user, &event);
			hal_user_fini(&user);
			if (is_machine_trap(&event)) {
				space_drop(&space);
				space_make(&space, &fragment_jump);
			}
		}
		check_victim(&other, round++);
	}
	space_drop(&space);
	user_end(&other, &victim);
}

/* After each attack the same space must not show more memory than before. */
static void test_jumps_into_machine_code_map_nothing(void)
{
	struct space space;
	struct hal_event event;

	if (!can_attack_code())
		return;
	for (vaddr_t i = 0; i < HAL_PAGE_SIZE; i += 64) {
		space_make(&space, &fragment_jump);
		for (unsigned byte = 0; byte < 64; byte++) {
			user_start(&user, 0, 0);
			hostile_set_registers(&user, byte % hostile_register_sets);
			arch_set_args(&user, hostile_code + i + byte, USER_NOTHING);
			run_some(&space, &user, &event);
			hal_user_fini(&user);
		}
		memcpy(hal_phys_to_virt(space.code_page), fragment_read.start,
		       (size_t)(fragment_read.end - fragment_read.start));
		(void)check_space(&space);
		space_drop(&space);
	}
}

static void test_forged_words_of_the_own_area_do_no_harm(void)
{
	struct space space, other;
	struct hal_event event;

	begin_victim(&other);
	space_make(&space, &fragment_forge);
	for (uint64_t round = 0; round < FORGE_ROUNDS; round++) {
		user_start(&user, 0, 0);
		hostile_set_registers(&user, 0);
		arch_set_args(&user, hostile_area, round + 1);
		for (unsigned i = 0; i < 4; i++)
			run_some(&space, &user, &event);
		hal_user_fini(&user);
		check_victim(&other, round);
		if (is_machine_trap(&event)) {
			space_drop(&space);
			space_make(&space, &fragment_forge);
		}
	}
	space_drop(&space);
	user_end(&other, &victim);
}

static void run_attacks(void *arg)
{
	struct hal_event *event = &test.events[1];

	(void)arg;
	for (unsigned i = 0; i < FORGE_ROUNDS; i++)
		run_some(&test.space, &test.users[1], event);
}

/* One user of a space overwrites the area of the CPU that the other runs on. */
static void test_forged_words_of_another_cpu_do_no_harm(void)
{
	struct space other;
	struct hal_event event;

	if (cpu_start_all() < 2) {
		test_skip("one CPU");
		return;
	}
	begin_victim(&other);
	for (uint64_t round = 0; round < 8; round++) {
		space_make(&test.space, &fragment_forge);
		user_start(&test.users[0], hostile_area + HOSTILE_AREA_BYTES, round + 1);
		user_start(&test.users[1], hostile_area, round + 7);
		cpu_begin(1, run_attacks, NULL);
		for (unsigned i = 0; i < FORGE_ROUNDS; i++)
			run_some(&test.space, &test.users[0], &event);
		cpu_finish(1);
		hal_user_fini(&test.users[0]);
		hal_user_fini(&test.users[1]);
		space_drop(&test.space);
		check_victim(&other, round);
	}
	user_end(&other, &victim);
}

const struct test tests_hostile[] = {
	TEST(test_reads_above_user_memory_do_no_harm),
	TEST(test_writes_above_user_memory_do_no_harm),
	TEST(test_jumps_above_user_memory_do_no_harm),
	TEST(test_jumps_to_each_byte_of_machine_code_do_no_harm),
	TEST(test_jumps_into_machine_code_map_nothing),
	TEST(test_forged_words_of_the_own_area_do_no_harm),
	TEST(test_forged_words_of_another_cpu_do_no_harm),
	{0},
};
