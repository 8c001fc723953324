/*
 * The log output: a 16550 at COM1 and, as a mirror, a screen (display.c). Polled, no interrupts.
 *
 * Lock: one, tried for a bounded time only, so that a CPU that was stopped in the middle of a line
 * never silences a panic.
 */
#include "hal/boot.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define COM1 0x3f8
#define UART_DATA 0	  /* divisor latch, low byte, while LCR_DLAB */
#define UART_IER 1	  /* divisor latch, high byte, while LCR_DLAB */
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCRATCH 7
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR_RTS_OUT2 0x0b
#define FCR_ENABLE_CLEAR 0x07
#define LSR_DATA 0x01
#define LSR_EMPTY 0x20
#define DIVISOR_115200 1
#define POLLS_MAX 100000 /* of a transmitter that is stuck */
#define LOCK_TRIES 10000000

static struct {
	bool there;	     /* Set once */
	_Atomic bool locked; /* somebody writes */
} serial;

void x86_serial_init(void)
{
	out8(COM1 + UART_SCRATCH, 0x5a);
	if (in8(COM1 + UART_SCRATCH) != 0x5a)
		return;
	out8(COM1 + UART_IER, 0);
	out8(COM1 + UART_LCR, LCR_DLAB);
	out8(COM1 + UART_DATA, DIVISOR_115200);
	out8(COM1 + UART_IER, 0);
	out8(COM1 + UART_LCR, LCR_8N1);
	out8(COM1 + UART_FCR, FCR_ENABLE_CLEAR);
	out8(COM1 + UART_MCR, MCR_DTR_RTS_OUT2);
	serial.there = true;
}

static void write_byte(char c)
{
	for (unsigned i = 0; i < POLLS_MAX && !(in8(COM1 + UART_LSR) & LSR_EMPTY); i++)
		hal_cpu_relax();
	out8(COM1 + UART_DATA, (uint8_t)c);
}

void x86_serial_write(const char *text, size_t bytes)
{
	if (!serial.there)
		return;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '\n')
			write_byte('\r');
		write_byte(text[i]);
	}
}

void hal_log_write(const char *text, size_t bytes)
{
	bool locked = false;

	for (unsigned i = 0; i < LOCK_TRIES && !locked; i++) {
		bool expected = false;

		locked = atomic_compare_exchange_weak(&serial.locked, &expected, true);
		if (!locked)
			hal_cpu_relax();
	}
	x86_serial_write(text, bytes);
	x86_display_write(text, bytes);
	if (locked)
		atomic_store(&serial.locked, false);
}

size_t hal_log_read(char *buf, size_t max)
{
	size_t bytes = 0;

	while (serial.there && bytes < max && (in8(COM1 + UART_LSR) & LSR_DATA))
		buf[bytes++] = (char)in8(COM1 + UART_DATA);
	return bytes;
}
