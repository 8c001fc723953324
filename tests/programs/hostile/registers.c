/*
 * Smashes what the machine keeps for a program and makes system calls so: `registers stack N`,
 * `registers segment N`, `registers flags`, `registers bases`, `registers fpu N`. 0: the program
 * went on and has what it set.
 */
#include "programs/hostile/hostile.h"

static const uint64_t stacks[] = {
	0, 8, 0x1000, 0x7fffe0000800, 0x7fffe0100800, 0x7fffe0201008, 0x7fffe0204000,
	0x7fffe0207000, 0x7fffe0207ff8, 0x7fffe0208000, 0x7ffffffff000, 0x8000000000000000,
	0xffff800000000000, ~0ull, 0x7fffe0207481,
};

static long getpid_on(uint64_t sp)
{
	long result;

	__asm__ volatile("mov %%rsp, %%r12\n\t"
			 "mov %2, %%rsp\n\t"
			 "syscall\n\t"
			 "cmp %2, %%rsp\n\t"
			 "mov %%r12, %%rsp\n\t"
			 "je 1f\n\t"
			 "mov $-1, %%rax\n"
			 "1:"
			 : "=a"(result)
			 : "a"(NR_GETPID), "r"(sp)
			 : "rcx", "r11", "r12", "memory", "cc");
	return result;
}

static int smash_stack(uint64_t i)
{
	return i >= sizeof(stacks) / sizeof(stacks[0]) || getpid_on(stacks[i]) != 1;
}

/* Selectors: null, the user's, the kernel's, per-CPU data, a local table, chance. */
static int smash_segment(uint64_t i)
{
	static const uint16_t selectors[] = {0, 3, 0x2b, 0x23, 0x33, 0x10, 0x18, 0x53, 0x7b, 0x7,
					     0xf, 0xffff};
	const uint16_t selector = selectors[i / 5 % 12];

	switch (i % 5) {
	case 0:
		__asm__ volatile("mov %0, %%ds" : : "r"(selector));
		break;
	case 1:
		__asm__ volatile("mov %0, %%es" : : "r"(selector));
		break;
	case 2:
		__asm__ volatile("mov %0, %%fs" : : "r"(selector));
		break;
	case 3:
		__asm__ volatile("mov %0, %%gs" : : "r"(selector));
		break;
	default:
		__asm__ volatile("mov %0, %%ss" : : "r"(selector));
	}
	return call3(NR_GETPID, 0, 0, 0) != 1;
}

/* Each flag that a program can set, but TF; privileged ones must stay as they were. */
static int smash_flags(void)
{
	for (unsigned bit = 0; bit < 22; bit++) {
		const uint64_t may = 0x244cd5; /* CF PF AF ZF SF DF OF NT AC ID */
		uint64_t flags, want = 1ull << bit & ~0x100ull;
		long pid;

		__asm__ volatile("pushf\n\t"
				 "or %3, (%%rsp)\n\t"
				 "popf\n\t"
				 "syscall\n\t"
				 "pushf\n\t"
				 "pop %1\n\t"
				 "push $0x202\n\t"
				 "popf"
				 : "=a"(pid), "=&r"(flags)
				 : "a"((long)NR_GETPID), "r"(want)
				 : "rcx", "r11", "memory", "cc");
		if (pid != 1 || (want & may && !(flags & want)) ||
		    (want & ~(may | 0x202) && flags & want))
			return 1;
	}
	return 0;
}

static int smash_bases(void)
{
	static const uint64_t bases[] = {0, 1, 0x7fffe0200000, 0x7fffffffffff, 0xffff800000000000,
					 ~0ull};
	int wrong = 0;

	for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		uint64_t fs, gs;

		__asm__ volatile("wrfsbase %0\n\twrgsbase %0" : : "r"(bases[i]));
		wrong |= call3(NR_GETPID, 0, 0, 0) != 1;
		__asm__ volatile("rdfsbase %0\n\trdgsbase %1" : "=r"(fs), "=r"(gs));
		wrong |= fs != bases[i] || gs != bases[i];
	}
	return wrong;
}

/* Control words of chance; images that the processor refuses end the program. */
static int smash_fpu(uint64_t i)
{
	static uint8_t image[4096] __attribute__((aligned(64)));
	uint32_t mxcsr = 0x1f80, now;
	uint16_t x87 = 0x37f, x87_now;

	for (unsigned at = 0; at < sizeof(image); at++)
		image[at] = (uint8_t)(at * 37 + i);
	switch (i) {
	case 0:
		__asm__ volatile("fxrstor %0" : : "m"(image));
		break;
	case 1:
		__asm__ volatile("xrstor %0" : : "m"(image), "a"(-1), "d"(-1));
		break;
	case 2:
		mxcsr = 0xffffffff;
		break;
	case 3:
		mxcsr = 0;
		x87 = 0;
		break;
	case 4:
		mxcsr = 0xffbf & 0xe07f;
		x87 = 0xffff;
		break;
	}
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	__asm__ volatile("fldcw %0" : : "m"(x87));
	if (call3(NR_GETPID, 0, 0, 0) != 1)
		return 1;
	__asm__ volatile("stmxcsr %0" : "=m"(now));
	__asm__ volatile("fnstcw %0" : "=m"(x87_now));
	return now != mxcsr || (x87_now & 0xf3f) != (x87 & 0xf3f);
}

int hostile(const char *word, uint64_t number)
{
	if (is(word, "stack"))
		return smash_stack(number);
	if (is(word, "segment"))
		return smash_segment(number);
	if (is(word, "flags"))
		return smash_flags();
	if (is(word, "bases"))
		return smash_bases();
	return smash_fpu(number);
}
