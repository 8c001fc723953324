/*
 * The interrupt controllers: each CPU's local APIC (Intel SDM vol. 3, chapter 10; as memory or, as
 * x2APIC, as MSRs) and the IO-APICs, whose pins are the global system interrupts (GSI).
 */
#ifndef HAL_X86_64_APIC_H
#define HAL_X86_64_APIC_H

#include "hal/types.h"

/* A lock for a few instructions, with interrupts off in hardware, so that vectors may take it. */
struct hardware_lock {
	_Atomic bool locked;
};

bool x86_apic_lock(struct hardware_lock *lock); /* whether interrupts were on in hardware */
void x86_apic_unlock(struct hardware_lock *lock, bool restore);

/* ---- Local APIC; x86_apic_init() once, the others on each CPU ---- */
void x86_apic_init(paddr_t regs);
void x86_apic_init_cpu(void);
uint32_t x86_apic_id(void);
void x86_apic_end_of_interrupt(void);
void x86_apic_send(uint32_t apic_id, unsigned vector);
void x86_apic_send_nmi(uint32_t apic_id);
void x86_apic_send_init(uint32_t apic_id);
void x86_apic_send_startup(uint32_t apic_id, paddr_t page);

/* The timer: one-shot, `count` ticks from now, 0: never. */
void x86_apic_timer_start(uint32_t count);
uint32_t x86_apic_timer_left(void);
void x86_apic_timer_use_deadline(void); /* the MSR takes over */

/* ---- IO-APICs; callers hold irq.c's lock ---- */
void x86_ioapic_init(void);
unsigned x86_ioapic_gsi_count(void); /* one more than the highest */
bool x86_ioapic_has(uint32_t gsi);

struct ioapic_route {
	uint32_t apic_id;
	uint8_t vector;
	bool level, active_low, masked;
};

void x86_ioapic_set(uint32_t gsi, const struct ioapic_route *route);
void x86_ioapic_mask(uint32_t gsi, bool masked);

#endif
