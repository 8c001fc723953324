/*
 * The zygote and stub processes: how they come to be, and how they end.
 *
 * The zygote is the stub's ELF file, which lies in this program as bytes, started from a sealed
 * memfd by a fork before this process has threads. A stub is asked for by a message with a slot of
 * the exchange file and an eventfd, and is a child of this process. One is made ahead, so that
 * the kernel seldom waits for a fork of Linux. A stub that was used is never used again: its
 * guest threads may do anything, and nothing proves that they have stopped but their end.
 *
 * Locks: spawn_locked for slots, the ready ones and the socket.
 */
#include "hal/host/host_user.h"

#include "hal/host/host_priv.h"
#include "hal/host/stub_message.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_TARGET 1 /* stubs made ahead */
#define HWCAP2_FSGSBASE_BIT 2

extern const uint8_t host_stub_image[], host_stub_image_end[];

struct host_user host_user = {.zygote_socket = -1, .exchange_fd = -1};

void host_lock(_Atomic bool *lock)
{
	unsigned rounds = 0;

	while (atomic_exchange_explicit(lock, true, memory_order_acquire)) {
		if (++rounds % 64 == 0)
			sched_yield();
		__builtin_ia32_pause();
	}
}

void host_unlock(_Atomic bool *lock)
{
	atomic_store_explicit(lock, false, memory_order_release);
}

/* In the forked child: descriptors at the numbers that the stub knows, then the stub's file. */
static HAL_NORETURN void exec_zygote(int image, int socket, int exchange_read)
{
	char path[32];
	char *const none[] = {NULL};
	const int from[] = {host.mem_fd, host_user.exchange_fd, exchange_read, socket, image};
	int high[5];

	for (int i = 0; i < 5; i++) {
		high[i] = fcntl(from[i], F_DUPFD, 64);
		if (high[i] < 0)
			_exit(1);
	}
	for (int i = 0; i < 4; i++) {
		if (dup2(high[i], STUB_FD_MEMORY + i) < 0)
			_exit(1);
	}
	if (fcntl(high[4], F_SETFD, FD_CLOEXEC) ||
	    syscall(SYS_close_range, STUB_FD_SOCKET + 1, high[4] - 1, 0) ||
	    syscall(SYS_close_range, high[4] + 1, ~0u, 0))
		_exit(1);
	close(0);
	close(1);
	close(2);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Without chance in it: nothing of Linux's may lie where the stub's window is. */
	personality(ADDR_NO_RANDOMIZE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", high[4]);
	execve(path, none, none);
	_exit(1);
}

/* A sealed memfd with the stub's ELF file. */
static int make_image(void)
{
	size_t bytes = (size_t)(host_stub_image_end - host_stub_image);
	int fd = memfd_create("cloudos-stub", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (write(fd, host_stub_image, bytes) != (ssize_t)bytes ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

/* The file of exchange areas, writable, and a descriptor that can only read it. */
static int make_exchange(int *read_only)
{
	char path[32];

	host_user.slot_bytes = HAL_PAGE_SIZE + host.cpu_count * (size_t)STUB_EXCHANGE_BYTES;
	host_user.exchange_fd = memfd_create("cloudos-exchange", MFD_CLOEXEC);
	if (host_user.exchange_fd < 0 ||
	    ftruncate(host_user.exchange_fd, (off_t)(host_user.slot_bytes * HOST_SPACES_MAX)))
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", host_user.exchange_fd);
	*read_only = open(path, O_RDONLY | O_CLOEXEC);
	return *read_only < 0 ? -errno : 0;
}

static int start_zygote(void)
{
	int image = -1, read_only = -1, sockets[2] = {-1, -1};
	int err = make_exchange(&read_only);

	if (!err) {
		image = make_image();
		err = image < 0 ? image : 0;
	}
	if (!err && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		err = -errno;
	if (!err) {
		host_user.zygote_pid = fork();
		if (host_user.zygote_pid < 0)
			err = -errno;
		else if (host_user.zygote_pid == 0)
			exec_zygote(image, sockets[1], read_only);
	}
	if (image >= 0)
		close(image);
	if (read_only >= 0)
		close(read_only);
	if (sockets[1] >= 0)
		close(sockets[1]);
	host_user.zygote_socket = sockets[0];
	return err;
}

/* Rounds of PAUSE that last about 4 us, or 0 where nobody else could run meanwhile. */
static uint32_t measure_spin(void)
{
	uint64_t start, ns;

	if (sched_getaffinity(0, sizeof(host_user.host_cpus), &host_user.host_cpus) ||
	    CPU_COUNT(&host_user.host_cpus) < 2 * (int)host.cpu_count || host.options->pin)
		return 0;
	start = host_clock_monotonic_ns();
	for (int i = 0; i < 2000; i++)
		__builtin_ia32_pause();
	ns = host_clock_monotonic_ns() - start;
	return ns < 1000 ? 0 : (uint32_t)(2000ull * 4000 / ns);
}

/* Makes a first stub, which shows that all works and how a signal frame looks here. */
static int try_stub(void)
{
	struct host_space *space = host_space_begin();

	if (!space)
		return -EAGAIN;
	if (!host_guest_begin(space, 0)) {
		host_space_end(space);
		return -EIO;
	}
	host_space_end(space);
	return 0;
}

int host_user_start(void)
{
	int err;

	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT)) {
		fprintf(stderr, "cloudos-sim: user code needs the processor's FSGSBASE "
				"instructions, enabled by Linux 5.9 or later\n");
		return -ENODEV;
	}
	if (host.seeded) {
		host_user.trap_flags = STUB_TRAP_TSC;
		if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1) == 0)
			host_user.trap_flags |= STUB_TRAP_CPUID;
		else if (host.options->verbose)
			fprintf(stderr, "cloudos-sim: this processor cannot trap cpuid: programs "
					"see what it is, and repeat exactly only on its like\n");
	}
	err = start_zygote();
	if (err) {
		fprintf(stderr, "cloudos-sim: cannot start the process that user code runs in: "
				"%s\n", strerror(-err));
		return err;
	}
	host_user.spin = measure_spin();
	err = try_stub();
	if (err) {
		fprintf(stderr, "cloudos-sim: the first process for user code failed: %s; is a "
				"seccomp or memory limit in the way?\n", strerror(-err));
		host_user_stop();
	}
	return err;
}

void host_user_stop(void)
{
	if (host_user.zygote_pid > 0)
		kill(host_user.zygote_pid, SIGKILL);
	/* The stubs die with this process: PR_SET_PDEATHSIG. */
}

/* Asks for a stub; its answer is read later. */
static bool ask_zygote(const struct host_space *space)
{
	struct stub_message message = {
		.offset = space->slot * host_user.slot_bytes,
		.cpus = host.cpu_count,
		.flags = host_user.trap_flags,
		.parent = getpid(),
	};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {&message, sizeof(message)};
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *part = CMSG_FIRSTHDR(&header);

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &space->done_fd, sizeof(int));
	return sendmsg(host_user.zygote_socket, &header, MSG_NOSIGNAL) == sizeof(message);
}

static bool read_answer(struct host_space *space)
{
	struct stub_answer answer;
	ssize_t got;

	do
		got = recv(host_user.zygote_socket, &answer, sizeof(answer), 0);
	while (got < 0 && errno == EINTR);
	if (got != sizeof(answer) || answer.pid <= 0)
		return false;
	space->pid = answer.pid;
	for (unsigned cpu = 0; cpu < host.cpu_count; cpu++)
		space->guests[cpu].pid = answer.pid;
	return true;
}

static bool take_slot(unsigned *slot)
{
	for (unsigned i = 0; i < HOST_SPACES_MAX / 64; i++) {
		if (~host_user.slots[i]) {
			unsigned bit = (unsigned)__builtin_ctzll(~host_user.slots[i]);

			host_user.slots[i] |= 1ull << bit;
			*slot = i * 64 + bit;
			return true;
		}
	}
	return false;
}

/* Forgets a space whose process is gone or never was. The slot's bytes go with it: they held
 * registers of user code that the next one must not see. */
static void free_space(struct host_space *space)
{
	if (space->window) {
		munmap(space->window, host_user.slot_bytes);
		(void)fallocate(host_user.exchange_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)(space->slot * host_user.slot_bytes),
				(off_t)host_user.slot_bytes);
	}
	if (space->done_fd >= 0)
		close(space->done_fd);
	host_user.slots[space->slot / 64] &= ~(1ull << space->slot % 64);
	free(space);
}

/* A space for which the zygote was asked; spawn_locked is held. */
static struct host_space *ask_space(void)
{
	struct host_space *space =
		calloc(1, sizeof(*space) + host.cpu_count * sizeof(space->guests[0]));

	if (!space)
		return NULL;
	if (!take_slot(&space->slot)) {
		free(space);
		return NULL;
	}
	space->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	space->window = mmap(NULL, host_user.slot_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			     host_user.exchange_fd, (off_t)(space->slot * host_user.slot_bytes));
	if (space->window == MAP_FAILED)
		space->window = NULL;
	if (space->done_fd < 0 || !space->window)
		goto refuse;
	*(uint64_t *)(space->window + REQUEST_ONE) = 1;
	for (unsigned cpu = 0; cpu < host.cpu_count; cpu++) {
		space->guests[cpu].area =
			space->window + HAL_PAGE_SIZE + cpu * (size_t)STUB_EXCHANGE_BYTES;
		space->guests[cpu].host_cpu = -1;
	}
	if (!ask_zygote(space))
		goto refuse;
	return space;
refuse:
	free_space(space);
	return NULL;
}

struct host_space *host_space_begin(void)
{
	struct host_space *space;

	host_lock(&host_user.spawn_locked);
	if (host_user.ready_count)
		space = host_user.ready[--host_user.ready_count];
	else
		space = ask_space();
	if (space && !read_answer(space)) {
		free_space(space);
		space = NULL;
	}
	if (space && host_user.ready_count < READY_TARGET) {
		host_user.ready[host_user.ready_count] = ask_space();
		if (host_user.ready[host_user.ready_count])
			host_user.ready_count++;
	}
	host_unlock(&host_user.spawn_locked);
	if (space)
		atomic_fetch_add(&host_user.spaces, 1);
	return space;
}

void host_space_end(struct host_space *space)
{
	kill(space->pid, SIGKILL);
	while (waitpid(space->pid, NULL, 0) < 0 && errno == EINTR)
		;
	host_lock(&host_user.spawn_locked);
	free_space(space);
	host_unlock(&host_user.spawn_locked);
	atomic_fetch_sub(&host_user.spaces, 1);
}

bool host_space_check(struct host_space *space)
{
	siginfo_t info = {0};

	/* Left to be reaped, so that its number stays its own. */
	if (waitid(P_PID, (id_t)space->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
		atomic_store(&space->dead, true);
	return atomic_load(&space->dead);
}
