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

bool apic_lock(struct hardware_lock *lock); /* whether interrupts were on in hardware */
void apic_unlock(struct hardware_lock *lock, bool restore);

/* ---- Local APIC; apic_init() once, the others on each CPU ---- */
void apic_init(paddr_t regs);
void apic_init_cpu(void);
uint32_t apic_id(void);
void apic_end_of_interrupt(void);
void apic_send(uint32_t apic_id, unsigned vector);
void apic_send_nmi(uint32_t apic_id);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, paddr_t page);

/* The timer: one-shot, `count` ticks from now, 0: never. */
void apic_timer_start(uint32_t count);
uint32_t apic_timer_left(void);
void apic_timer_use_deadline(void); /* the MSR takes over */

/* ---- IO-APICs; callers hold irq.c's lock ---- */
void ioapic_init(void);
unsigned ioapic_gsi_count(void); /* one more than the highest */
bool ioapic_has(uint32_t gsi);

struct ioapic_route {
	uint32_t apic_id;
	uint8_t vector;
	bool level, active_low, masked;
};

void ioapic_set(uint32_t gsi, const struct ioapic_route *route);
void ioapic_mask(uint32_t gsi, bool masked);

#endif
