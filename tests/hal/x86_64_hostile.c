/*
 * Attacks on x86_64. The addresses are those of the host machine's stub (src/hal/host/stub.h),
 * which lies in user address spaces above HAL_USER_MAX; on hardware nothing is there.
 */
#include "hal/hostile.h"

#define STUB 0x7fffe0000000
#define REQUEST 0x7fffe0100000
#define AREA 0x7fffe0200000

const vaddr_t hostile_addresses[] = {
	HAL_USER_MAX,
	STUB - 1,
	STUB,
	STUB + 0x800,
	STUB + 0xfff,
	STUB + 0x1000,
	STUB + 0x10000,
	REQUEST,
	REQUEST + 0x40,
	REQUEST + 0x1000,
	AREA,
	AREA + 64,
	AREA + 0x1000,
	AREA + 0x7fff,
	AREA + 0x1fffff,
	AREA + 0x200000,
	0x7fffffffefff,
	0x7ffffffff000,
	0x800000000000,
	0x8000000000000000,
	0xffff800000000000,
	HAL_DIRECT_MAP_BASE,
	(vaddr_t)&hostile_addresses,
	0xffffffff81000000,
	0xffffffffff600000,
	0xffffffffff600400,
	~(vaddr_t)0xfff,
	~(vaddr_t)0,
	0,
};
const vaddr_t hostile_code = STUB;
const vaddr_t hostile_area = AREA;
const unsigned hostile_register_sets = 4;

extern const char code_forge[], code_forge_end[];
const struct fragment fragment_forge = {code_forge, code_forge_end};

/* Ready for a jump to a system call instruction, or into the middle of the stub's handler. */
void hostile_set_registers(struct hal_user *user, unsigned set)
{
	struct hal_regs *r = &user->regs;

	arch_fill_registers(user, set);
	r->rdx = 3; /* rsi, the place, comes from the second argument */
	switch (set) {
	case 0: /* what the helper has */
		r->rbx = REQUEST;
		r->r12 = 0;
		r->r13 = 1;
		r->r14 = USER_DATA;
		r->rax = 9;
		r->r10 = 0x32;
		r->r8 = ~0ull;
		r->r9 = 0;
		break;
	case 1: /* what the handler has */
		r->rbx = AREA;
		r->rsp = AREA + 0x4000;
		r->rdx = AREA + 0x7480;
		r->rcx = 0x10;
		r->r12 = 1;
		break;
	case 2: /* an exchange area of its own */
		r->rbx = USER_DATA;
		r->rsp = USER_DATA + 0x800;
		r->rdx = USER_DATA;
		r->r12 = 7;
		break;
	default: /* nothing that can be used */
		r->rbx = 0;
		r->rsp = 8;
		r->rax = 202;
	}
}
