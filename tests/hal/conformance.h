/*
 * The conformance test of the HAL contract: a kernel of its own that implements up_* and nothing
 * else, and checks on each machine what the contract promises.
 *
 * Test files end with a table of tests that main.c lists. Output, on the log: `ok NAME`,
 * `not ok NAME: what`, `skip NAME: why`, and a last line with the counts; status 0, or 1 if a test
 * failed. The word `guard`, `null` or `text` on the command line does instead one thing that must
 * end in up_panic(): status PANIC_STATUS.
 */
#ifndef TESTS_HAL_CONFORMANCE_H
#define TESTS_HAL_CONFORMANCE_H

#include "hal/base.h"
#include "hal/hal.h"

#define PANIC_STATUS 125

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(function) {#function, function}

extern const struct test tests_cpu[], tests_irq[], tests_machine[], tests_user[], tests_smp[],
	tests_hostile[];

/* ---- Checks (main.c) ---- */

void test_fail(const char *what, const char *file, int line);
void test_skip(const char *why);
void log_list(const char *format, va_list args);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(expression)                                                                          \
	do {                                                                                       \
		if (!(expression)) {                                                               \
			test_fail(#expression, __FILE__, __LINE__);                                \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define EXPECT(expression)                                                                         \
	((expression) ? (void)0 : test_fail(#expression, __FILE__, __LINE__))

/* ---- The kernel (kernel.c) ---- */

/* Pages of RAM, zeroed; ends in a panic when there are none. */
paddr_t page_take(void);
void page_give(paddr_t page);

/* Interrupts taken so far, of each number and CPU. */
unsigned irq_taken(unsigned irq, unsigned cpu);

/* The fallback for device interrupts: the test sets it. */
void irq_set_handler(void (*handler)(unsigned irq));

/* Takes what is pending, and disables interrupts again. */
void irq_poll(void);

/* Runs function(arg) on another CPU, which must be started and idle; and waits until it is done. */
void cpu_begin(unsigned cpu, void (*function)(void *), void *arg);
void cpu_finish(unsigned cpu);
bool cpu_is_done(unsigned cpu);

/* Starts the other CPUs at the first call. How many CPUs run. */
unsigned cpu_start_all(void);

/* ---- User code: fragments (x86_64_user.S, arm64_user.S) and registers (x86_64.c, arm64.c) ---- */

/* Position-independent user code between two addresses. Arguments a, b in the first two argument
 * registers. */
struct fragment {
	const char *start, *end;
};

extern const struct fragment
	fragment_syscall, /* system call number a with arguments b, 2..6; then number+1 with its
			     result as the first argument; for ever */
	fragment_read,	  /* loads a byte from a, then system call 1; for ever */
	fragment_write,	  /* stores a byte to a, then system call 1; for ever */
	fragment_jump,	  /* jumps to a */
	fragment_spin,	  /* a loop that changes no register */
	fragment_read_spin, /* loads from a for ever */
	fragment_count,	  /* adds 1 to the word at a atomically, b times; then system call 1 */
	fragment_illegal, /* an undefined instruction */
	fragment_privileged,
	fragment_breakpoint, /* breakpoint, then system call 1 */
	fragment_fpu; /* all FPU registers from b; system call 1; all to b; system call 2; again */

#define FPU_BYTES_MAX 1024 /* that fragment_fpu loads and stores */

/* Traps that only one instruction set has, ended by an entry without a name. */
struct arch_trap {
	const char *name;
	const struct fragment *fragment;
	enum hal_trap trap;
};
extern const struct arch_trap arch_traps[];

void arch_set_args(struct hal_user *user, uint64_t a, uint64_t b);
size_t arch_fpu_bytes(void); /* of the block that fragment_fpu loads */

/* Gives each general register that survives a system call a value of its own; and how many of
 * them have another now. */
void arch_fill_registers(struct hal_user *user, uint64_t seed);
unsigned arch_wrong_registers(const struct hal_user *user, uint64_t seed);

#endif
