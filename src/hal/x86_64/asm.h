/*
 * The instructions that C has no words for, one function each.
 */
#ifndef HAL_X86_64_ASM_H
#define HAL_X86_64_ASM_H

#include "hal/types.h"

#define MSR_TSC_DEADLINE 0x6e0
#define MSR_APIC_BASE 0x1b
#define MSR_SYSENTER_CS 0x174
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define EFER_SYSCALL (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_NXE (1u << 11)

#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_AM (1ull << 18)
#define CR4_DE (1ull << 3)
#define CR4_MCE (1ull << 6)
#define CR4_PGE (1ull << 7)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP (1ull << 11)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_PCIDE (1ull << 17)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)

#define RFLAGS_FIXED (1u << 1)
#define RFLAGS_TF (1u << 8)
#define RFLAGS_IF (1u << 9)
#define RFLAGS_RF (1u << 16)

struct cpuid_result {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_result r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

/* Not before the loads and stores that stand before it. */
static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

#define PORT_ACCESS(bits, suffix)                                                                  \
	static inline uint##bits##_t in##bits(uint16_t port)                                       \
	{                                                                                          \
		uint##bits##_t value;                                                              \
		__asm__ volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port) : "memory");     \
		return value;                                                                      \
	}                                                                                          \
	static inline void out##bits(uint16_t port, uint##bits##_t value)                          \
	{                                                                                          \
		__asm__ volatile("out" suffix " %0, %1" : : "a"(value), "Nd"(port) : "memory");    \
	}

PORT_ACCESS(8, "b")
PORT_ACCESS(16, "w")
PORT_ACCESS(32, "l")

#undef PORT_ACCESS

#define CONTROL_REGISTER(name)                                                                     \
	static inline uint64_t read_##name(void)                                                   \
	{                                                                                          \
		uint64_t value;                                                                    \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");                \
		return value;                                                                      \
	}                                                                                          \
	static inline void write_##name(uint64_t value)                                            \
	{                                                                                          \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                    \
	}

CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)

#undef CONTROL_REGISTER

static inline void cli(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void sti(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline uint64_t read_rflags(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return flags;
}

/* Interrupts off in hardware; for a few instructions at a time. */
static inline bool hardware_irq_disable(void)
{
	bool enabled = read_rflags() & RFLAGS_IF;

	cli();
	return enabled;
}

static inline void hardware_irq_restore(bool enable)
{
	if (enable)
		sti();
}

static inline void invlpg(uintptr_t addr)
{
	__asm__ volatile("invlpg (%0)" : : "r"(addr) : "memory");
}

#endif
