/*
 * Running user code on the host: what zygote.c, mmu.c, user.c and user_fpu.c share.
 *
 *	zygote.c	the zygote, stub processes and their ends
 *	mmu.c		struct host_space: what is mapped, and requests to the helper
 *	user.c		a run of user code: registers in, event out
 *	user_wait.c	handing over and waiting
 *	user_fpu.c	whose FPU state lies in which signal frame
 *	user_trap.c	instructions that seeded mode answers itself
 */
#ifndef HAL_HOST_HOST_USER_H
#define HAL_HOST_HOST_USER_H

#include "hal/hal.h"
#include "hal/host/stub.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/types.h>

#define HOST_SPACES_MAX 32768

/* A request to the helper: a system call, laid out as the stub reads it. */
struct host_request {
	uint64_t number;
	uint64_t args[6];
};

_Static_assert(sizeof(struct host_request) == REQUEST_ENTRY_BYTES, "as the stub reads it");
_Static_assert(REQUEST_ENTRIES + REQUEST_ENTRIES_MAX * REQUEST_ENTRY_BYTES <= STUB_REQUEST_BYTES,
	       "the request page holds a batch");

/* The words of an exchange area. Written by user code too, whenever it likes. */
struct host_exchange {
	_Atomic uint32_t go, asleep, kick, tid;
	uint32_t pad0[12];
	_Atomic uint32_t done, waiting;
	uint32_t pad1[14];
	_Atomic uint32_t kind;
	uint32_t pad2;
	_Atomic uint64_t ucontext;
	uint64_t fs_base, gs_base;
	uint16_t segments[4];
	uint64_t pad3[3];
	uint64_t load_fs, load_gs;
	uint16_t load_segments[4];
	uint32_t load_what, pad4;
	uint64_t load_fpu;
};

_Static_assert(offsetof(struct host_exchange, done) == EXCHANGE_DONE, "as the stub reads it");
_Static_assert(offsetof(struct host_exchange, ucontext) == EXCHANGE_UCONTEXT, "as above");
_Static_assert(offsetof(struct host_exchange, fs_base) == EXCHANGE_FS_BASE, "as above");
_Static_assert(offsetof(struct host_exchange, load_fs) == EXCHANGE_LOAD_FS, "as above");
_Static_assert(offsetof(struct host_exchange, load_what) == EXCHANGE_LOAD_WHAT, "as above");
_Static_assert(offsetof(struct host_exchange, load_fpu) == EXCHANGE_LOAD_FPU, "as above");

/* The guest thread of one CPU in one space. CPU's own, but for what user_fpu.c guards. */
struct host_guest {
	uint8_t *area; /* its exchange area in this process. Set once */
	pid_t pid;     /* Set once */
	pid_t tid;     /* 0: not yet made */
	uint32_t runs; /* the value of GO */
	bool spins;    /* both sides wait by spinning first; see user_wait.c, as the next three */
	int luck;
	unsigned until_trial, trial_gap;
	int host_cpu; /* that it and the helper are kept on; -1: on none */
	uint16_t segments[4];		  /* selectors that it has loaded */
	_Atomic(struct hal_user *) owner; /* whose FPU state is in its frame; fpu lock */
};

struct host_space {
	_Atomic bool locked;
	_Atomic bool dead; /* the stub has come to its end; it is reaped in host_space_end() */
	pid_t pid;	   /* Set once */
	int done_fd;	   /* eventfd by which the helper reports. Set once */
	unsigned slot;	   /* in the exchange file. Set once */
	uint8_t *window;   /* the slot: request page, exchange areas. Set once */
	_Atomic uint64_t posted;   /* batches. Changed under locked */
	_Atomic uint64_t finished; /* batches that the helper has reported */
	/* Guarded by locked, as all below. */
	_Atomic unsigned count; /* requests queued; own CPU may look without the lock */
	struct host_request queue[REQUEST_ENTRIES_MAX];
	unsigned fragments; /* at most so many mappings has the stub */
	void *table;	    /* what is mapped: see mmu.c */
	struct host_guest guests[];
};

static inline struct host_exchange *host_exchange_of(const struct host_guest *guest)
{
	return (struct host_exchange *)guest->area;
}

/* The area of a CPU as the stub sees it. */
static inline uint64_t host_area_address(unsigned cpu)
{
	return STUB_EXCHANGE + cpu * (uint64_t)STUB_EXCHANGE_BYTES;
}

/* Offsets in an exchange area of the frame that a signal makes while user code is not on the
 * alternate stack. Learnt from the first stub, the same for all. */
struct host_frame {
	uint32_t ucontext;
	uint32_t fpu;
	uint32_t fpu_bytes; /* of the XSAVE area */
};

struct host_user {
	struct host_frame frame; /* Set once */
	int zygote_socket;	 /* Set once; as the next two. -1: no zygote */
	int exchange_fd;
	pid_t zygote_pid;
	size_t slot_bytes;
	uint32_t spin;	     /* rounds of PAUSE before a sleep; 0: never */
	cpu_set_t host_cpus; /* that this process may use */
	uint32_t trap_flags; /* STUB_TRAP_* */
	_Atomic bool fpu_locked;
	_Atomic bool spawn_locked;
	uint64_t slots[HOST_SPACES_MAX / 64]; /* used ones. Guarded by spawn_locked */
	struct host_space *ready[4];	      /* made ahead. Guarded by spawn_locked */
	unsigned ready_count;
	_Atomic uint32_t spaces; /* that live */
};

extern struct host_user host_user;

/* Locks of the parts: held for a short time by threads of which each has a CPU of the host. */
void host_lock(_Atomic bool *lock);
void host_unlock(_Atomic bool *lock);

/* ---- zygote.c ---- */

/* A stub with an empty space, and its end. NULL: no process, memory or slot is to be had. */
struct host_space *host_space_begin(void);
void host_space_end(struct host_space *space);

/* Whether the stub has ended by itself; asks Linux. */
bool host_space_check(struct host_space *space);

/* ---- mmu.c ---- */

/* Posts what is queued and waits until the helper has done it. False: the stub is dead. */
bool host_space_flush_locked(struct host_space *space);

/*
 * Posts what is queued, after which the helper begins run `run` in the exchange area at `area`, an
 * address of the stub's. Does not wait for it. 0; -EAGAIN: nothing was queued, the caller begins
 * the run itself; -EIO: the stub is dead.
 */
int host_space_flush_and_run(struct host_space *space, uint64_t area, uint32_t run);

/* Whether the helper has not yet reported all batches. Without the lock. */
bool host_space_busy(struct host_space *space);

/* The physical address of a mapped page, HAL_PROT_* in the low bits; 0 if there is none. */
uint64_t host_space_lookup(struct host_space *space, vaddr_t addr);
void host_table_free(void *table);

/* Queues a request, with the lock held; false when the stub died in a flush that it took. */
bool host_space_request_locked(struct host_space *space, const struct host_request *request);

/* ---- user.c ---- */

/* Makes the guest thread of `cpu`. False: the stub is dead. */
bool host_guest_begin(struct host_space *space, unsigned cpu);

/* ---- user_wait.c ---- */

/* Begins a run of the guest, after what is queued for the helper. False: the stub is dead. */
bool host_guest_post(struct host_space *space, struct host_guest *guest, unsigned cpu);

/* Waits for the end of the run. False: the stub is dead. */
bool host_guest_wait(struct host_space *space, struct host_guest *guest);

/* ---- user_fpu.c ---- */

/* Brings the FPU state of `user` into the guest's frame, saving what is there. */
void host_fpu_load(struct host_guest *guest, struct hal_user *user);
/* Saves what is in the guest's frame to its owner, who then is none. */
void host_fpu_drop(struct host_guest *guest);
/* The signal frame moved: its FPU state is at another place of the area. */
void host_fpu_move(struct host_guest *guest, struct hal_user *user, const uint8_t *fpu);

/* ---- user_trap.c ---- */

/* Answers rdtsc, rdtscp and cpuid in seeded mode. True if it was one of them. */
bool host_user_emulate(struct host_space *space, struct hal_user *user);

#endif
