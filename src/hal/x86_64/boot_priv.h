/*
 * What boot code passes on among its files; no one needs it after up_boot() was called.
 */
#ifndef HAL_X86_64_BOOT_PRIV_H
#define HAL_X86_64_BOOT_PRIV_H

#include "hal/common/acpi.h"
#include "hal/common/boot_tables.h"
#include "hal/common/ram.h"

#define RAM_END (1ull << 46) /* what the direct map has room for */
#define BOOT_REACH (1ull << 32) /* what head.S maps; boot-time memory is taken from below */

struct x86_boot_state {
	struct boot_tables tables;
	struct ram_map all_ram; /* what the loader called RAM; the direct map shows it */
	struct ram_map ram;	/* of it, what is still free */
	paddr_t trampoline;	/* a page below 1 MiB for starting CPUs; 0: none was free */
	bool kernel_pages;	/* the kernel's page allocator has taken over */
};

extern struct x86_boot_state x86_boot_state; /* boot.c */
extern struct acpi_info x86_acpi;	     /* boot.c. Set once: what ACPI's tables say */

/* Ends the machine before the kernel runs: says what is wrong and what to do about it. */
HAL_NORETURN void x86_boot_fail(const char *what, const char *why, const char *remedy);

void x86_boot_warn(const char *what, const char *why);

/* ---- display.c: the log on a screen ---- */
void x86_display_map(void); /* when the kernel's own tables are in use */
void x86_display_init(const struct boot_framebuffer *framebuffer);
void x86_display_write(const char *text, size_t bytes);
bool x86_display_there(void);

/* ---- pci.c, device.c ---- */
void x86_pci_init(void);
bool x86_pci_there(void);
bool x86_pci_has_bus(unsigned bus);

/* ---- serial.c ---- */
void x86_serial_init(void);
void x86_serial_write(const char *text, size_t bytes);

#endif
