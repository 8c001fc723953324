/*
 * Interrupts as the contract has them: a vector only sets a bit in a CPU's pending words (rule 3);
 * the kernel takes the bits in hal_irq_enable(). Interrupts stay on in hardware while kernel code
 * runs, so that the machine's own requests between CPUs are always served.
 *
 * Numbers: HAL_IRQ_DEVICE + n is the GSI n of the IO-APICs, above them come messages (MSI). A line
 * that is level-triggered is masked at the IO-APIC by its vector and unmasked by hal_irq_done().
 * Edges and messages that arrive while they are masked are remembered here; the hardware would
 * forget them. A message always goes to the boot CPU, which passes it on.
 *
 * Lock: irq.lock, with interrupts off in hardware, for all of struct irq_line.
 */
#include "hal/base.h"
#include "hal/x86_64/apic.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define PIC1 0x20
#define PIC2 0xa0
#define PIC_INIT 0x11
#define PIC_VECTORS 32
#define MESSAGE_ADDR 0xfee00000ull
#define XAPIC_IDS 255u

struct irq_line {
	bool exists;	/* Set once for lines; for messages when they are given away */
	bool message;
	bool level, active_low;
	bool unmasked;	/* the kernel wants it */
	bool waiting;	/* level: masked in hardware until hal_irq_done() */
	bool missed;	/* edge, message: came while it was masked */
	uint8_t vector; /* 0: none yet */
	uint8_t cpu;
};

static struct {
	struct hardware_lock lock;
	struct irq_line lines[HAL_IRQ_MAX];
	uint16_t vector_irq[256]; /* 0: none */
	unsigned vector_next;
} irq = {.vector_next = VECTOR_DEVICE_FIRST};

/* ---- Pending bits ---- */

static void set_pending(struct x86_cpu *cpu, unsigned number)
{
	uint64_t bit = 1ull << (number % 64);

	/* If it was pending, whoever set it has seen to it that the CPU looks. */
	if (!(atomic_fetch_or(&cpu->pending[number / 64], bit) & bit) && cpu != x86_cpu_this())
		x86_smp_wake(cpu);
}

void x86_irq_set_pending(struct x86_cpu *cpu, unsigned number)
{
	set_pending(cpu, number);
}

void x86_irq_clear_pending(struct x86_cpu *cpu, unsigned number)
{
	atomic_fetch_and(&cpu->pending[number / 64], ~(1ull << (number % 64)));
}

bool x86_irq_any_pending(struct x86_cpu *cpu)
{
	for (unsigned i = 0; i < PENDING_WORDS; i++)
		if (atomic_load_explicit(&cpu->pending[i], memory_order_relaxed))
			return true;
	return false;
}

bool hal_irq_pending(void)
{
	return x86_irq_any_pending(x86_cpu_this());
}

bool hal_irq_enabled(void)
{
	return x86_cpu_this()->irq_enabled;
}

bool hal_irq_disable(void)
{
	struct x86_cpu *cpu = x86_cpu_this();
	bool enabled = cpu->irq_enabled;

	cpu->irq_enabled = false;
	return enabled;
}

/* Takes the lowest pending interrupt of this CPU, if there is one. */
static bool take_one(void)
{
	struct x86_cpu *cpu = x86_cpu_this();

	for (unsigned i = 0; i < PENDING_WORDS; i++) {
		uint64_t word = atomic_load_explicit(&cpu->pending[i], memory_order_relaxed);
		unsigned bit;

		if (!word)
			continue;
		bit = (unsigned)__builtin_ctzll(word);
		atomic_fetch_and(&cpu->pending[i], ~(1ull << bit));
		up_irq(i * 64 + bit);
		return true;
	}
	return false;
}

void hal_irq_enable(void)
{
	x86_cpu_this()->irq_enabled = false;
	while (take_one())
		;
	x86_cpu_this()->irq_enabled = true;
}

void hal_irq_restore(bool enable)
{
	if (enable)
		hal_irq_enable();
	else
		x86_cpu_this()->irq_enabled = false;
}

void hal_cpu_idle(void)
{
	struct x86_cpu *cpu = x86_cpu_this();

	cli();
	if (!x86_irq_any_pending(cpu)) {
		atomic_store(&cpu->idle, IDLE_YES);
		__asm__ volatile("sti; hlt; cli" ::: "memory"); /* sti takes effect behind hlt */
		if (atomic_exchange(&cpu->idle, IDLE_NO) == IDLE_STALE)
			x86_paging_flush();
	}
	sti();
}

void hal_cpu_kick(unsigned cpu)
{
	if (cpu >= x86_cpu_total)
		up_panic(0, 0, "hal_cpu_kick: there is no CPU %u", cpu);
	set_pending(x86_cpus[cpu], HAL_IRQ_KICK);
}

/* ---- Vectors ---- */

static void device_vector(unsigned vector)
{
	unsigned number = irq.vector_irq[vector];
	struct irq_line *line = &irq.lines[number];
	bool restore = x86_apic_lock(&irq.lock);

	if (number && line->level) {
		x86_ioapic_mask(number - HAL_IRQ_DEVICE, true);
		line->waiting = true;
	}
	if (number && line->unmasked)
		set_pending(x86_cpus[line->cpu], number);
	else if (number && !line->level)
		line->missed = true;
	x86_apic_unlock(&irq.lock, restore);
}

void x86_irq_vector(unsigned vector)
{
	if (vector == VECTOR_SPURIOUS)
		return;
	if (vector == VECTOR_TIMER)
		x86_clock_timer_vector();
	else if (vector == VECTOR_REQUEST)
		x86_smp_serve_requests();
	else if (vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST)
		device_vector(vector);
	else if (vector < VECTOR_DEVICE_FIRST)
		return; /* a spurious one of the legacy controller: the local APIC knows nothing */
	x86_apic_end_of_interrupt();
}

/* ---- Lines and messages ---- */

static bool take_vector(struct irq_line *line, unsigned number)
{
	if (line->vector)
		return true;
	if (irq.vector_next == VECTOR_FOREIGN_CALL)
		irq.vector_next++;
	if (irq.vector_next > VECTOR_DEVICE_LAST)
		return false;
	line->vector = (uint8_t)irq.vector_next++;
	irq.vector_irq[line->vector] = (uint16_t)number;
	return true;
}

/* The APIC that hardware sends it to: the wanted CPU's, if its id fits into the route. */
static uint32_t choose_target(unsigned cpu)
{
	return x86_cpus[cpu]->apic_id < XAPIC_IDS ? x86_cpus[cpu]->apic_id : x86_cpus[0]->apic_id;
}

int hal_irq_unmask(unsigned number, unsigned cpu)
{
	struct irq_line *line;
	bool restore;
	int err = 0;

	if (cpu >= x86_cpu_total)
		up_panic(0, 0, "hal_irq_unmask: there is no CPU %u", cpu);
	if (number < HAL_IRQ_DEVICE || number >= HAL_IRQ_MAX || !irq.lines[number].exists)
		return -EINVAL;
	line = &irq.lines[number];
	restore = x86_apic_lock(&irq.lock);
	if (take_vector(line, number)) {
		struct ioapic_route route = {choose_target(cpu), line->vector, line->level,
					     line->active_low, line->waiting};

		line->cpu = (uint8_t)cpu;
		line->unmasked = true;
		if (!line->message)
			x86_ioapic_set(number - HAL_IRQ_DEVICE, &route);
		if (line->missed)
			set_pending(x86_cpus[cpu], number);
		line->missed = false;
	} else {
		err = -EINVAL;
	}
	x86_apic_unlock(&irq.lock, restore);
	return err;
}

void hal_irq_mask(unsigned number)
{
	struct irq_line *line;
	bool restore;

	if (number < HAL_IRQ_DEVICE || number >= HAL_IRQ_MAX)
		return;
	line = &irq.lines[number];
	restore = x86_apic_lock(&irq.lock);
	line->unmasked = false;
	if (line->exists && line->level)
		x86_ioapic_mask(number - HAL_IRQ_DEVICE, true);
	x86_apic_unlock(&irq.lock, restore);
}

void hal_irq_done(unsigned number)
{
	struct irq_line *line;
	bool restore;

	if (number < HAL_IRQ_DEVICE || number >= HAL_IRQ_MAX)
		return;
	line = &irq.lines[number];
	restore = x86_apic_lock(&irq.lock);
	if (line->waiting) {
		line->waiting = false;
		if (line->unmasked)
			x86_ioapic_mask(number - HAL_IRQ_DEVICE, false);
	}
	x86_apic_unlock(&irq.lock, restore);
}

int hal_irq_message(unsigned *number, uint64_t *addr, uint32_t *data)
{
	bool restore = x86_apic_lock(&irq.lock);
	struct irq_line *line = NULL;
	int err = -ENOSPC;

	for (unsigned i = HAL_IRQ_DEVICE + x86_ioapic_gsi_count(); i < HAL_IRQ_MAX && !line; i++)
		if (!irq.lines[i].exists)
			*number = i, line = &irq.lines[i];
	if (line && take_vector(line, *number)) {
		line->exists = line->message = true;
		*addr = MESSAGE_ADDR | x86_cpus[0]->apic_id << 12;
		*data = line->vector;
		err = 0;
	}
	x86_apic_unlock(&irq.lock, restore);
	return err;
}

void x86_irq_set_trigger(uint32_t gsi, bool level, bool active_low)
{
	if (gsi < HAL_IRQ_MAX - HAL_IRQ_DEVICE && !irq.lines[HAL_IRQ_DEVICE + gsi].vector) {
		irq.lines[HAL_IRQ_DEVICE + gsi].level = level;
		irq.lines[HAL_IRQ_DEVICE + gsi].active_low = active_low;
	}
}

/*
 * Moves the legacy controllers out of the way of exceptions and masks them. Before the local APIC
 * masks their line: what they had raised by then stays with the CPU in QEMU, which finds no vector
 * for it when interrupts are enabled, and raises a general protection fault.
 */
void x86_irq_silence_pics(void)
{
	static const uint16_t ports[] = {PIC1, PIC2};

	for (unsigned i = 0; i < ARRAY_COUNT(ports); i++) {
		out8(ports[i], PIC_INIT);
		out8(ports[i] + 1, (uint8_t)(PIC_VECTORS + 8 * i));
		out8(ports[i] + 1, i ? 2 : 4);
		out8(ports[i] + 1, 1);
		out8(ports[i] + 1, 0xff);
	}
}

void x86_irq_init(void)
{
	x86_ioapic_init();
	for (uint32_t gsi = 0; gsi < HAL_IRQ_MAX - HAL_IRQ_DEVICE; gsi++) {
		irq.lines[HAL_IRQ_DEVICE + gsi].exists = x86_ioapic_has(gsi);
		/* Above the ISA bus's are PCI's: level, active low. */
		x86_irq_set_trigger(gsi, gsi >= ACPI_ISA_IRQS, gsi >= ACPI_ISA_IRQS);
	}
	for (unsigned i = 0; i < ACPI_ISA_IRQS; i++) {
		const struct acpi_isa_irq *isa = &x86_acpi.isa_irqs[i];

		x86_irq_set_trigger(isa->gsi, isa->level, isa->active_low);
	}
}
