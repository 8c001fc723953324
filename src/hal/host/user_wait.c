/*
 * Handing over to a guest thread and waiting for it.
 *
 * Each side has a futex word of its own and can wait in two ways. Where the host has a CPU for
 * each, both spin for some microseconds before they sleep, which answers soonest (`spins`). Else,
 * or as soon as spinning has failed often, both sleep at once and are kept on the same CPU of the
 * host: a wake-up then is a switch and no interrupt to another CPU. Now and then spinning is tried
 * again, at growing distances as long as it fails.
 *
 * What can keep a guest thread from answering is user code's own doing: a wait that has lasted long
 * looks whether the stub lives and whether its words were overwritten, stops it again, and at last
 * ends the stub.
 */
#include "hal/host/host_user.h"

#include "hal/host/host_priv.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 50
#define WAITS_UNANSWERED_MAX 200 /* 10 s in which user code does not let itself be stopped */
#define LUCK_MAX 24		 /* spins that fail more often than they succeed */
#define LUCK_AT_TRIAL 6
#define TRIAL_GAP_MIN 256 /* runs until spinning is tried again */
#define TRIAL_GAP_MAX 16384

static void keep_on(struct host_space *space, struct host_guest *guest, int host_cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	if (host_cpu >= 0)
		CPU_SET(host_cpu, &one);
	else
		one = host_user.host_cpus;
	sched_setaffinity(guest->tid, sizeof(one), &one);
	sched_setaffinity(space->pid, sizeof(one), &one);
	guest->host_cpu = host_cpu;
}

static void set_spinning(struct host_space *space, struct host_guest *guest, bool spins)
{
	guest->spins = spins;
	__atomic_store_n((uint32_t *)(space->window + REQUEST_SPIN), spins ? host_user.spin : 0,
			 __ATOMIC_RELAXED);
	if (spins) {
		guest->luck = LUCK_AT_TRIAL;
		keep_on(space, guest, -1);
	} else {
		if (guest->trial_gap < TRIAL_GAP_MAX)
			guest->trial_gap = guest->trial_gap ? guest->trial_gap * 2 : TRIAL_GAP_MIN;
		guest->until_trial = guest->trial_gap;
	}
}

/* Chooses how this run is waited for. */
static void choose_wait(struct host_space *space, struct host_guest *guest)
{
	int here;

	if (guest->spins)
		return;
	if (host_user.spin && guest->until_trial-- == 0) {
		set_spinning(space, guest, true);
		return;
	}
	here = sched_getcpu();
	if (here >= 0 && here != guest->host_cpu)
		keep_on(space, guest, here);
}

static void note_spin(struct host_space *space, struct host_guest *guest, bool good)
{
	if (good) {
		guest->trial_gap = 0;
		if (guest->luck < LUCK_MAX)
			guest->luck++;
	} else if (guest->luck-- == 0) {
		set_spinning(space, guest, false);
	}
}

static void wake_guest(struct host_exchange *exchange)
{
	syscall(SYS_futex, &exchange->go, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool host_guest_post(struct host_space *space, struct host_guest *guest, unsigned cpu)
{
	struct host_exchange *exchange = host_exchange_of(guest);
	int err;

	choose_wait(space, guest);
	err = host_space_flush_and_run(space, host_area_address(cpu), ++guest->runs);
	if (err != -EAGAIN)
		return !err;
	atomic_store(&exchange->go, guest->runs);
	if (atomic_load(&exchange->asleep))
		wake_guest(exchange);
	return true;
}

static void end_stub(struct host_space *space)
{
	kill(space->pid, SIGKILL);
	atomic_store(&space->dead, true);
}

/* Whether user code has overwritten the words by which a run begins and ends. */
static bool is_forged(struct host_guest *guest)
{
	struct host_exchange *exchange = host_exchange_of(guest);
	uint32_t done = atomic_load(&exchange->done);

	return atomic_load(&exchange->go) != guest->runs ||
	       (done != guest->runs && done != guest->runs - 1);
}

/* A wait has lasted long. False: the stub is dead. */
static bool look_after(struct host_space *space, struct host_guest *guest, unsigned *unanswered)
{
	struct host_cpu *cpu = host_cpu_this();

	if (host_space_check(space))
		return false;
	if (!host_space_busy(space) && is_forged(guest)) {
		end_stub(space);
		return false;
	}
	wake_guest(host_exchange_of(guest));
	if (!cpu || !host_irq_pending(cpu))
		return true;
	host_user_kick(cpu);
	if (++*unanswered < WAITS_UNANSWERED_MAX)
		return true;
	end_stub(space);
	return false;
}

static bool spin_for_done(struct host_space *space, struct host_guest *guest)
{
	struct host_exchange *exchange = host_exchange_of(guest);

	for (uint32_t i = 0; i < host_user.spin; i++) {
		if (atomic_load_explicit(&exchange->done, memory_order_acquire) == guest->runs) {
			note_spin(space, guest, true);
			return true;
		}
		__builtin_ia32_pause();
	}
	note_spin(space, guest, false);
	return false;
}

bool host_guest_wait(struct host_space *space, struct host_guest *guest)
{
	struct host_exchange *exchange = host_exchange_of(guest);
	const struct timespec timeout = {0, WAIT_MS * 1000000};
	unsigned unanswered = 0;

	if (guest->spins && spin_for_done(space, guest))
		return true;
	for (;;) {
		uint32_t done;

		atomic_store(&exchange->waiting, 1);
		done = atomic_load(&exchange->done);
		if (done == guest->runs)
			break;
		if (syscall(SYS_futex, &exchange->done, FUTEX_WAIT, done, &timeout, NULL, 0) &&
		    errno == ETIMEDOUT && !look_after(space, guest, &unanswered))
			return false;
	}
	atomic_store_explicit(&exchange->waiting, 0, memory_order_relaxed);
	return true;
}
