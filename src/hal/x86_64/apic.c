/*
 * The local APIC. All CPUs' lie at the same address, or behind the same MSRs; each CPU touches its
 * own. Set up once on each CPU. Lock: none; what takes two writes is done with interrupts off.
 */
#include "hal/x86_64/apic.h"

#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define REG_ID 0x20
#define REG_TASK_PRIORITY 0x80
#define REG_END 0xb0
#define REG_SPURIOUS 0xf0
#define REG_ERROR 0x280
#define REG_COMMAND 0x300
#define REG_COMMAND_HIGH 0x310
#define REG_LVT_TIMER 0x320
#define REG_LVT_THERMAL 0x330
#define REG_LVT_PERFORMANCE 0x340
#define REG_LVT_LINT0 0x350
#define REG_LVT_LINT1 0x360
#define REG_LVT_ERROR 0x370
#define REG_TIMER_INITIAL 0x380
#define REG_TIMER_CURRENT 0x390
#define REG_TIMER_DIVIDE 0x3e0

#define APIC_BASE_X2 (1u << 10)
#define APIC_BASE_ENABLE (1u << 11)
#define SPURIOUS_ENABLE (1u << 8)
#define LVT_MASKED (1u << 16)
#define LVT_NMI (4u << 8)
#define LVT_TIMER_DEADLINE (2u << 17)
#define DIVIDE_BY_1 0xbu
#define COMMAND_NMI (4u << 8)
#define COMMAND_INIT (5u << 8)
#define COMMAND_STARTUP (6u << 8)
#define COMMAND_PENDING (1u << 12)
#define COMMAND_ASSERT (1u << 14)
#define COMMAND_POLLS_MAX 100000

static struct {
	uintptr_t regs; /* xAPIC: where its registers are mapped. Set once */
	bool x2;	/* Set once */
} apic;

bool x86_apic_lock(struct hardware_lock *lock)
{
	bool restore = hardware_irq_disable();

	while (atomic_exchange_explicit(&lock->locked, true, memory_order_acquire))
		hal_cpu_relax();
	return restore;
}

void x86_apic_unlock(struct hardware_lock *lock, bool restore)
{
	atomic_store_explicit(&lock->locked, false, memory_order_release);
	hardware_irq_restore(restore);
}

static uint32_t read_reg(unsigned reg)
{
	return apic.x2 ? (uint32_t)rdmsr(MSR_X2APIC + reg / 16) : hal_mmio_read32(apic.regs + reg);
}

static void write_reg(unsigned reg, uint32_t value)
{
	if (apic.x2)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		hal_mmio_write32(apic.regs + reg, value);
}

void x86_apic_init(paddr_t regs)
{
	apic.x2 = x86_features.x2apic;
	if (!apic.x2 && hal_mmio_map(regs, HAL_PAGE_SIZE, &apic.regs))
		x86_boot_fail("cannot use the local APIC", "ACPI puts it where it cannot be",
			      "Boot with other firmware.");
}

void x86_apic_init_cpu(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, base);
	if (apic.x2)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2);
	write_reg(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	write_reg(REG_TASK_PRIORITY, 0);
	write_reg(REG_LVT_THERMAL, LVT_MASKED);
	write_reg(REG_LVT_PERFORMANCE, LVT_MASKED);
	write_reg(REG_LVT_LINT0, LVT_MASKED);
	write_reg(REG_LVT_LINT1, LVT_NMI);
	write_reg(REG_LVT_ERROR, LVT_MASKED);
	write_reg(REG_LVT_TIMER, VECTOR_TIMER);
	write_reg(REG_TIMER_DIVIDE, DIVIDE_BY_1);
	write_reg(REG_ERROR, 0);
	x86_apic_end_of_interrupt();
}

uint32_t x86_apic_id(void)
{
	return apic.x2 ? read_reg(REG_ID) : read_reg(REG_ID) >> 24;
}

void x86_apic_end_of_interrupt(void)
{
	write_reg(REG_END, 0);
}

static void send(uint32_t to, uint32_t command)
{
	bool restore;

	if (apic.x2) {
		/* Unlike a store to device memory, this write waits for no earlier store. */
		__asm__ volatile("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC + REG_COMMAND / 16, (uint64_t)to << 32 | command);
		return;
	}
	restore = hardware_irq_disable();
	for (unsigned i = 0; i < COMMAND_POLLS_MAX && read_reg(REG_COMMAND) & COMMAND_PENDING; i++)
		hal_cpu_relax();
	write_reg(REG_COMMAND_HIGH, to << 24);
	write_reg(REG_COMMAND, command);
	hardware_irq_restore(restore);
}

void x86_apic_send(uint32_t to, unsigned vector)
{
	send(to, COMMAND_ASSERT | vector);
}

void x86_apic_send_nmi(uint32_t to)
{
	send(to, COMMAND_ASSERT | COMMAND_NMI);
}

void x86_apic_send_init(uint32_t to)
{
	send(to, COMMAND_ASSERT | COMMAND_INIT);
}

void x86_apic_send_startup(uint32_t to, paddr_t page)
{
	send(to, COMMAND_ASSERT | COMMAND_STARTUP | (uint32_t)(page >> HAL_PAGE_SHIFT));
}

void x86_apic_timer_start(uint32_t count)
{
	write_reg(REG_TIMER_INITIAL, count);
}

uint32_t x86_apic_timer_left(void)
{
	return read_reg(REG_TIMER_CURRENT);
}

void x86_apic_timer_use_deadline(void)
{
	write_reg(REG_LVT_TIMER, VECTOR_TIMER | LVT_TIMER_DEADLINE);
	/* The mode must be set before the first deadline (10.5.4.1). */
	__asm__ volatile("mfence" ::: "memory");
}
