/*
 * Exceptions of the kernel itself. There is none that it could go on from: each ends in
 * up_panic() with what the syndrome registers say, in words.
 */
#include "hal/arm64/arm64_priv.h"

HAL_NORETURN void trap_from_kernel(unsigned vector, uintptr_t pc, uintptr_t frame, uintptr_t sp);

#define FAULTS_REPORTED 2

static const char *class_name(unsigned class)
{
	switch (class) {
	case 0x00:
		return "undefined instruction";
	case 0x07:
		return "FPU use";
	case 0x0e:
		return "illegal execution state";
	case 0x18:
		return "trapped system register";
	case 0x21:
		return "instruction fetch";
	case 0x22:
		return "misaligned pc";
	case 0x25:
		return "memory access";
	case 0x26:
		return "misaligned stack pointer";
	case 0x2f:
		return "system error";
	case 0x31:
	case 0x33:
	case 0x35:
	case 0x3c:
		return "debug exception";
	}
	return "unknown exception";
}

static const char *fault_name(unsigned status)
{
	switch (status & 0x3c) {
	case 0x00:
		return "address too large";
	case 0x04:
		return "not mapped";
	case 0x08:
		return "access flag";
	case 0x0c:
		return "no right";
	}
	if (status == 0x21)
		return "misaligned";
	if (status == 0x10 || (status & 0x3c) == 0x14)
		return "no answer from the bus";
	return "other fault";
}

/*
 * On the CPU's fault stack. A fault in the panic's report is a second panic, which says less; a
 * third ends the machine from here.
 */
void trap_from_kernel(unsigned vector, uintptr_t pc, uintptr_t frame, uintptr_t sp)
{
	uint64_t esr = READ_SYSREG(esr_el1), far = READ_SYSREG(far_el1);
	unsigned class = esr >> 26 & 63, status = esr & 63;
	struct arm64_cpu *cpu = this_cpu();

	if (cpu->faults++ >= FAULTS_REPORTED) {
		log_number("cloudos: exception in a panic, pc ", pc, "");
		log_number(", address ", far, "\n");
		hal_power_off(FAIL_STATUS);
	}
	if (!kernel_mapped(frame))
		frame = 0;
	if (vector == VECTOR_SERROR)
		up_panic(pc, frame, "kernel: system error, syndrome %lx, sp %lx",
			 (unsigned long)esr, (unsigned long)sp);
	if (vector == VECTOR_IRQ)
		up_panic(pc, frame, "kernel: interrupt with interrupts masked");
	if (class == 0x25 && kernel_guarded(far))
		up_panic(pc, frame, "kernel: a stack has run over its end (guard page of %lx)",
			 (unsigned long)far);
	if (class == 0x25 || class == 0x21)
		up_panic(pc, frame, "kernel: %s of %lx: %s (%s), syndrome %lx, sp %lx",
			 class == 0x21 ? "fetch" : (esr & 1 << 6) ? "write" : "read",
			 (unsigned long)far, fault_name(status), class_name(class),
			 (unsigned long)esr, (unsigned long)sp);
	up_panic(pc, frame, "kernel: %s, syndrome %lx, address %lx, sp %lx", class_name(class),
		 (unsigned long)esr, (unsigned long)far, (unsigned long)sp);
}
