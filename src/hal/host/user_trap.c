/*
 * Instructions that tell of the machine underneath: rdtsc, rdtscp and cpuid, which seeded mode
 * traps and answers from virtual time, so that a run is a function of its seed.
 *
 * They arrive as general protection faults. The instruction is read through the kernel's own view
 * of the page, never through the address of the user. Where the processor cannot trap cpuid, what
 * it says is what the host's processor says, and a run is only repeated exactly on its like.
 */
#include "hal/host/host_user.h"

#include "hal/host/host_priv.h"

#include <cpuid.h>
#include <string.h>

#define INSTRUCTION_MAX 3
#define TSC_PER_NS 1 /* the virtual processor's counter runs at 1 GHz */

/* Up to `max` bytes at the instruction pointer. */
static unsigned read_code(struct host_space *space, vaddr_t addr, uint8_t *code, unsigned max)
{
	unsigned got;

	if (addr >= HAL_USER_MAX)
		return 0;
	host_lock(&space->locked);
	for (got = 0; got < max; got++) {
		uint64_t page = host_space_lookup(space, addr + got);

		if (!page)
			break;
		page &= ~(uint64_t)(HAL_PAGE_SIZE - 1);
		code[got] = *(const uint8_t *)hal_phys_to_virt(
			page + ((addr + got) & (HAL_PAGE_SIZE - 1)));
	}
	host_unlock(&space->locked);
	return got;
}

static void answer_tsc(struct hal_regs *regs)
{
	uint64_t tsc = hal_time_ns() * TSC_PER_NS;

	regs->rax = tsc & 0xffffffff;
	regs->rdx = tsc >> 32;
}

/* A plain x86-64-v2 processor: every host has it, and programs choose their code by it. */
static void answer_cpuid(struct hal_regs *regs)
{
	uint32_t a = 0, b = 0, c = 0, d = 0;

	switch ((uint32_t)regs->rax) {
	case 0:
		a = 7;
		memcpy(&b, "Clou", 4);
		memcpy(&d, "dOSS", 4);
		memcpy(&c, "imul", 4);
		break;
	case 1:
		a = 0x000006f0;
		b = 0x00010800;
		c = bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT;
		d = bit_CMPXCHG8B | bit_CMOV | bit_MMX | bit_FXSAVE | bit_SSE | bit_SSE2 |
		    1u << 0 | 1u << 4; /* FPU, TSC */
		break;
	case 0x80000000:
		a = 0x80000001;
		break;
	case 0x80000001:
		c = bit_LAHF_LM;
		d = bit_LM | 1u << 11 | 1u << 20 | 1u << 27; /* syscall, NX, rdtscp */
		break;
	}
	regs->rax = a;
	regs->rbx = b;
	regs->rcx = c;
	regs->rdx = d;
}

bool host_user_emulate(struct host_space *space, struct hal_user *user)
{
	struct hal_regs *regs = &user->regs;
	uint8_t code[INSTRUCTION_MAX];
	unsigned bytes;

	if (!host_user.trap_flags)
		return false;
	bytes = read_code(space, regs->rip, code, sizeof(code));
	if (bytes >= 2 && code[0] == 0x0f && code[1] == 0x31) {
		answer_tsc(regs);
		regs->rip += 2;
	} else if (bytes >= 3 && code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xf9) {
		answer_tsc(regs);
		regs->rcx = 0;
		regs->rip += 3;
	} else if (bytes >= 2 && code[0] == 0x0f && code[1] == 0xa2) {
		answer_cpuid(regs);
		regs->rip += 2;
	} else {
		return false;
	}
	host_time_advance_event();
	return true;
}
