/*
 * The end of a kernel that cannot go on.
 *
 * The first CPU that comes here stops the others and reports; another one that comes meanwhile
 * halts. A panic inside the report (depth 2) says no more than its message; one inside that
 * (depth 3) ends the machine without a word.
 */
#include "core/panic.h"

#include "core/klib.h"
#include "core/options.h"
#include "core/state.h"
#include "core/task.h"

#define BACKTRACE_MAX 32
#define FRAME_BYTES_MAX (1u << 20) /* frames lie closer than this, or the chain is broken */

/* Where the call chain starts. frame == 0: here. */
struct panic_place {
	uintptr_t pc, frame;
};

static HAL_NORETURN void end_machine(void)
{
	const char *what = options_get("panic");

	if (what && !str_compare(what, "halt"))
		hal_cpu_halt();
	hal_power_off(PANIC_STATUS);
}

/* `back`: bytes to step back to be inside of the instruction; a return address lies behind a call,
 * which may be the last instruction of its function. */
static void report_pc(unsigned depth, uintptr_t pc, unsigned back)
{
	size_t offset = 0;
	const char *name = symbol_find(pc - back, &offset);

	if (name)
		log_write_panic("  #%u 0x%016lx %s+0x%lx", depth, (unsigned long)pc, name,
				(unsigned long)offset + back);
	else
		log_write_panic("  #%u 0x%016lx", depth, (unsigned long)pc);
}

/* Walks the frames of another context: {caller's frame, return address} on both architectures. */
static void report_frames(const struct panic_place *place)
{
	uintptr_t frame = place->frame;

	report_pc(0, place->pc, 0);
	for (unsigned depth = 1; depth < BACKTRACE_MAX; depth++) {
		const uintptr_t *words = (const uintptr_t *)frame;

		if (frame < HAL_PAGE_SIZE || frame % sizeof(uintptr_t) || !words[1])
			break;
		report_pc(depth, words[1], 1);
		if (words[0] <= frame || words[0] - frame > FRAME_BYTES_MAX)
			break;
		frame = words[0];
	}
}

static void report_here(void)
{
	uintptr_t pcs[BACKTRACE_MAX];
	unsigned count = hal_backtrace(pcs, BACKTRACE_MAX);

	for (unsigned i = 0; i < count; i++)
		report_pc(i, pcs[i], 1);
}

static void report(const struct panic_place *place, const char *message)
{
	struct cpu *cpu = cpu_this();
	const struct thread *thread = cpu->thread;

	log_write_panic("%s", message);
	if (thread)
		log_write_panic("CPU %u, thread %u '%s', task %u '%s'", cpu->id, thread->id,
				thread->name, thread->task->id, thread->task->name);
	else
		log_write_panic("CPU %u, no thread yet", cpu->id);
	for (unsigned i = 0; i < cpu->held_count; i++)
		log_write_panic("holds lock '%s'", cpu->held[i]->name);
	if (place->frame)
		report_frames(place);
	else
		report_here();
}

static HAL_NORETURN void panic_at(const struct panic_place *place, const char *format, va_list args)
{
	struct panic_state *state = &kernel.panic;
	uint32_t me = hal_cpu_id() + 1, first = 0;
	char message[LOG_LINE_MAX];
	uint32_t depth;

	hal_irq_disable();
	if (!atomic_compare_exchange_strong(&state->cpu, &first, me) && first != me)
		hal_cpu_halt();
	depth = atomic_fetch_add(&state->depth, 1) + 1;
	if (depth > 2)
		hal_power_off(PANIC_STATUS);
	str_format_list(message, sizeof(message), format, args);
	if (depth == 1) {
		hal_cpu_stop_others();
		report(place, message);
	} else {
		log_write_panic("again, while reporting: %s", message);
	}
	end_machine();
}

void panic(const char *format, ...)
{
	const struct panic_place here = {0};
	va_list args;

	va_start(args, format);
	panic_at(&here, format, args);
}

void up_panic(uintptr_t pc, uintptr_t frame, const char *format, ...)
{
	const struct panic_place place = {.pc = pc, .frame = frame};
	va_list args;

	va_start(args, format);
	panic_at(&place, format, args);
}
