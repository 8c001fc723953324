/*
 * The screen's letters: see font.c.
 */
#ifndef HAL_X86_64_FONT_H
#define HAL_X86_64_FONT_H

#include "hal/types.h"

#define X86_FONT_FIRST ' '
#define X86_FONT_COUNT 95u
#define X86_FONT_ROWS 7u
#define X86_FONT_COLUMNS 5u

extern const uint8_t x86_font[X86_FONT_COUNT][X86_FONT_ROWS];

#endif
