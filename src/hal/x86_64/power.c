/*
 * The end of the machine: power off and reset, each by a row of ways of which the first that works
 * is the last thing that happens. No lock.
 */
#include "hal/base.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define PM1_ACPI_ON 1u
#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP (1u << 13)
#define REDUCED_SLEEP_TYPE_SHIFT 2
#define REDUCED_SLEEP (1u << 5)
#define QEMU_EXIT_PORT 0xf4 /* isa-debug-exit, where the user has put one */
#define RESET_PORT 0xcf9
#define RESET_HARD 0x06
#define KEYBOARD_STATUS 0x64
#define KEYBOARD_BUSY 0x02
#define KEYBOARD_RESET 0xfe
#define WAIT_US 100000u
#define STEP_US 100u

static struct {
	_Atomic unsigned cpu; /* number + 1 of the one that ends the machine; 0: it runs */
} power;

static void write_register(const struct acpi_register *reg, uint32_t value, unsigned bits)
{
	uintptr_t addr;

	if (!reg->addr)
		return;
	if (reg->space == ACPI_SPACE_IO && bits == 16)
		out16((uint16_t)reg->addr, (uint16_t)value);
	else if (reg->space == ACPI_SPACE_IO)
		out8((uint16_t)reg->addr, (uint8_t)value);
	else if (reg->space == ACPI_SPACE_MEMORY && !hal_mmio_map(reg->addr, bits / 8, &addr))
		bits == 16 ? hal_mmio_write16(addr, (uint16_t)value)
			   : hal_mmio_write8(addr, (uint8_t)value);
}

static uint32_t read_register16(const struct acpi_register *reg)
{
	return reg->space == ACPI_SPACE_IO ? in16((uint16_t)reg->addr) : PM1_ACPI_ON;
}

/* Takes power management over from the firmware, where it has not given it away already. */
static void turn_acpi_on(void)
{
	if (!x86_acpi.pm1a_control.addr || !x86_acpi.smi_command || !x86_acpi.smi_acpi_enable ||
	    read_register16(&x86_acpi.pm1a_control) & PM1_ACPI_ON)
		return;
	out8(x86_acpi.smi_command, x86_acpi.smi_acpi_enable);
	for (unsigned us = 0; us < WAIT_US; us += STEP_US) {
		if (read_register16(&x86_acpi.pm1a_control) & PM1_ACPI_ON)
			return;
		x86_clock_delay_us(STEP_US);
	}
}

static void enter_s5(void)
{
	uint32_t type_a = x86_acpi.s5_type_a, type_b = x86_acpi.s5_type_b;

	if (!x86_acpi.s5_known)
		return;
	if (x86_acpi.sleep_control.addr) {
		write_register(&x86_acpi.sleep_control,
			       type_a << REDUCED_SLEEP_TYPE_SHIFT | REDUCED_SLEEP, 8);
	} else {
		turn_acpi_on();
		write_register(&x86_acpi.pm1a_control, type_a << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP,
			       16);
		write_register(&x86_acpi.pm1b_control, type_b << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP,
			       16);
	}
	x86_clock_delay_us(WAIT_US);
}

static void write_status(int status)
{
	char line[] = "cloudos: exit status 000\n", *digit = line + sizeof("cloudos: exit status");
	unsigned value = (unsigned)status & 0xff;
	unsigned divisor = value >= 100 ? 100 : value >= 10 ? 10 : 1;

	for (; divisor; divisor /= 10)
		*digit++ = (char)('0' + value / divisor % 10);
	*digit++ = '\n';
	hal_log_write(line, (size_t)(digit - line));
}

static HAL_NORETURN void triple_fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) empty = {0, 0};

	for (;;)
		__asm__ volatile("lidt %0; int3" : : "m"(empty));
}

/* One CPU ends the machine. What fails on the way must not begin it again. */
static void begin_end(void)
{
	unsigned me = x86_cpu_this()->id + 1, first = 0;

	if (atomic_compare_exchange_strong(&power.cpu, &first, me))
		return;
	if (first == me)
		triple_fault();
	x86_smp_stop_this();
}

static HAL_NORETURN void reset(void)
{
	hal_cpu_stop_others();
	if (x86_acpi.reset.addr) {
		write_register(&x86_acpi.reset, x86_acpi.reset_value, 8);
		x86_clock_delay_us(WAIT_US);
	}
	for (unsigned us = 0; us < WAIT_US && in8(KEYBOARD_STATUS) & KEYBOARD_BUSY; us += STEP_US)
		x86_clock_delay_us(STEP_US);
	out8(KEYBOARD_STATUS, KEYBOARD_RESET);
	x86_clock_delay_us(WAIT_US);
	out8(RESET_PORT, RESET_HARD);
	x86_clock_delay_us(WAIT_US);
	triple_fault();
}

void hal_power_off(int status)
{
	static const char cannot[] = "cloudos: this machine cannot be powered off by software; "
				     "it is safe to turn it off now\n";

	write_status(status);
	begin_end();
	hal_cpu_stop_others();
	enter_s5();
	out8(QEMU_EXIT_PORT, (uint8_t)status);
	x86_clock_delay_us(WAIT_US);
	/* Without ACPI at all it is a small virtual machine, which ends with a reset. */
	if (!x86_acpi.s5_known && !x86_acpi.cpu_count)
		reset();
	hal_log_write(cannot, sizeof(cannot) - 1);
	x86_smp_stop_this();
}

void hal_power_reset(void)
{
	begin_end();
	reset();
}
