/*
 * What ACPI's tables say about a machine (ACPI specification 6.4, chapter 5; MCFG: PCI firmware
 * specification 3.2; HPET: IA-PC HPET specification 1.0a). A parser of tables, no interpreter of
 * AML: of the DSDT it knows the sleep type of S5 and the virtio-mmio devices, by their byte
 * patterns.
 */
#ifndef HAL_COMMON_ACPI_H
#define HAL_COMMON_ACPI_H

#include "hal/common/boot_tables.h"

#define ACPI_IOAPICS_MAX 8
#define ACPI_ISA_IRQS 16
#define ACPI_ECAMS_MAX 8
#define ACPI_VIRTIO_MAX 32

enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1 };

/* A register: generic address structure. addr 0: not there. */
struct acpi_register {
	uint8_t space; /* enum acpi_space, or something else that is not supported */
	uint64_t addr;
};

struct acpi_ioapic {
	paddr_t addr;
	uint32_t gsi_base;
};

/* How an interrupt of the ISA bus arrives. Identity, edge, active high unless overridden. */
struct acpi_isa_irq {
	uint32_t gsi;
	bool level, active_low;
};

struct acpi_ecam {
	paddr_t base; /* of bus 0 */
	uint16_t segment;
	uint8_t bus_first, bus_last;
};

struct acpi_virtio {
	paddr_t regs;
	uint32_t bytes, gsi;
	bool level, active_low;
};

struct acpi_info {
	/* What was wrong, for people; the rest was used. NULL: nothing. */
	const char *problem;
	unsigned problems;

	/* MADT */
	paddr_t lapic;
	uint32_t apic_ids[HAL_CPUS_MAX];
	unsigned cpu_count;   /* 0: no MADT */
	unsigned cpus_dropped; /* had no room */
	struct acpi_ioapic ioapics[ACPI_IOAPICS_MAX];
	unsigned ioapic_count;
	struct acpi_isa_irq isa_irqs[ACPI_ISA_IRQS];

	paddr_t hpet; /* 0: none */
	struct acpi_ecam ecams[ACPI_ECAMS_MAX];
	unsigned ecam_count;

	/* FADT */
	struct acpi_register pm1a_control, pm1b_control, pm_timer;
	bool pm_timer_32bit;
	struct acpi_register sleep_control; /* of hardware-reduced ACPI */
	struct acpi_register reset;
	uint8_t reset_value;
	uint16_t smi_command; /* 0: ACPI is on for ever */
	uint8_t smi_acpi_enable;

	/* DSDT */
	bool s5_known;
	uint8_t s5_type_a, s5_type_b;
	struct acpi_virtio virtio[ACPI_VIRTIO_MAX];
	unsigned virtio_count;
};

/* The root pointer in [start, start + bytes), on a 16-byte boundary; 0 if there is none. */
paddr_t acpi_find_root(const struct phys_reader *reader, paddr_t start, size_t bytes);

/*
 * Reads all tables that the root pointer at `rsdp` leads to. `info` is filled with what could be
 * read, and with defaults, in any case. 0; -EINVAL if the root is no root. Damage below the root
 * is told in info->problem.
 */
HAL_USE_RESULT int acpi_parse(const struct phys_reader *reader, paddr_t rsdp,
			      struct acpi_info *info);

#endif
