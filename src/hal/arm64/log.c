/*
 * The log: a PL011 (ARM PrimeCell UART) that /chosen/stdout-path of the device tree names, used by
 * polling. The firmware has set its speed; only transmitter and receiver are switched on. Without
 * one the log goes nowhere.
 */
#include "hal/arm64/arm64_priv.h"

#define UART_DATA 0x00
#define UART_FLAGS 0x18
#define UART_CONTROL 0x30
#define UART_INTERRUPT_MASK 0x38
#define FLAG_RECEIVE_EMPTY (1u << 4)
#define FLAG_TRANSMIT_FULL (1u << 5)
#define CONTROL_ON 0x301u /* UART, transmitter, receiver */
#define TRANSMIT_SPINS 1000000u

static bool find_uart(uint32_t *node)
{
	const char *path;
	uint32_t chosen;

	if (fdt_find_path(&arm64.fdt, "/chosen", &chosen) == 0 &&
	    fdt_get_string(&arm64.fdt, chosen, "stdout-path", &path) == 0 &&
	    fdt_find_path(&arm64.fdt, path, node) == 0 &&
	    fdt_compatible(&arm64.fdt, *node, "arm,pl011"))
		return true;
	*node = FDT_ROOT;
	while (fdt_next(&arm64.fdt, node))
		if (fdt_compatible(&arm64.fdt, *node, "arm,pl011") &&
		    fdt_enabled(&arm64.fdt, *node))
			return true;
	return false;
}

void log_init(void)
{
	struct fdt_range regs;
	uint32_t node;

	if (!find_uart(&node) || fdt_reg(&arm64.fdt, node, 0, &regs) != 0 ||
	    regs.bytes < PAGE_BYTES || regs.base >= 1ull << 48)
		return;
	arm64.uart = kernel_map_uart(regs.base);
	hal_mmio_write32(arm64.uart + UART_INTERRUPT_MASK, 0);
	hal_mmio_write32(arm64.uart + UART_CONTROL, CONTROL_ON);
}

static void write_byte(char byte)
{
	unsigned spins;

	for (spins = 0; spins < TRANSMIT_SPINS; spins++)
		if (!(hal_mmio_read32(arm64.uart + UART_FLAGS) & FLAG_TRANSMIT_FULL))
			break;
	hal_mmio_write32(arm64.uart + UART_DATA, (uint8_t)byte);
}

void hal_log_write(const char *text, size_t bytes)
{
	size_t i;

	if (arm64.uart == 0)
		return;
	for (i = 0; i < bytes; i++) {
		if (text[i] == '\n')
			write_byte('\r');
		write_byte(text[i]);
	}
}

size_t hal_log_read(char *buf, size_t max)
{
	size_t got = 0;

	if (arm64.uart == 0)
		return 0;
	while (got < max && !(hal_mmio_read32(arm64.uart + UART_FLAGS) & FLAG_RECEIVE_EMPTY))
		buf[got++] = (char)hal_mmio_read32(arm64.uart + UART_DATA);
	return got;
}

void log_text(const char *text)
{
	size_t bytes = 0;

	while (text[bytes] != 0)
		bytes++;
	hal_log_write(text, bytes);
}

void log_number(const char *before, uint64_t value, const char *after)
{
	char digits[18] = "0x";
	unsigned i;

	for (i = 0; i < 16; i++)
		digits[2 + i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
	log_text(before);
	hal_log_write(digits, sizeof(digits));
	log_text(after);
}
