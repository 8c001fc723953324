/*
 * What a hostile ARM64 program may try with the instruction set alone, one attempt for each name.
 * Most must end this program with the signal that Linux has for it; what is only strange (a stack
 * pointer, a thread pointer or FPU control register of nonsense, sleeping by WFI, every system
 * call number) must harm nobody: the program goes on and ends well.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIRECT_MAP 0xffff000040000000ul /* where other kernels have theirs, and ours */
#define KERNEL 0xffffff8000000000ul
#define NEITHER 0x0001000000000000ul /* in no half of the address space */

#define ATTEMPT(name, code)                                                                        \
	static void name(void)                                                                     \
	{                                                                                          \
		__asm__ volatile(code ::: "x9", "x10", "memory");                                  \
	}

/* ---- Instructions of the kernel, the hypervisor and the firmware ---- */

ATTEMPT(mask_interrupts, "msr daifset, #15")
ATTEMPT(read_control, "mrs x9, sctlr_el1")
ATTEMPT(write_tables, "msr ttbr0_el1, x9")
ATTEMPT(write_vectors, "msr vbar_el1, x9")
ATTEMPT(read_exception, "mrs x9, esr_el1")
ATTEMPT(write_stack, "msr sp_el0, x9")
ATTEMPT(call_hypervisor, "hvc #0")
ATTEMPT(call_firmware, "smc #0")
ATTEMPT(exception_return, "eret")
ATTEMPT(invalidate_tlb, "tlbi vmalle1is")
ATTEMPT(invalidate_cache, "dc ivac, x9")
ATTEMPT(invalidate_all_code, "ic iallu")
ATTEMPT(physical_counter, "mrs x9, cntpct_el0")
ATTEMPT(set_timer, "msr cntv_tval_el0, x9")
ATTEMPT(cycle_counter, "mrs x9, pmccntr_el0")
ATTEMPT(translate_address, "at s1e1r, x9")
ATTEMPT(debug_state, "msr mdscr_el1, x9")
ATTEMPT(undefined, ".inst 0")
ATTEMPT(breakpoint, "brk #0")

/* ---- Addresses ---- */

static void load(uint64_t addr)
{
	__asm__ volatile("ldr x9, [%0]" ::"r"(addr) : "x9", "memory");
}

static void store(uint64_t addr)
{
	__asm__ volatile("str xzr, [%0]" ::"r"(addr) : "memory");
}

static void jump(uint64_t addr)
{
	__asm__ volatile("br %0" ::"r"(addr) : "memory");
}

static void read_direct_map(void)
{
	load(DIRECT_MAP);
}

static void write_direct_map(void)
{
	store(DIRECT_MAP);
}

static void read_kernel(void)
{
	load(KERNEL);
}

static void jump_into_kernel(void)
{
	jump(KERNEL);
}

static void read_neither(void)
{
	load(NEITHER);
}

static void jump_to_neither(void)
{
	jump(NEITHER);
}

static void zero_kernel_line(void)
{
	__asm__ volatile("dc zva, %0" ::"r"(KERNEL) : "memory");
}

static void misaligned_pc(void)
{
	jump((uintptr_t)misaligned_pc + 2);
}

static void misaligned_exclusive(void)
{
	static uint64_t words[2];

	__asm__ volatile("ldxr x9, [%0]" ::"r"((uintptr_t)words + 1) : "x9", "memory");
}

/* ---- Registers of nonsense ---- */

/* A system call and a fault with this stack pointer. */
static void push_to(uint64_t sp)
{
	__asm__ volatile("mov x8, #172\n\t" /* getpid */
			 "mov sp, %0\n\t"
			 "svc #0\n\t"
			 "str xzr, [sp, #-16]!" ::"r"(sp)
			 : "x0", "x8", "memory");
}

static void stack_in_kernel(void)
{
	push_to(DIRECT_MAP);
}

static void stack_nowhere(void)
{
	push_to(0);
}

static void stack_at_the_top(void)
{
	push_to(UINT64_MAX - 15);
}

/* The stack pointer comes back: system calls alone do not look at it. */
static void strange_registers(void)
{
	register uint64_t number __asm__("x8") = 172;
	uint64_t sp, thread, control;

	__asm__ volatile("mov %0, sp\n\tmrs %1, tpidr_el0\n\tmrs %2, fpcr"
			 : "=&r"(sp), "=&r"(thread), "=&r"(control));
	__asm__ volatile("mov sp, %[kernel]\n\t"
			 "msr tpidr_el0, %[kernel]\n\t"
			 "msr fpcr, %[ones]\n\t"
			 "msr fpsr, %[ones]\n\t"
			 "msr nzcv, %[ones]\n\t"
			 "svc #0\n\t"
			 "mov sp, %[sp]\n\t"
			 "msr tpidr_el0, %[thread]\n\t"
			 "msr fpcr, %[control]\n\t"
			 "msr fpsr, xzr"
			 : "+r"(number)
			 : [kernel] "r"(DIRECT_MAP), [ones] "r"(UINT64_MAX), [sp] "r"(sp),
			   [thread] "r"(thread), [control] "r"(control)
			 : "x0", "cc", "memory");
}

static void wait_for_interrupts(void)
{
	__asm__ volatile("wfi\n\twfe\n\twfi\n\tyield" ::: "memory");
}

/* ---- Every system call number ---- */

static int64_t call(uint64_t which, uint64_t arg)
{
	register uint64_t number __asm__("x8") = which;
	register uint64_t x0 __asm__("x0") = arg;
	register uint64_t x1 __asm__("x1") = arg;
	register uint64_t x2 __asm__("x2") = arg;
	register uint64_t x3 __asm__("x3") = arg;
	register uint64_t x4 __asm__("x4") = arg;
	register uint64_t x5 __asm__("x5") = arg;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(number), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return (int64_t)x0;
}

/* Numbers by asm-generic/unistd.h whose work with these arguments is to end, to stop or to change
 * what the rest of this program stands on. */
static int is_left_out(uint64_t number)
{
	switch (number) {
	case 24:  /* dup3 */
	case 57:  /* close */
	case 93:  /* exit */
	case 94:  /* exit_group */
	case 129: /* kill */
	case 130: /* tkill */
	case 131: /* tgkill */
	case 133: /* rt_sigsuspend */
	case 139: /* rt_sigreturn */
	case 142: /* reboot */
	case 220: /* clone: its child would have no stack */
	case 436: /* close_range */
		return 1;
	}
	return 0;
}

static void every_number(void)
{
	static const uint64_t far[] = {UINT64_MAX, INT64_MAX, 1ul << 63, 1ul << 32, UINT32_MAX};

	for (uint64_t number = 0; number < 1024; number++)
		if (!is_left_out(number)) {
			call(number, UINT64_MAX);
			call(number, DIRECT_MAP);
		}
	for (unsigned i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		if (call(far[i], UINT64_MAX) != -38) /* ENOSYS */
			puts("a number out of all bounds is a call");
}

/* ---- Which ---- */

#define ENTRY(name) {#name, name}

static const struct {
	const char *name;
	void (*run)(void);
} attempts[] = {
	ENTRY(mask_interrupts),	     ENTRY(read_control),      ENTRY(write_tables),
	ENTRY(write_vectors),	     ENTRY(read_exception),    ENTRY(write_stack),
	ENTRY(call_hypervisor),	     ENTRY(call_firmware),     ENTRY(exception_return),
	ENTRY(invalidate_tlb),	     ENTRY(invalidate_cache),  ENTRY(invalidate_all_code),
	ENTRY(physical_counter),     ENTRY(set_timer),	       ENTRY(cycle_counter),
	ENTRY(translate_address),    ENTRY(debug_state),       ENTRY(undefined),
	ENTRY(breakpoint),	     ENTRY(read_direct_map),   ENTRY(write_direct_map),
	ENTRY(read_kernel),	     ENTRY(jump_into_kernel),  ENTRY(read_neither),
	ENTRY(jump_to_neither),	     ENTRY(zero_kernel_line),  ENTRY(misaligned_pc),
	ENTRY(misaligned_exclusive), ENTRY(stack_in_kernel),   ENTRY(stack_nowhere),
	ENTRY(stack_at_the_top),     ENTRY(strange_registers), ENTRY(wait_for_interrupts),
	ENTRY(every_number),
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (strcmp(attempts[i].name, argv[1]) == 0) {
			attempts[i].run();
			puts("it came back");
			return 0;
		}
	}
	return 2;
}
