/*
 * User code on one CPU: system calls, faults, traps, interrupts, registers, mappings.
 */
#include "hal/conformance.h"

#include "hal/conformance_user.h"

#define MS 1000000ull
#define ROUNDS 200

static struct hal_user user, other;

static void test_syscall_passes_number_and_arguments(void)
{
	struct space space;
	struct hal_event event;

	space_make(&space, &fragment_syscall);
	user_start(&user, 0x123, 0xdeadbeefcafe);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	CHECK(hal_user_syscall(&user) == 0x123);
	CHECK(hal_user_arg(&user, 0) == 0xdeadbeefcafe);
	for (unsigned i = 1; i < 6; i++)
		CHECK(hal_user_arg(&user, i) == i + 1);
	hal_user_set_result(&user, (uint64_t)-ENOSYS);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	CHECK(hal_user_syscall(&user) == 0x124);
	CHECK(hal_user_arg(&user, 0) == (uint64_t)-ENOSYS);
	user_end(&space, &user);
}

static void test_syscall_can_be_restarted(void)
{
	struct space space;
	struct hal_event event;
	vaddr_t pc;

	space_make(&space, &fragment_syscall);
	user_start(&user, 7, 99);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	pc = hal_user_pc(&user);
	hal_user_set_result(&user, 1);
	hal_user_restart(&user);
	CHECK(hal_user_pc(&user) < pc);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	CHECK(hal_user_pc(&user) == pc);
	CHECK(hal_user_syscall(&user) == 7);
	CHECK(hal_user_arg(&user, 0) == 99);
	user_end(&space, &user);
}

static void test_syscall_keeps_registers(void)
{
	struct space space;
	struct hal_event event;

	space_make(&space, &fragment_write);
	user_start(&user, USER_DATA, 0);
	arch_fill_registers(&user, 11);
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
		CHECK(arch_wrong_registers(&user, 11) == 0);
		CHECK(hal_user_sp(&user) == USER_STACK_TOP);
		arch_set_args(&user, USER_DATA, 0);
	}
	user_end(&space, &user);
}

static void test_registers_set_by_the_kernel_reach_user_code(void)
{
	struct space space;
	struct hal_event event;

	space_make(&space, &fragment_write);
	user_start(&user, USER_DATA, 0);
	for (unsigned i = 0; i < 8; i++) {
		arch_fill_registers(&user, i);
		arch_set_args(&user, USER_DATA + i, 0);
		CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
		CHECK(arch_wrong_registers(&user, i) == 0);
		CHECK(space.data[i] == 1 && space.data[i + 1] == 0);
	}
	user_end(&space, &user);
}

/* ---- Faults ---- */

static void check_fault(const struct fragment *fragment, vaddr_t addr, unsigned access)
{
	struct space space;
	struct hal_event event;

	space_make(&space, fragment);
	user_start(&user, addr, 0);
	arch_fill_registers(&user, 21);
	EXPECT(user_run(&space, &user, &event) == HAL_EVENT_FAULT);
	EXPECT(event.addr == addr);
	EXPECT(event.access == access);
	EXPECT(arch_wrong_registers(&user, 21) == 0);
	user_end(&space, &user);
}

static void test_fault_tells_address_and_access(void)
{
	check_fault(&fragment_read, USER_NOTHING + 5, HAL_PROT_READ);
	check_fault(&fragment_write, USER_NOTHING + 4095, HAL_PROT_WRITE);
	check_fault(&fragment_jump, USER_NOTHING + 16, HAL_PROT_EXEC);
	check_fault(&fragment_write, USER_CODE + 8, HAL_PROT_WRITE);
	check_fault(&fragment_jump, USER_DATA + 32, HAL_PROT_EXEC);
}

static void test_null_faults(void)
{
	check_fault(&fragment_read, 0, HAL_PROT_READ);
	check_fault(&fragment_write, 8, HAL_PROT_WRITE);
	check_fault(&fragment_jump, 0, HAL_PROT_EXEC);
}

static void test_fault_is_repeated_and_ends_with_the_mapping(void)
{
	struct space space;
	struct hal_event event;
	paddr_t page = page_take();

	space_make(&space, &fragment_write);
	user_start(&user, USER_NOTHING + 3, 0);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(user_run(&space, &user, &event) == HAL_EVENT_FAULT);
		CHECK(hal_user_pc(&user) >= USER_CODE && hal_user_pc(&user) < USER_CODE + 64);
	}
	space_map(&space, USER_NOTHING, page, HAL_PROT_READ | HAL_PROT_WRITE);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	CHECK(((char *)hal_phys_to_virt(page))[3] == 1);
	user_end(&space, &user);
	page_give(page);
}

static void test_unmap_takes_effect(void)
{
	struct space space;
	struct hal_event event;

	space_make(&space, &fragment_write);
	user_start(&user, USER_DATA, 0);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	hal_mmu_unmap(&space.mmu, USER_DATA, 1);
	arch_set_args(&user, USER_DATA, 0);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_FAULT);
	CHECK(event.addr == USER_DATA && event.access == HAL_PROT_WRITE);
	hal_mmu_unmap(&space.mmu, USER_DATA, 1); /* of what is not mapped: nothing */
	user_end(&space, &user);
}

static void test_protect_lowers_rights_only(void)
{
	struct space space;
	struct hal_event event;

	space_make(&space, &fragment_write);
	user_start(&user, USER_DATA, 0);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	hal_mmu_protect(&space.mmu, USER_DATA, 1, HAL_PROT_READ);
	arch_set_args(&user, USER_DATA, 0);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_FAULT);
	CHECK(event.access == HAL_PROT_WRITE);
	hal_mmu_protect(&space.mmu, USER_DATA, 1,
			HAL_PROT_READ | HAL_PROT_WRITE | HAL_PROT_EXEC);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_FAULT);
	hal_mmu_protect(&space.mmu, USER_NOTHING, 4, HAL_PROT_READ); /* not mapped: nothing */
	space_map(&space, USER_DATA, space.data_page, HAL_PROT_READ | HAL_PROT_WRITE);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	user_end(&space, &user);
}

static void test_map_replaces(void)
{
	struct space space;
	struct hal_event event;
	paddr_t page = page_take();

	space_make(&space, &fragment_write);
	user_start(&user, USER_DATA + 9, 0);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	CHECK(space.data[9] == 1);
	space.data[9] = 0;
	space_map(&space, USER_DATA, page, HAL_PROT_READ | HAL_PROT_WRITE);
	arch_set_args(&user, USER_DATA + 9, 0);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	CHECK(space.data[9] == 0);
	CHECK(((char *)hal_phys_to_virt(page))[9] == 1);
	user_end(&space, &user);
	page_give(page);
}

/* ---- Traps ---- */

static void check_trap(const struct fragment *fragment, enum hal_trap trap, const char *name)
{
	struct space space;
	struct hal_event event;

	space_make(&space, fragment);
	user_start(&user, 0, 0);
	user_run(&space, &user, &event);
	if (event.kind != HAL_EVENT_TRAP || event.trap != trap) {
		log_line("# %s: event %d, trap %d, addr %lx, pc %lx", name, (int)event.kind,
			 (int)event.trap, (unsigned long)event.addr,
			 (unsigned long)hal_user_pc(&user));
		test_fail("the trap that belongs to the instruction", __FILE__, __LINE__);
	}
	user_end(&space, &user);
}

static void test_bad_instructions_trap(void)
{
	check_trap(&fragment_illegal, HAL_TRAP_ILLEGAL, "undefined");
	check_trap(&fragment_breakpoint, HAL_TRAP_BREAKPOINT, "breakpoint");
}

/* On some machines a privileged instruction is told from a bad address, on others not. */
static void test_privileged_instruction_traps(void)
{
	struct space space;
	struct hal_event event;

	space_make(&space, &fragment_privileged);
	user_start(&user, 0, 0);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_TRAP);
	CHECK(event.trap == HAL_TRAP_ILLEGAL || event.trap == HAL_TRAP_PROTECTION);
	CHECK(hal_user_pc(&user) == USER_CODE);
	user_end(&space, &user);
}

static void test_traps_of_the_instruction_set(void)
{
	if (!arch_traps[0].name)
		test_skip("the instruction set has no others");
	for (unsigned i = 0; arch_traps[i].name; i++)
		check_trap(arch_traps[i].fragment, arch_traps[i].trap, arch_traps[i].name);
}

static void test_user_goes_on_behind_a_breakpoint(void)
{
	struct space space;
	struct hal_event event;

	space_make(&space, &fragment_breakpoint);
	user_start(&user, 0, 0);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_TRAP);
	if (hal_user_pc(&user) == USER_CODE) /* pc at the instruction would be wrong */
		test_fail("pc is behind the breakpoint", __FILE__, __LINE__);
	else
		CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	user_end(&space, &user);
}

/* ---- Interrupts ---- */

static void test_user_run_returns_at_once_with_an_interrupt_pending(void)
{
	struct space space;
	struct hal_event event;

	space_make(&space, &fragment_spin);
	user_start(&user, 0, 0);
	hal_cpu_kick(0);
	while (!hal_irq_pending())
		hal_cpu_relax();
	hal_user_run(&space.mmu, &user, &event);
	CHECK(event.kind == HAL_EVENT_INTERRUPT);
	CHECK(hal_user_pc(&user) == USER_CODE);
	CHECK(!hal_irq_enabled());
	CHECK(hal_irq_pending());
	user_end(&space, &user);
}

static void test_timer_stops_user_code(void)
{
	struct space space;
	struct hal_event event;

	if (hal_has(HAL_HAS_SEED)) {
		test_skip("a loop without events has no place in virtual time");
		return;
	}
	space_make(&space, &fragment_spin);
	user_start(&user, 0, 0);
	arch_fill_registers(&user, 5);
	for (unsigned i = 0; i < 10; i++) {
		unsigned before = irq_taken(HAL_IRQ_TIMER, 0);

		hal_timer_set(hal_time_ns() + 2 * MS);
		hal_user_run(&space.mmu, &user, &event);
		CHECK(event.kind == HAL_EVENT_INTERRUPT);
		CHECK(hal_irq_pending());
		irq_poll();
		CHECK(irq_taken(HAL_IRQ_TIMER, 0) == before + 1);
		CHECK(arch_wrong_registers(&user, 5) == 0);
		CHECK(hal_user_pc(&user) == USER_CODE);
		CHECK(hal_user_sp(&user) == USER_STACK_TOP);
	}
	user_end(&space, &user);
}

/* ---- Two users, and their FPU ---- */

static void test_fpu_of_two_users_stays_apart(void)
{
	struct space space;
	struct hal_event event;
	size_t bytes = arch_fpu_bytes();

	space_make(&space, &fragment_fpu);
	user_start(&user, 0, USER_DATA);
	user_start(&other, 0, USER_DATA + 2048);
	for (size_t i = 0; i < bytes; i++) {
		space.data[i] = (char)(i * 7 + 1);
		space.data[2048 + i] = (char)(i * 11 + 5);
	}
	for (unsigned i = 0; i < 10; i++) {
		CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
		CHECK(user_run(&space, &other, &event) == HAL_EVENT_SYSCALL);
	}
	for (size_t i = 0; i < bytes - 8; i++) {
		CHECK(space.data[i] == (char)(i * 7 + 1));
		CHECK(space.data[2048 + i] == (char)(i * 11 + 5));
	}
	hal_user_fini(&other);
	user_end(&space, &user);
}

static void test_copied_user_has_registers_and_fpu(void)
{
	struct space space;
	struct hal_event event;
	size_t bytes = arch_fpu_bytes();

	space_make(&space, &fragment_fpu);
	user_start(&user, 0, USER_DATA);
	arch_fill_registers(&user, 31);
	for (size_t i = 0; i < bytes; i++)
		space.data[i] = (char)(i * 3 + 2);
	CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
	hal_user_copy(&other, &user);
	CHECK(arch_wrong_registers(&other, 31) == 0);
	CHECK(hal_user_pc(&other) == hal_user_pc(&user));
	memset(space.data, 0, bytes);
	CHECK(user_run(&space, &other, &event) == HAL_EVENT_SYSCALL);
	for (size_t i = 0; i < bytes - 8; i++)
		CHECK(space.data[i] == (char)(i * 3 + 2));
	hal_user_fini(&other);
	user_end(&space, &user);
}

static void test_two_spaces_show_different_memory(void)
{
	struct space a, b;
	struct hal_event event;

	space_make(&a, &fragment_write);
	space_make(&b, &fragment_write);
	user_start(&user, USER_DATA, 0);
	user_start(&other, USER_DATA + 1, 0);
	CHECK(user_run(&a, &user, &event) == HAL_EVENT_SYSCALL);
	CHECK(user_run(&b, &other, &event) == HAL_EVENT_SYSCALL);
	CHECK(a.data[0] == 1 && a.data[1] == 0);
	CHECK(b.data[0] == 0 && b.data[1] == 1);
	user_end(&b, &other);
	user_end(&a, &user);
}

static void test_many_spaces_come_and_go(void)
{
	struct hal_event event;

	for (unsigned i = 0; i < 40; i++) {
		struct space space;

		space_make(&space, &fragment_write);
		user_start(&user, USER_DATA, 0);
		CHECK(user_run(&space, &user, &event) == HAL_EVENT_SYSCALL);
		user_end(&space, &user);
	}
}

/* What the kernel may be made to load by a program: none of it may harm the machine. */
static void test_wild_registers_do_no_harm(void)
{
	static const uint64_t wild[] = {0, 1, 0x7fffffffffff, 0x800000000000, 0xffff800000000000,
					0xffffffffffffffff, 0x8000000000000000};
	struct space space;
	struct hal_event event;

	for (unsigned i = 0; i < ARRAY_COUNT(wild); i++) {
		space_make(&space, &fragment_spin);
		user_start(&user, 0, 0);
		hal_user_set_pc(&user, wild[i]);
		hal_user_set_sp(&user, wild[i]);
		hal_user_set_tls(&user, wild[i]);
		user_run(&space, &user, &event);
		CHECK(event.kind == HAL_EVENT_FAULT || event.kind == HAL_EVENT_TRAP);
		user_end(&space, &user);
	}
}

const struct test tests_user[] = {
	TEST(test_syscall_passes_number_and_arguments),
	TEST(test_syscall_can_be_restarted),
	TEST(test_syscall_keeps_registers),
	TEST(test_registers_set_by_the_kernel_reach_user_code),
	TEST(test_fault_tells_address_and_access),
	TEST(test_null_faults),
	TEST(test_fault_is_repeated_and_ends_with_the_mapping),
	TEST(test_unmap_takes_effect),
	TEST(test_protect_lowers_rights_only),
	TEST(test_map_replaces),
	TEST(test_bad_instructions_trap),
	TEST(test_privileged_instruction_traps),
	TEST(test_traps_of_the_instruction_set),
	TEST(test_user_goes_on_behind_a_breakpoint),
	TEST(test_user_run_returns_at_once_with_an_interrupt_pending),
	TEST(test_timer_stops_user_code),
	TEST(test_fpu_of_two_users_stays_apart),
	TEST(test_copied_user_has_registers_and_fpu),
	TEST(test_two_spaces_show_different_memory),
	TEST(test_many_spaces_come_and_go),
	TEST(test_wild_registers_do_no_harm),
	{0},
};
