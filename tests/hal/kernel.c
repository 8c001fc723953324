/*
 * The kernel of the conformance test: pages, interrupts, CPUs, the log, the panic.
 */
#include "hal/conformance.h"

#include <stdatomic.h>

#define STACK_PAGES 4

struct free_page {
	struct free_page *next;
};

struct cpu_slot {
	_Atomic(void (*)(void *)) function; /* what to run; NULL: done */
	void *arg;
	_Atomic bool up;
};

static struct {
	_Atomic uint32_t locked; /* guards the pages */
	struct free_page *free;
	unsigned range;	 /* pages are taken from here when none was given back */
	uint64_t offset; /* within the range */
	_Atomic uint32_t taken[HAL_IRQ_MAX][HAL_CPUS_MAX];
	void (*handler)(unsigned irq);
	struct cpu_slot cpus[HAL_CPUS_MAX];
	bool started;
	_Atomic bool panicking;
} state;

/* ---- Pages ---- */

static void lock_pages(void)
{
	while (atomic_exchange_explicit(&state.locked, 1, memory_order_acquire))
		hal_cpu_relax();
}

static void unlock_pages(void)
{
	atomic_store_explicit(&state.locked, 0, memory_order_release);
}

static paddr_t find_page(void)
{
	const struct hal_boot *boot = hal_boot_info();
	struct free_page *page = state.free;
	paddr_t addr;

	if (page) {
		state.free = page->next;
		return hal_virt_to_phys(page);
	}
	while (state.range < boot->ram_count && state.offset >= boot->ram[state.range].bytes) {
		state.range++;
		state.offset = 0;
	}
	if (state.range == boot->ram_count)
		return 0;
	addr = boot->ram[state.range].base + state.offset;
	state.offset += HAL_PAGE_SIZE;
	return addr;
}

int up_page_alloc(paddr_t *page)
{
	lock_pages();
	*page = find_page();
	unlock_pages();
	if (!*page)
		return -ENOMEM;
	memset(hal_phys_to_virt(*page), 0, HAL_PAGE_SIZE);
	return 0;
}

void up_page_free(paddr_t addr)
{
	struct free_page *page = hal_phys_to_virt(addr);

	lock_pages();
	page->next = state.free;
	state.free = page;
	unlock_pages();
}

paddr_t page_take(void)
{
	paddr_t page;

	if (up_page_alloc(&page))
		up_panic(0, 0, "the test has used up all RAM");
	return page;
}

void page_give(paddr_t page)
{
	up_page_free(page);
}

/* ---- Interrupts ---- */

void up_irq(unsigned irq)
{
	if (irq >= HAL_IRQ_MAX)
		up_panic(0, 0, "up_irq(%u): there is no such interrupt", irq);
	if (hal_irq_enabled())
		up_panic(0, 0, "up_irq(%u) is called with interrupts enabled", irq);
	atomic_fetch_add(&state.taken[irq][hal_cpu_id()], 1);
	if (irq < HAL_IRQ_DEVICE)
		return;
	if (state.handler)
		state.handler(irq);
	else
		hal_irq_mask(irq);
	hal_irq_done(irq);
}

unsigned irq_taken(unsigned irq, unsigned cpu)
{
	return atomic_load(&state.taken[irq][cpu]);
}

void irq_set_handler(void (*handler)(unsigned irq))
{
	state.handler = handler;
}

void irq_poll(void)
{
	hal_irq_enable();
	hal_irq_disable();
}

/* ---- CPUs ---- */

HAL_NORETURN void up_cpu_start(void)
{
	struct cpu_slot *slot = &state.cpus[hal_cpu_id()];

	if (hal_irq_enabled())
		up_panic(0, 0, "up_cpu_start() is called with interrupts enabled");
	atomic_store(&slot->up, true);
	for (;;) {
		void (*function)(void *) = atomic_load(&slot->function);

		if (function) {
			function(slot->arg);
			atomic_store(&slot->function, NULL);
		} else {
			hal_cpu_idle();
		}
		irq_poll();
	}
}

void cpu_begin(unsigned cpu, void (*function)(void *), void *arg)
{
	state.cpus[cpu].arg = arg;
	atomic_store(&state.cpus[cpu].function, function);
	hal_cpu_kick(cpu);
}

bool cpu_is_done(unsigned cpu)
{
	return !atomic_load(&state.cpus[cpu].function);
}

void cpu_finish(unsigned cpu)
{
	while (!cpu_is_done(cpu))
		hal_cpu_relax();
}

unsigned cpu_start_all(void)
{
	unsigned count = hal_cpu_count();

	for (unsigned i = 1; i < count && !state.started; i++) {
		int err = hal_cpu_start(i);

		if (err)
			up_panic(0, 0, "CPU %u does not start: error %d", i, -err);
		while (!atomic_load(&state.cpus[i].up))
			hal_cpu_relax();
	}
	state.started = true;
	return count;
}

/* ---- The end ---- */

HAL_NORETURN void up_panic(uintptr_t pc, uintptr_t frame, const char *format, ...)
{
	va_list args;

	(void)frame;
	if (atomic_exchange(&state.panicking, true))
		hal_cpu_halt();
	va_start(args, format);
	hal_log_write("panic: ", 7);
	log_list(format, args);
	va_end(args);
	if (pc)
		log_line("panic: at %lx", (unsigned long)pc);
	hal_cpu_stop_others();
	hal_power_off(PANIC_STATUS);
}
