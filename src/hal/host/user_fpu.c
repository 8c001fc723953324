/*
 * FPU state of user code: whose lies in which signal frame.
 *
 * Linux saves a guest thread's FPU state in each signal frame, and the stub loads it from the
 * place of the first frame. So the state of the user that ran last on a guest thread simply stays
 * there. It is moved to struct hal_user when another user takes over that guest thread, when the
 * user runs on another one, or when the kernel asks for it (hal_user_sync()).
 *
 *	1. guest->owner == user and user->machine[HOME] == guest say together that the frame holds
 *	   the state of `user`; else struct hal_user does.
 *	2. A user's home changes only by who may run or copy it, so its own CPU may test (1)
 *	   without the lock.
 *
 * What comes out of a frame was written by user code: all but known state components is dropped,
 * and reserved bits are cleared before anything is loaded, so that loading never faults.
 * Lock: host_user.fpu_locked.
 */
#include "hal/host/host_user.h"

#include <string.h>

#define HOME 0 /* user->machine[HOME]: the struct host_guest, or 0 */

/* XSAVE area, standard format: Intel SDM vol. 1, 13.4. */
#define XSAVE_MXCSR 24
#define XSAVE_MXCSR_MASK 28
#define XSAVE_SOFTWARE 464 /* for software; Linux's in a frame */
#define XSAVE_HEADER 512
#define XSAVE_EXTENDED 576
#define XSAVE_X87_SSE 0x3ull
#define XSAVE_KNOWN 0x2e7ull /* x87, SSE, AVX, AVX-512 (three), PKRU */
#define MXCSR_DEFAULT 0x1f80u
#define MXCSR_BITS 0xffffu

struct component {
	uint16_t offset, bytes;
};

/* Where each known component lies; the rest of the area is zero. The offsets are those of all
 * processors so far (CPUID leaf 0xd). */
static const struct component components[10] = {
	[2] = {576, 256}, [5] = {1088, 64}, [6] = {1152, 512}, [7] = {1664, 1024}, [9] = {2688, 8},
};

static uint64_t get_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Makes an area that loads without a fault, whatever it was, and has no stale bytes. */
static void clean_area(uint8_t *area)
{
	uint64_t present = get_u64(area + XSAVE_HEADER) & XSAVE_KNOWN;
	uint32_t mxcsr;

	memcpy(&mxcsr, area + XSAVE_MXCSR, sizeof(mxcsr));
	mxcsr &= MXCSR_BITS;
	memcpy(area + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memset(area + XSAVE_SOFTWARE, 0, XSAVE_HEADER - XSAVE_SOFTWARE);
	memset(area + XSAVE_HEADER, 0, XSAVE_EXTENDED - XSAVE_HEADER);
	memcpy(area + XSAVE_HEADER, &present, sizeof(present));
	for (unsigned i = 2; i < sizeof(components) / sizeof(components[0]); i++) {
		if (!(present & 1ull << i) && components[i].bytes)
			memset(area + components[i].offset, 0, components[i].bytes);
	}
}

static uint8_t *frame_of(const struct host_guest *guest)
{
	return guest->area + host_user.frame.fpu;
}

static void copy_out(struct hal_user *user, const uint8_t *frame)
{
	size_t bytes = host_user.frame.fpu_bytes;

	memcpy(user->fpu, frame, bytes < HAL_FPU_BYTES ? bytes : HAL_FPU_BYTES);
	clean_area(user->fpu);
}

/* Only components that this processor has: the area is that long. */
static void copy_in(uint8_t *frame, struct hal_user *user)
{
	size_t bytes = host_user.frame.fpu_bytes;
	uint64_t present;

	clean_area(user->fpu);
	present = get_u64(user->fpu + XSAVE_HEADER);
	for (unsigned i = 2; i < sizeof(components) / sizeof(components[0]); i++) {
		if ((size_t)components[i].offset + components[i].bytes > bytes)
			present &= ~(1ull << i);
	}
	memcpy(frame, user->fpu, XSAVE_SOFTWARE);
	memcpy(frame + XSAVE_HEADER, user->fpu + XSAVE_HEADER,
	       (bytes < HAL_FPU_BYTES ? bytes : HAL_FPU_BYTES) - XSAVE_HEADER);
	memcpy(frame + XSAVE_HEADER, &present, sizeof(present));
}

static struct hal_user *owner_of(struct host_guest *guest)
{
	return atomic_load_explicit(&guest->owner, memory_order_relaxed);
}

static void set_owner(struct host_guest *guest, struct hal_user *user)
{
	atomic_store_explicit(&guest->owner, user, memory_order_relaxed);
}

/* Invariant 1 no longer holds for the guest's frame; what it said is in the owner's struct. */
static void drop_locked(struct host_guest *guest)
{
	struct hal_user *owner = owner_of(guest);

	if (owner && owner->machine[HOME] == (uintptr_t)guest) {
		copy_out(owner, frame_of(guest));
		owner->machine[HOME] = 0;
	}
	set_owner(guest, NULL);
}

/* The guest in whose frame the user's state lies, or NULL. */
static struct host_guest *home_of(struct hal_user *user)
{
	struct host_guest *guest = (struct host_guest *)(uintptr_t)user->machine[HOME];

	return guest && owner_of(guest) == user ? guest : NULL;
}

void host_fpu_load(struct host_guest *guest, struct hal_user *user)
{
	struct host_guest *home;

	if (user->machine[HOME] == (uintptr_t)guest && owner_of(guest) == user)
		return;
	host_lock(&host_user.fpu_locked);
	home = home_of(user);
	if (home)
		drop_locked(home);
	drop_locked(guest);
	copy_in(frame_of(guest), user);
	user->machine[HOME] = (uintptr_t)guest;
	set_owner(guest, user);
	host_unlock(&host_user.fpu_locked);
}

void host_fpu_drop(struct host_guest *guest)
{
	host_lock(&host_user.fpu_locked);
	drop_locked(guest);
	host_unlock(&host_user.fpu_locked);
}

void host_fpu_move(struct host_guest *guest, struct hal_user *user, const uint8_t *fpu)
{
	host_lock(&host_user.fpu_locked);
	copy_out(user, fpu);
	user->machine[HOME] = 0;
	set_owner(guest, NULL);
	host_unlock(&host_user.fpu_locked);
}

void hal_user_sync(struct hal_user *user)
{
	struct host_guest *home;

	host_lock(&host_user.fpu_locked);
	home = home_of(user);
	if (home)
		drop_locked(home);
	host_unlock(&host_user.fpu_locked);
}

void hal_user_fini(struct hal_user *user)
{
	struct host_guest *home;

	host_lock(&host_user.fpu_locked);
	home = home_of(user);
	if (home)
		set_owner(home, NULL);
	user->machine[HOME] = 0;
	host_unlock(&host_user.fpu_locked);
}

void hal_user_copy(struct hal_user *copy, struct hal_user *user)
{
	hal_user_sync(user);
	*copy = *user;
	memset(copy->machine, 0, sizeof(copy->machine));
}

void hal_user_init(struct hal_user *user, vaddr_t pc, vaddr_t sp)
{
	const uint16_t x87_control = 0x37f;
	const uint32_t mxcsr = MXCSR_DEFAULT;
	const uint64_t present = XSAVE_X87_SSE;

	memset(user, 0, sizeof(*user));
	user->regs.rip = pc;
	user->regs.rsp = sp;
	user->regs.cs = 0x33;
	user->regs.ss = 0x2b;
	user->regs.rflags = 0x202;
	user->regs.orig_rax = UINT64_MAX;
	memcpy(user->fpu, &x87_control, sizeof(x87_control));
	memcpy(user->fpu + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(user->fpu + XSAVE_HEADER, &present, sizeof(present));
}
