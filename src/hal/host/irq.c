/*
 * Interrupts are bits: anybody sets them, the CPU takes them where the contract says.
 *
 * A device has a level-triggered line. It is delivered (its bit set) when it is asserted, unmasked
 * and not in service; hal_irq_done() ends the service, and a line that is still asserted then is
 * delivered again. Lines are guarded by host.line_lock; no bit is set with the lock held.
 */
#include "hal/host/host_priv.h"

#include "hal/host/futex.h"

void host_irq_raise(struct host_cpu *cpu, unsigned irq)
{
	uint32_t where = HOST_IN_IDLE;

	atomic_fetch_or(&cpu->pending[irq / 64], 1ull << irq % 64);
	if (atomic_compare_exchange_strong(&cpu->where, &where, HOST_IN_KERNEL))
		futex_wake(&cpu->where, 1);
	else if (where == HOST_IN_USER)
		host_user_kick(cpu);
}

bool host_irq_pending(struct host_cpu *cpu)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < HOST_IRQ_WORDS; i++)
		any |= atomic_load_explicit(&cpu->pending[i], memory_order_seq_cst);
	return any != 0;
}

/* ---- Taking them ---- */

static void take_word(unsigned word)
{
	uint64_t bits = atomic_exchange(&host_cpu_this()->pending[word], 0);

	while (bits) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);

		bits &= bits - 1;
		up_irq(word * 64 + bit);
	}
}

void hal_irq_enable(void)
{
	struct host_cpu *cpu = host_cpu_this();

	while (host_irq_pending(cpu)) {
		for (unsigned i = 0; i < HOST_IRQ_WORDS; i++)
			if (atomic_load(&host_cpu_this()->pending[i]))
				take_word(i);
		cpu = host_cpu_this();
	}
	cpu->irq_enabled = true;
}

bool hal_irq_disable(void)
{
	struct host_cpu *cpu = host_cpu_this();
	bool enabled = cpu->irq_enabled;

	cpu->irq_enabled = false;
	return enabled;
}

void hal_irq_restore(bool enable)
{
	if (enable)
		hal_irq_enable();
	else
		host_cpu_this()->irq_enabled = false;
}

bool hal_irq_enabled(void)
{
	return host_cpu_this()->irq_enabled;
}

bool hal_irq_pending(void)
{
	return host_irq_pending(host_cpu_this());
}

/* ---- Device lines ---- */

static struct host_line *find_line(unsigned irq)
{
	if (irq < HAL_IRQ_DEVICE || irq >= HAL_IRQ_DEVICE + HOST_LINES_MAX)
		return NULL;
	return &host.lines[irq - HAL_IRQ_DEVICE];
}

/* Whether the line is to be delivered now, to `cpu`; notes that it is in service. */
static bool deliver_locked(struct host_line *line, unsigned *cpu)
{
	if (!line->asserted || !line->unmasked || line->in_service)
		return false;
	line->in_service = true;
	*cpu = line->cpu;
	return true;
}

void host_irq_set_line(unsigned irq, bool asserted)
{
	struct host_line *line = find_line(irq);
	unsigned cpu;
	bool deliver;

	pthread_mutex_lock(&host.line_lock);
	line->asserted = asserted;
	deliver = deliver_locked(line, &cpu);
	pthread_mutex_unlock(&host.line_lock);
	if (deliver)
		host_irq_raise(&host.cpus[cpu], irq);
}

/* Takes back a delivery that the CPU has not seen yet. */
static void withdraw_locked(struct host_line *line, unsigned irq)
{
	uint64_t bit = 1ull << irq % 64;

	if (atomic_fetch_and(&host.cpus[line->cpu].pending[irq / 64], ~bit) & bit)
		line->in_service = false;
}

int hal_irq_unmask(unsigned irq, unsigned cpu)
{
	struct host_line *line = find_line(irq);
	bool deliver;

	if (!line || cpu >= host.cpu_count)
		return -EINVAL;
	pthread_mutex_lock(&host.line_lock);
	withdraw_locked(line, irq);
	line->cpu = cpu;
	line->unmasked = true;
	deliver = deliver_locked(line, &cpu);
	pthread_mutex_unlock(&host.line_lock);
	if (deliver)
		host_irq_raise(&host.cpus[cpu], irq);
	return 0;
}

void hal_irq_mask(unsigned irq)
{
	struct host_line *line = find_line(irq);

	if (!line)
		return;
	pthread_mutex_lock(&host.line_lock);
	withdraw_locked(line, irq);
	line->unmasked = false;
	pthread_mutex_unlock(&host.line_lock);
}

void hal_irq_done(unsigned irq)
{
	struct host_line *line = find_line(irq);
	unsigned cpu;
	bool deliver;

	if (!line)
		return;
	pthread_mutex_lock(&host.line_lock);
	line->in_service = false;
	deliver = deliver_locked(line, &cpu);
	pthread_mutex_unlock(&host.line_lock);
	if (deliver)
		host_irq_raise(&host.cpus[cpu], irq);
}

int hal_irq_message(unsigned *irq, uint64_t *addr, uint32_t *data)
{
	(void)irq;
	(void)addr;
	(void)data;
	return -EOPNOTSUPP;
}
