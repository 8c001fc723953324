/*
 * System calls on time: reading clocks, sleeping.
 *
 * No state. hal_time_ns() is the monotonic clock, core/timer.c keeps the wall clock.
 */
#include "services/linux/linux_priv.h"

#include "core/timer.h"
#include "services/linux/call_priv.h"

#define CLOCK_PROCESS 2
#define CLOCK_THREAD 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define TIMER_ABSTIME 1u
#define COARSE_NS 1000000u
#define NS_PER_SECOND 1000000000ull

struct timeval {
	int64_t seconds, microseconds;
};

struct timezone {
	int32_t minutes_west, dst;
};

/* User and kernel time of the task so far. */
static uint64_t cpu_time_ns(void)
{
	struct account sum;

	task_account(task_this(), &sum);
	return sum.user_ns + sum.kernel_ns;
}

/* 0, or -EINVAL for a clock that is not known. */
static int read_clock(uint64_t clock, uint64_t *ns)
{
	switch ((uint32_t)clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = clock_realtime_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = hal_time_ns();
		return 0;
	case CLOCK_PROCESS:
	case CLOCK_THREAD:
		*ns = cpu_time_ns();
		return 0;
	default:
		return -EINVAL;
	}
}

static int copy_out_time(vaddr_t to, uint64_t ns)
{
	const struct linux_timespec time = {(int64_t)(ns / NS_PER_SECOND),
					    (int64_t)(ns % NS_PER_SECOND)};

	return copy_out(space_this(), to, &time, sizeof(time));
}

int linux_copy_in_time(vaddr_t from, uint64_t *ns)
{
	struct linux_timespec time;
	int err = copy_in(space_this(), &time, from, sizeof(time));

	if (err)
		return err;
	if (time.seconds < 0 || time.nanoseconds < 0 ||
	    time.nanoseconds >= (int64_t)NS_PER_SECOND)
		return -EINVAL;
	if ((uint64_t)time.seconds >= HAL_TIME_NEVER / NS_PER_SECOND)
		*ns = HAL_TIME_NEVER;
	else
		*ns = (uint64_t)time.seconds * NS_PER_SECOND + (uint64_t)time.nanoseconds;
	return 0;
}

uint64_t linux_deadline(unsigned clock, uint64_t ns, bool absolute)
{
	uint64_t now = hal_time_ns();
	uint64_t shown = now;

	if (absolute && clock == CLOCK_REALTIME)
		shown = clock_realtime_ns();
	if (absolute)
		ns = ns > shown ? ns - shown : 0;
	return ns >= HAL_TIME_NEVER - now ? HAL_TIME_NEVER : now + ns;
}

/* clock_gettime(2) */
int64_t linux_clock_gettime(const uint64_t args[6])
{
	uint64_t ns;
	int err = read_clock(args[0], &ns);

	return err ? err : copy_out_time(args[1], ns);
}

/* clock_getres(2) */
int64_t linux_clock_getres(const uint64_t args[6])
{
	uint32_t clock = (uint32_t)args[0];
	bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
	uint64_t ns;
	int err = read_clock(args[0], &ns);

	if (err || !args[1])
		return err;
	return copy_out_time(args[1], coarse ? COARSE_NS : 1);
}

/* gettimeofday(2) */
int64_t linux_gettimeofday(const uint64_t args[6])
{
	static const struct timezone utc;
	uint64_t ns = clock_realtime_ns();
	const struct timeval time = {(int64_t)(ns / NS_PER_SECOND),
				     (int64_t)(ns % NS_PER_SECOND / 1000)};
	int err = 0;

	if (args[0])
		err = copy_out(space_this(), args[0], &time, sizeof(time));
	if (!err && args[1])
		err = copy_out(space_this(), args[1], &utc, sizeof(utc));
	return err;
}

/* time(2); ARM64 has no such call. */
int64_t linux_time(const uint64_t args[6])
{
	int64_t seconds = (int64_t)(clock_realtime_ns() / NS_PER_SECOND);
	int err = args[0] ? copy_out(space_this(), args[0], &seconds, sizeof(seconds)) : 0;

	return err ? err : seconds;
}

/* Sleeps until `deadline`; for a relative sleep that is cut short, what was left goes to `left`. */
static int64_t sleep_until(uint64_t deadline_ns, vaddr_t left)
{
	struct wait_queue queue;
	uint64_t now;
	int err;

	wait_queue_init(&queue, "sleep");
	WAIT_UNTIL(err, &queue, deadline_ns, WAIT_INTERRUPTIBLE, false);
	if (err == -ETIMEDOUT)
		return 0;
	now = hal_time_ns();
	if (err == -EINTR && left &&
	    copy_out_time(left, deadline_ns > now ? deadline_ns - now : 0))
		return -EFAULT;
	return err;
}

/* nanosleep(2) */
int64_t linux_nanosleep(const uint64_t args[6])
{
	uint64_t ns;
	int err = linux_copy_in_time(args[0], &ns);

	return err ? err : sleep_until(linux_deadline(CLOCK_MONOTONIC, ns, false), args[1]);
}

/* clock_nanosleep(2) on the wall clock, the monotonic clock and the time since boot. */
int64_t linux_clock_nanosleep(const uint64_t args[6])
{
	bool absolute = args[1] & TIMER_ABSTIME;
	uint32_t clock = (uint32_t)args[0];
	uint64_t ns;
	int err;

	if (clock == CLOCK_PROCESS || clock == CLOCK_MONOTONIC_RAW ||
	    clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EINVAL;
	err = linux_copy_in_time(args[2], &ns);
	if (err)
		return err;
	return sleep_until(linux_deadline(clock, ns, absolute),
			   absolute ? 0 : args[3]);
}
