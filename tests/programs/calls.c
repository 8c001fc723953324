/*
 * The other system calls: what they give, and the errors of wrong use.
 */
#define _GNU_SOURCE
#include "programs/expect.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* <linux/futex.h>, which musl does not bring. */
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define FUTEX_WAIT_BITSET_PRIVATE 137

static void *const bad = (void *)(uintptr_t)0x1000;

static void check_descriptors(void)
{
	char first[] = "two ", second[] = "parts\n";
	const struct iovec vector[2] = {{first, 4}, {second, 6}};
	const struct iovec broken[1] = {{bad, 1}};
	struct stat st;

	EXPECT(writev(1, vector, 2) == 10);
	EXPECT(write(1, "", 0) == 0);
	EXPECT_ERROR(writev(1, broken, 1), EFAULT);
	EXPECT_ERROR(syscall(SYS_writev, 1, vector, -1L), EINVAL);
	EXPECT_ERROR(write(77, "x", 1), EBADF);
	EXPECT_ERROR(write(-1, "x", 1), EBADF);
	EXPECT_ERROR(read(77, &st, 1), EBADF);
	EXPECT_ERROR(write(1, bad, 1), EFAULT);
	EXPECT(fstat(1, &st) == 0 && st.st_size == 0);
	EXPECT(S_ISFIFO(st.st_mode));
	EXPECT_ERROR(fstat(77, &st), EBADF);
	EXPECT_ERROR(stat("/does/not/exist", &st), ENOENT);
	EXPECT_ERROR(ioctl(1, TIOCGWINSZ, &st), ENOTTY);
	EXPECT_ERROR(ioctl(77, TIOCGWINSZ, &st), EBADF);
	EXPECT(!isatty(1));
	EXPECT(close(0) == 0);
	EXPECT_ERROR(close(0), EBADF);
	EXPECT_ERROR(read(0, &st, 1), EBADF);
}

static void check_clocks(void)
{
	struct timespec a, b;
	struct timeval tv;

	EXPECT(clock_gettime(CLOCK_MONOTONIC, &a) == 0 && a.tv_nsec < 1000000000);
	EXPECT(clock_gettime(CLOCK_MONOTONIC_RAW, &b) == 0);
	EXPECT(clock_gettime(CLOCK_BOOTTIME, &b) == 0);
	EXPECT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b) == 0);
	EXPECT(clock_gettime(CLOCK_REALTIME, &a) == 0 && gettimeofday(&tv, NULL) == 0);
	EXPECT(tv.tv_sec >= a.tv_sec && tv.tv_sec <= a.tv_sec + 5);
	EXPECT(time(NULL) >= tv.tv_sec);
	EXPECT(clock_getres(CLOCK_MONOTONIC, &a) == 0 && a.tv_sec == 0 && a.tv_nsec >= 1);
	EXPECT(clock_getres(CLOCK_MONOTONIC, NULL) == 0);
	EXPECT_ERROR(syscall(SYS_clock_gettime, 99, &a), EINVAL);
	EXPECT_ERROR(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad), EFAULT);
}

static void check_sleeps(void)
{
	struct timespec before, after, pause = {0, 2000000};

	clock_gettime(CLOCK_MONOTONIC, &before);
	EXPECT(clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	EXPECT((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec >=
	       2000000);
	EXPECT(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &before, NULL) == 0);
	EXPECT(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &before, NULL) == 0);
	pause.tv_nsec = 1000000000;
	EXPECT_ERROR(nanosleep(&pause, NULL), EINVAL);
	pause.tv_nsec = -1;
	EXPECT_ERROR(nanosleep(&pause, NULL), EINVAL);
	EXPECT_ERROR(syscall(SYS_nanosleep, bad, NULL), EFAULT);
	EXPECT(clock_nanosleep(99, 0, &before, NULL) == EINVAL);
}

static void check_identity(void)
{
	struct utsname names;
	char path[256];

	EXPECT(getpid() > 0 && getpid() == syscall(SYS_gettid));
	EXPECT(uname(&names) == 0 && strcmp(names.sysname, "Linux") == 0 && names.machine[0]);
	EXPECT_ERROR(syscall(SYS_uname, bad), EFAULT);
	EXPECT(readlink("/proc/self/exe", path, sizeof(path)) > 0 && path[0] == '/');
	EXPECT(readlink("/proc/self/exe", path, 3) == 3);
	EXPECT_ERROR(readlink("/does/not/exist", path, sizeof(path)), ENOENT);
	EXPECT_ERROR(syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, 0), EINVAL);
}

static void check_limits(void)
{
	struct rlimit limit = {2, 1};
	unsigned long mask[16];

	EXPECT(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 1u << 20);
	EXPECT_ERROR(syscall(SYS_prlimit64, 0, 99, NULL, NULL), EINVAL);
	limit.rlim_cur = 2;
	limit.rlim_max = 1;
	EXPECT_ERROR(syscall(SYS_prlimit64, 0, RLIMIT_STACK, &limit, NULL), EINVAL);
	EXPECT(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) >= 8 && mask[0]);
	EXPECT_ERROR(syscall(SYS_sched_getaffinity, 0, 0, mask), EINVAL);
	EXPECT(sched_yield() == 0);
}

/* What the kernel takes as an int or unsigned int is cut to that, whatever the rest holds. */
static void check_high_bits(void)
{
	const unsigned long high = 1ul << 32;
	struct rlimit limit;
	struct timespec now;
	char text[1] = {0};

	EXPECT(syscall(SYS_prlimit64, 0, high | RLIMIT_STACK, NULL, &limit) == 0);
	EXPECT(limit.rlim_cur >= 1u << 20);
	EXPECT(syscall(SYS_write, high | 1, text, 0) == 0);
	EXPECT(syscall(SYS_clock_gettime, high | CLOCK_MONOTONIC, &now) == 0);
	EXPECT(syscall(SYS_getrandom, text, 1, high) == 1);
	EXPECT(syscall(SYS_close, high | 2) == 0);
	EXPECT_ERROR(close(2), EBADF);
}

static void check_random(void)
{
	unsigned char a[600], b[600];

	EXPECT(getrandom(a, sizeof(a), 0) == sizeof(a));
	EXPECT(getrandom(b, sizeof(b), GRND_NONBLOCK) == sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)) != 0);
	EXPECT_ERROR(getrandom(a, 1, 0x100), EINVAL);
	EXPECT_ERROR(syscall(SYS_getrandom, bad, 1, 0), EFAULT);
}

static void check_signals(void)
{
	struct sigaction action, old;
	sigset_t set, was;

	memset(&action, 0, sizeof(action));
	action.sa_handler = SIG_IGN;
	EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	EXPECT(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_IGN);
	EXPECT(raise(SIGUSR1) == 0);
	EXPECT(kill(getpid(), SIGCHLD) == 0);
	EXPECT(kill(getpid(), 0) == 0);
	EXPECT_ERROR(sigaction(SIGKILL, &action, NULL), EINVAL);
	EXPECT_ERROR(kill(getpid(), 65), EINVAL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	EXPECT(sigprocmask(SIG_BLOCK, &set, &was) == 0 && !sigismember(&was, SIGUSR2));
	EXPECT(sigprocmask(SIG_SETMASK, &was, &set) == 0 && sigismember(&set, SIGUSR2));
	EXPECT_ERROR(syscall(SYS_rt_sigprocmask, 7, &set, NULL, 8), EINVAL);
	EXPECT_ERROR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
}

static void check_futex(void)
{
	const struct timespec soon = {0, 1000000};
	uint32_t word = 5;

	EXPECT_ERROR(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 4, NULL), EAGAIN);
	EXPECT_ERROR(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, &soon), ETIMEDOUT);
	EXPECT_ERROR(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 5, NULL, NULL, 0),
		     EINVAL);
	EXPECT(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1) == 0);
	EXPECT_ERROR(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT_PRIVATE, 5, NULL), EINVAL);
	EXPECT_ERROR(syscall(SYS_futex, bad, FUTEX_WAIT_PRIVATE, 5, NULL), EFAULT);
}

int main(void)
{
	check_descriptors();
	check_clocks();
	check_sleeps();
	check_identity();
	check_limits();
	check_random();
	check_signals();
	check_futex();
	check_high_bits();
	EXPECT_ERROR(syscall(1000), ENOSYS);
	return expect_status();
}
