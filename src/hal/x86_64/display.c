/*
 * The log on a screen: a framebuffer of 24 or 32 bits a pixel that the loader set up, or VGA's
 * text memory. Lines are written from the top on and scroll up; tab and newline are known, nothing
 * else.
 *
 * What is shown is also kept in `cells`, so that scrolling writes only what changes and never reads
 * the device. On a framebuffer a cell is 8 x 16 dots; the font's rows are drawn twice.
 * Lock: serial.c's, which calls this; the boot CPU alone before that.
 */
#include "hal/base.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"
#include "hal/x86_64/font.h"

#define CELL_WIDTH 8u
#define CELL_HEIGHT 16u
#define COLUMNS_MAX 240u
#define ROWS_MAX 80u
#define TAB_STOPS 8u

#define VGA_TEXT 0xb8000ull
#define VGA_COLUMNS 80u
#define VGA_ROWS 25u
#define VGA_GREY_ON_BLACK 0x0700u
#define BIOS_VIDEO_MODE 0x449ull /* in the BIOS data area: 2 and 3 are text in colour */
#define PROBE 0x5aa5u

static struct {
	uintptr_t base; /* of the device's memory, 0: no screen */
	paddr_t phys;
	size_t bytes;
	struct boot_framebuffer fb; /* addr 0: VGA text */
	uint32_t ink;
	unsigned dot_bytes;
	unsigned columns, rows; /* of cells */
	unsigned column, row;	/* where the next character goes */
	char cells[ROWS_MAX][COLUMNS_MAX];
} display;

static void draw_dot(uintptr_t at, uint32_t colour)
{
	if (display.dot_bytes == 4) {
		hal_mmio_write32(at, colour);
		return;
	}
	for (unsigned i = 0; i < display.dot_bytes; i++)
		hal_mmio_write8(at + i, (uint8_t)(colour >> 8 * i));
}

static void draw_glyph(unsigned row, unsigned column, char c)
{
	unsigned index = (uint8_t)c - (unsigned)X86_FONT_FIRST;
	const uint8_t *glyph = x86_font[index < X86_FONT_COUNT ? index : '?' - X86_FONT_FIRST];
	uintptr_t line = display.base + (uintptr_t)row * CELL_HEIGHT * display.fb.pitch_bytes +
			 column * CELL_WIDTH * display.dot_bytes;

	for (unsigned y = 0; y < CELL_HEIGHT; y++, line += display.fb.pitch_bytes) {
		unsigned bits = y / 2 < X86_FONT_ROWS ? glyph[y / 2] : 0;

		for (unsigned x = 0; x < CELL_WIDTH; x++) {
			bool set = x < X86_FONT_COLUMNS && bits & 1u << (X86_FONT_COLUMNS - 1 - x);

			draw_dot(line + x * display.dot_bytes, set ? display.ink : 0);
		}
	}
}

static void show(unsigned row, unsigned column, char c)
{
	if (display.cells[row][column] == c)
		return;
	display.cells[row][column] = c;
	if (display.fb.addr)
		draw_glyph(row, column, c);
	else
		hal_mmio_write16(display.base + (row * VGA_COLUMNS + column) * 2,
				 (uint16_t)(VGA_GREY_ON_BLACK | (uint8_t)c));
}

static void start_line(void)
{
	display.column = 0;
	if (display.row + 1 < display.rows) {
		display.row++;
		return;
	}
	for (unsigned row = 0; row + 1 < display.rows; row++)
		for (unsigned column = 0; column < display.columns; column++)
			show(row, column, display.cells[row + 1][column]);
	for (unsigned column = 0; column < display.columns; column++)
		show(display.rows - 1, column, ' ');
}

static void write_char(char c)
{
	if (c == '\n' || display.column == display.columns)
		start_line();
	if (c == '\n' || c == '\r')
		return;
	if (c == '\t') {
		display.column = MIN((display.column / TAB_STOPS + 1) * TAB_STOPS, display.columns);
		return;
	}
	show(display.row, display.column++, c);
}

void x86_display_write(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes && display.base; i++)
		write_char(text[i]);
}

bool x86_display_there(void)
{
	return display.base != 0;
}

static bool accept_framebuffer(const struct boot_framebuffer *fb)
{
	unsigned dot_bytes = fb->bits_per_pixel / 8;

	if (!fb->addr || (fb->bits_per_pixel != 32 && fb->bits_per_pixel != 24) ||
	    fb->width < CELL_WIDTH || fb->height < CELL_HEIGHT ||
	    fb->pitch_bytes / dot_bytes < fb->width || fb->red_shift > 24 ||
	    fb->green_shift > 24 || fb->blue_shift > 24 || fb->addr & 3)
		return false;
	display.fb = *fb;
	display.dot_bytes = dot_bytes;
	display.ink = 0xc0u << fb->red_shift | 0xc0u << fb->green_shift | 0xc0u << fb->blue_shift;
	display.columns = MIN(fb->width / CELL_WIDTH, COLUMNS_MAX);
	display.rows = MIN(fb->height / CELL_HEIGHT, ROWS_MAX);
	display.phys = fb->addr;
	display.bytes = (size_t)fb->pitch_bytes * fb->height;
	return true;
}

static bool accept_vga(void)
{
	uint8_t mode = *(const volatile uint8_t *)hal_phys_to_virt(BIOS_VIDEO_MODE);
	volatile uint16_t *cell = hal_phys_to_virt(VGA_TEXT);

	if (mode != 2 && mode != 3)
		return false;
	*cell = PROBE;
	if (*cell != PROBE)
		return false;
	display.columns = VGA_COLUMNS;
	display.rows = VGA_ROWS;
	display.phys = VGA_TEXT;
	display.bytes = VGA_COLUMNS * VGA_ROWS * 2;
	return true;
}

void x86_display_init(const struct boot_framebuffer *framebuffer)
{
	if (!accept_framebuffer(framebuffer) && !accept_vga())
		return;
	if (display.phys < BOOT_REACH && display.bytes <= BOOT_REACH - display.phys) {
		display.base = (uintptr_t)hal_phys_to_virt(display.phys);
		for (unsigned row = 0; row < display.rows; row++)
			for (unsigned column = 0; column < display.columns; column++)
				show(row, column, ' ');
	}
}

void x86_display_map(void)
{
	uintptr_t base;

	if (!display.phys)
		return;
	display.base = hal_mmio_map(display.phys, display.bytes, &base) ? 0 : base;
}
