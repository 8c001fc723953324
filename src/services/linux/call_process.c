/*
 * System calls on the process itself: its end, its identity, limits, scheduling, and facts about
 * the system.
 *
 * No state of its own.
 */
#include "services/linux/linux_priv.h"

#include "core/random.h"
#include "core/slab.h"

/* exit(2): the system call ends the thread; a process has only one. */
int64_t linux_exit(const uint64_t args[6])
{
	linux_end((int)(args[0] & 0xff) << 8);
}

/* exit_group(2) */
int64_t linux_exit_group(const uint64_t args[6])
{
	linux_end((int)(args[0] & 0xff) << 8);
}

/* set_tid_address(2) */
int64_t linux_set_tid_address(const uint64_t args[6])
{
	process_this()->clear_tid = args[0];
	return thread_this()->id;
}

#define ROBUST_LIST_BYTES 24

/* set_robust_list(2): with one thread nobody waits for what it holds when it ends. */
int64_t linux_set_robust_list(const uint64_t args[6])
{
	if (args[1] != ROBUST_LIST_BYTES)
		return -EINVAL;
	process_this()->robust_list = args[0];
	return 0;
}

/* getpid(2) */
int64_t linux_getpid(const uint64_t args[6])
{
	(void)args;
	return process_this()->id;
}

/* gettid(2) */
int64_t linux_gettid(const uint64_t args[6])
{
	(void)args;
	return thread_this()->id;
}

/* getppid(2): init is part of the kernel, so that every parent is outside, which shows as 0. */
int64_t linux_getppid(const uint64_t args[6])
{
	(void)args;
	return 0;
}

/* getuid(2) and its kin: every process is root's. */
int64_t linux_getuid(const uint64_t args[6])
{
	(void)args;
	return 0;
}

int64_t linux_geteuid(const uint64_t args[6])
{
	(void)args;
	return 0;
}

int64_t linux_getgid(const uint64_t args[6])
{
	(void)args;
	return 0;
}

int64_t linux_getegid(const uint64_t args[6])
{
	(void)args;
	return 0;
}

#define UTS_FIELD_BYTES 65

struct utsname {
	char system[UTS_FIELD_BYTES], node[UTS_FIELD_BYTES], release[UTS_FIELD_BYTES];
	char version[UTS_FIELD_BYTES], machine[UTS_FIELD_BYTES], domain[UTS_FIELD_BYTES];
};

/* uname(2). Programs ask for "Linux" and for a release that their libc knows. */
int64_t linux_uname(const uint64_t args[6])
{
	static const struct utsname names = {
		"Linux", "cloudos", "6.1.0-cloudos", "CloudOS " CLOUDOS_VERSION, HAL_ARCH_NAME,
		"(none)",
	};

	return copy_out(space_this(), args[0], &names, sizeof(names));
}

#define GRND_NONBLOCK 1u
#define GRND_RANDOM 2u
#define GRND_INSECURE 4u
#define RANDOM_CHUNK_BYTES 256u

/* getrandom(2) */
int64_t linux_getrandom(const uint64_t args[6])
{
	uint8_t buf[RANDOM_CHUNK_BYTES];
	uint64_t bytes = MIN(args[1], (uint64_t)INT32_MAX);
	uint32_t flags = (uint32_t)args[2];
	uint64_t done = 0;

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	while (done < bytes) {
		size_t part = (size_t)MIN(bytes - done, RANDOM_CHUNK_BYTES);
		int err;

		random_bytes(buf, part);
		err = copy_out(space_this(), args[0] + done, buf, part);
		if (err)
			return done ? (int64_t)done : err;
		done += part;
		if (linux_must_stop())
			break;
	}
	return (int64_t)done;
}

#define LIMIT_NONE {UINT64_MAX, UINT64_MAX}
#define LIMITS_COUNT 16

struct rlimit {
	uint64_t now, max;
};

/* By the numbers of getrlimit(2), from RLIMIT_CPU on: what the kernel really gives. */
static const struct rlimit limits[LIMITS_COUNT] = {
	LIMIT_NONE,			    /* CPU */
	LIMIT_NONE,			    /* FSIZE */
	LIMIT_NONE,			    /* DATA */
	{LINUX_STACK_BYTES, LINUX_STACK_BYTES}, /* STACK */
	{0, 0},				    /* CORE */
	LIMIT_NONE,			    /* RSS */
	{1, 1},				    /* NPROC */
	{3, 3},				    /* NOFILE */
	{0, 0},				    /* MEMLOCK */
	LIMIT_NONE,			    /* AS */
	LIMIT_NONE,			    /* LOCKS */
	{0, 0},				    /* SIGPENDING */
	{0, 0},				    /* MSGQUEUE */
	{0, 0},				    /* NICE */
	{0, 0},				    /* RTPRIO */
	LIMIT_NONE,			    /* RTTIME */
};

/* Whether `pid` names the calling process, 0 included. */
static bool is_self(uint64_t pid)
{
	return (uint32_t)pid == 0 || (uint32_t)pid == process_this()->id;
}

/* prlimit64(2): reading. The limits are facts of this kernel, nobody can change them. */
int64_t linux_prlimit64(const uint64_t args[6])
{
	uint32_t resource = (uint32_t)args[1];

	if (!is_self(args[0]))
		return -ESRCH;
	if (resource >= LIMITS_COUNT)
		return -EINVAL;
	if (args[2]) {
		struct rlimit wanted;
		int err = copy_in(space_this(), &wanted, args[2], sizeof(wanted));

		if (err)
			return err;
		if (wanted.now > wanted.max)
			return -EINVAL;
		if (memcmp(&wanted, &limits[resource], sizeof(wanted)) != 0)
			return -EPERM;
	}
	if (!args[3])
		return 0;
	return copy_out(space_this(), args[3], &limits[resource], sizeof(limits[0]));
}

/* sched_yield(2) */
int64_t linux_sched_yield(const uint64_t args[6])
{
	(void)args;
	sched_yield_now();
	return 0;
}

/* sched_getaffinity(2): the bytes of the mask that the kernel has. */
int64_t linux_sched_getaffinity(const uint64_t args[6])
{
	struct sched_params params;
	uint64_t mask;
	int err;

	if ((uint32_t)args[1] < sizeof(mask) || (uint32_t)args[1] % sizeof(mask))
		return -EINVAL;
	if (!is_self(args[0]))
		return -ESRCH;
	sched_get(thread_this(), &params);
	mask = params.affinity;
	if (hal_cpu_count() < 64)
		mask &= ((uint64_t)1 << hal_cpu_count()) - 1;
	err = copy_out(space_this(), args[2], &mask, sizeof(mask));
	return err ? err : (int64_t)sizeof(mask);
}

/* getcpu(2) */
int64_t linux_getcpu(const uint64_t args[6])
{
	const uint32_t cpu = hal_cpu_id(), node = 0;
	int err = 0;

	if (args[0])
		err = copy_out(space_this(), args[0], &cpu, sizeof(cpu));
	if (!err && args[1])
		err = copy_out(space_this(), args[1], &node, sizeof(node));
	return err;
}
