/*
 * The FPU registers of user code. The kernel itself uses none.
 *
 * The registers stay in the CPU while a user is in the kernel. They are saved into struct hal_user
 * when the thread is switched away from, or when somebody asks (hal_user_sync()), and loaded when
 * another user runs on this CPU or the user runs on another one.
 *
 * Of a user, machine[FPU_CPU] is the number + 1 of the CPU whose registers hold its values, or 0,
 * and machine[FPU_CHANGED] whether they are newer than the struct.
 * Invariants: 1. the registers of CPU c are u's if and only if c.fpu_user == u and
 * u.machine[FPU_CPU] == c + 1. 2. c.fpu_changed is u.machine[FPU_CHANGED] then, and false
 * otherwise; so c touches no user that has ended. 3. c.fpu_changed only until c switches to
 * another context. All change with hardware interrupts off on CPU c.
 */
#include "hal/x86_64/asm.h"
#include "hal/x86_64/cpu_priv.h"

#include "hal/base.h"

/* In hal_user.machine. */
#define FPU_CPU 0
#define FPU_CHANGED 1

#define XCR0_X87 (1ull << 0)
#define XCR0_SSE (1ull << 1)
#define XCR0_AVX (1ull << 2)
#define XCR0_AVX512 (7ull << 5)
#define XSAVE_HEADER 512
#define XSAVE_HEADER_BYTES 64
#define MXCSR_OFFSET 24
#define MXCSR_MASK_OFFSET 28
#define MXCSR_DEFAULT 0x1f80u
#define MXCSR_MASK_DEFAULT 0xffbfu
#define FCW_DEFAULT 0x37fu

static bool component_fits(unsigned component)
{
	struct cpuid_result r = cpuid(0xd, component);

	return r.eax && r.ebx + r.eax <= HAL_FPU_BYTES;
}

void x86_fpu_find_features(void)
{
	struct x86_features *f = &x86_features;
	struct cpuid_result r;

	f->xcr0 = XCR0_X87 | XCR0_SSE;
	f->mxcsr_mask = 0; /* read in x86_fpu_setup() */
	if (cpuid(0, 0).eax < 0xd)
		f->xsave = false;
	if (!f->xsave)
		return;
	r = cpuid(0xd, 0);
	if (r.eax & XCR0_AVX && component_fits(2))
		f->xcr0 |= XCR0_AVX;
	if (f->xcr0 & XCR0_AVX && (r.eax & XCR0_AVX512) == XCR0_AVX512 && component_fits(5) &&
	    component_fits(6) && component_fits(7))
		f->xcr0 |= XCR0_AVX512;
	f->xsaveopt = cpuid(0xd, 1).eax & 1;
}

/* FXSAVE says which bits of mxcsr exist; loading others would fault. */
static uint32_t read_mxcsr_mask(void)
{
	uint8_t area[512] __attribute__((aligned(16)));
	uint32_t mask;

	memset(area, 0, sizeof(area));
	__asm__ volatile("fninit; fxsave64 %0" : "=m"(area));
	memcpy(&mask, area + MXCSR_MASK_OFFSET, sizeof(mask));
	return mask ? mask : MXCSR_MASK_DEFAULT;
}

void x86_fpu_setup(void)
{
	if (x86_features.xsave)
		__asm__ volatile("xsetbv"
				 :
				 : "c"(0), "a"((uint32_t)x86_features.xcr0), "d"(0));
	if (!x86_features.mxcsr_mask)
		x86_features.mxcsr_mask = read_mxcsr_mask();
}

/* Makes what the kernel may have written harmless: no value can make the load below fault. */
static void sanitise(struct hal_user *user)
{
	uint64_t header[XSAVE_HEADER_BYTES / 8] = {0};
	uint32_t mxcsr;

	memcpy(&mxcsr, user->fpu + MXCSR_OFFSET, sizeof(mxcsr));
	mxcsr &= x86_features.mxcsr_mask;
	memcpy(user->fpu + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
	memcpy(&header[0], user->fpu + XSAVE_HEADER, sizeof(header[0]));
	header[0] &= x86_features.xcr0;
	memcpy(user->fpu + XSAVE_HEADER, header, sizeof(header));
}

void x86_fpu_save(struct x86_cpu *cpu)
{
	struct hal_user *user = cpu->fpu_user;
	uint32_t low = (uint32_t)x86_features.xcr0;
	uint64_t header[XSAVE_HEADER_BYTES / 8] = {XCR0_X87 | XCR0_SSE};

	if (!cpu->fpu_changed)
		return;
	cpu->fpu_changed = false;
	if (x86_features.xsaveopt) {
		__asm__ volatile("xsaveopt64 %0" : "+m"(user->fpu) : "a"(low), "d"(0));
	} else if (x86_features.xsave) {
		__asm__ volatile("xsave64 %0" : "+m"(user->fpu) : "a"(low), "d"(0));
	} else {
		__asm__ volatile("fxsave64 %0" : "=m"(user->fpu));
		memcpy(user->fpu + XSAVE_HEADER, header, sizeof(header));
	}
	__atomic_store_n(&user->machine[FPU_CHANGED], 0, __ATOMIC_RELEASE);
}

/* Brings the values of a user that does not run into its struct, wherever they are. */
static void fetch(struct hal_user *user)
{
	uint64_t where = user->machine[FPU_CPU];
	struct x86_request request = {.kind = REQUEST_FPU_SAVE, .user = user};
	bool enabled;

	if (!__atomic_load_n(&user->machine[FPU_CHANGED], __ATOMIC_ACQUIRE))
		return;
	if (where != x86_cpu_this()->id + 1u) {
		x86_smp_request(&request, 1ull << (where - 1));
		return;
	}
	enabled = hardware_irq_disable();
	x86_fpu_save(x86_cpu_this());
	hardware_irq_restore(enabled);
}

void x86_fpu_serve(struct x86_cpu *cpu, const struct x86_request *request)
{
	if (cpu->fpu_user == request->user)
		x86_fpu_save(cpu);
}

void x86_fpu_load(struct x86_cpu *cpu, struct hal_user *user)
{
	uint32_t low = (uint32_t)x86_features.xcr0;

	if (cpu->fpu_user != user || user->machine[FPU_CPU] != cpu->id + 1u) {
		x86_fpu_save(cpu);
		sanitise(user);
		if (x86_features.xsave)
			__asm__ volatile("xrstor64 %0" : : "m"(user->fpu), "a"(low), "d"(0));
		else
			__asm__ volatile("fxrstor64 %0" : : "m"(user->fpu));
		cpu->fpu_user = user;
		user->machine[FPU_CPU] = cpu->id + 1u;
	}
	cpu->fpu_changed = true;
	__atomic_store_n(&user->machine[FPU_CHANGED], 1, __ATOMIC_RELEASE);
}

void x86_fpu_prepare(struct hal_user *user)
{
	if (user->machine[FPU_CPU] != x86_cpu_this()->id + 1u)
		fetch(user);
}

void hal_user_sync(struct hal_user *user)
{
	/* The kernel may now write the struct, so that the registers must be loaded again. */
	fetch(user);
	user->machine[FPU_CPU] = 0;
}

void hal_user_init(struct hal_user *user, vaddr_t pc, vaddr_t sp)
{
	uint16_t fcw = FCW_DEFAULT;
	uint32_t mxcsr = MXCSR_DEFAULT;
	uint64_t valid = XCR0_X87 | XCR0_SSE;

	memset(user, 0, sizeof(*user));
	user->regs.rip = pc;
	user->regs.rsp = sp;
	user->regs.orig_rax = (uint64_t)-1;
	user->regs.cs = SELECTOR_USER_CODE;
	user->regs.ss = SELECTOR_USER_DATA;
	user->regs.rflags = RFLAGS_FIXED | RFLAGS_IF;
	memcpy(user->fpu, &fcw, sizeof(fcw));
	memcpy(user->fpu + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
	memcpy(user->fpu + XSAVE_HEADER, &valid, sizeof(valid));
}

void hal_user_copy(struct hal_user *copy, struct hal_user *user)
{
	fetch(user);
	memcpy(copy, user, sizeof(*copy));
	memset(copy->machine, 0, sizeof(copy->machine));
}

void hal_user_fini(struct hal_user *user)
{
	hal_user_sync(user);
}
