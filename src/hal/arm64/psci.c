/*
 * Power and other CPUs through the firmware: PSCI (Arm DEN0022), by hvc or smc as the device tree
 * says.
 */
#include "hal/arm64/arm64_priv.h"

#define PSCI_CPU_ON 0xc4000003u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_ALREADY_ON (-4)

static bool same_text(const char *a, const char *b)
{
	while (*a != 0 && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Without a usable node there is no power off and there are no other CPUs. */
void psci_init(void)
{
	const char *method;
	uint32_t node = FDT_ROOT;

	while (fdt_next(&arm64.fdt, &node)) {
		if (!fdt_compatible(&arm64.fdt, node, "arm,psci-0.2") &&
		    !fdt_compatible(&arm64.fdt, node, "arm,psci-1.0"))
			continue;
		if (fdt_get_string(&arm64.fdt, node, "method", &method) != 0)
			continue;
		arm64.psci_smc = same_text(method, "smc");
		arm64.psci = arm64.psci_smc || same_text(method, "hvc");
	}
}

static int64_t call_psci(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	if (arm64.psci_smc)
		__asm__ volatile("smc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7",
				   "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
				   "x17", "memory");
	else
		__asm__ volatile("hvc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7",
				   "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
				   "x17", "memory");
	return (int64_t)x0;
}

int psci_cpu_on(uint64_t mpidr, paddr_t entry, uint64_t arg)
{
	int64_t result;

	if (!arm64.psci)
		return -EIO;
	result = (int32_t)call_psci(PSCI_CPU_ON, mpidr, entry, arg);
	if (result == PSCI_ALREADY_ON)
		return -EBUSY;
	return result == 0 ? 0 : -EIO;
}

void psci_off(bool reset)
{
	if (arm64.psci)
		(void)call_psci(reset ? PSCI_SYSTEM_RESET : PSCI_SYSTEM_OFF, 0, 0, 0);
	hal_cpu_halt();
}

void hal_power_off(int status)
{
	char digits[12];
	unsigned length = 0;
	unsigned value = (unsigned)status & 255;

	do {
		digits[length++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	log_text("cloudos: exit status ");
	while (length > 0)
		hal_log_write(&digits[--length], 1);
	log_text("\n");
	psci_off(false);
}

void hal_power_reset(void)
{
	psci_off(true);
}
