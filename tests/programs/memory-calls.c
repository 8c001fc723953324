/*
 * brk, mmap, munmap, mprotect and madvise: what they give, and the errors of wrong use.
 */
#include "programs/expect.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096u
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(void *addr, size_t bytes, int prot, int flags)
{
	return mmap(addr, bytes, prot, flags, -1, 0);
}

static void check_brk(void)
{
	uintptr_t start = (uintptr_t)syscall(SYS_brk, 0);
	uintptr_t grown = (uintptr_t)syscall(SYS_brk, start + 3 * PAGE + 5);

	EXPECT(grown == start + 3 * PAGE + 5);
	EXPECT(*(char *)(start + 2 * PAGE) == 0);
	memset((void *)start, 7, 3 * PAGE + 5);
	EXPECT((uintptr_t)syscall(SYS_brk, start + PAGE) == start + PAGE);
	EXPECT((uintptr_t)syscall(SYS_brk, start + 2 * PAGE) == start + 2 * PAGE);
	EXPECT(*(char *)(start + PAGE + 8) == 0);
	EXPECT((uintptr_t)syscall(SYS_brk, 1) == start + 2 * PAGE);
	EXPECT((uintptr_t)syscall(SYS_brk, UINTPTR_MAX) == start + 2 * PAGE);
	EXPECT((uintptr_t)syscall(SYS_brk, start) == start);
}

static void check_mmap(void)
{
	char *base = map(NULL, 8 * PAGE, RW, ANONYMOUS);

	EXPECT(base != MAP_FAILED && ((uintptr_t)base & (PAGE - 1)) == 0);
	base[3 * PAGE] = 5;
	EXPECT(map(base + 3 * PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED) == base + 3 * PAGE);
	EXPECT(base[3 * PAGE] == 0);
	EXPECT_ERROR(map(base, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE), EEXIST);
	EXPECT(munmap(base + 4 * PAGE, PAGE) == 0);
	EXPECT(map(base + 4 * PAGE, PAGE, RW, ANONYMOUS) == base + 4 * PAGE);
	EXPECT_ERROR(map(NULL, 0, RW, ANONYMOUS), EINVAL);
	EXPECT_ERROR(map(NULL, PAGE, RW, MAP_ANONYMOUS), EINVAL);
	EXPECT_ERROR(map(base + 1, PAGE, RW, ANONYMOUS | MAP_FIXED), EINVAL);
	EXPECT_ERROR(map(NULL, (size_t)1 << 60, RW, ANONYMOUS), ENOMEM);
	EXPECT_ERROR(mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0), EBADF);
	EXPECT(munmap(base, 8 * PAGE) == 0);
	EXPECT(munmap(base, 8 * PAGE) == 0);
	EXPECT_ERROR(munmap(base + 1, PAGE), EINVAL);
	EXPECT_ERROR(munmap(base, 0), EINVAL);
}

static void check_populate(void)
{
	char *base = map(NULL, 16 * PAGE, RW, ANONYMOUS | MAP_POPULATE);
	int sum = 0;

	EXPECT(base != MAP_FAILED);
	for (unsigned i = 0; i < 16; i++)
		sum += base[i * PAGE];
	EXPECT(sum == 0);
	EXPECT(munmap(base, 16 * PAGE) == 0);
}

static void check_mprotect(void)
{
	char *base = map(NULL, 4 * PAGE, PROT_NONE, ANONYMOUS);

	EXPECT(mprotect(base, 2 * PAGE, RW) == 0);
	base[PAGE] = 3;
	EXPECT(mprotect(base + PAGE, PAGE, PROT_READ) == 0);
	EXPECT(base[PAGE] == 3);
	EXPECT_ERROR(write(1, base + 2 * PAGE, 1), EFAULT);
	/* By number: musl's function rounds the address down. */
	EXPECT_ERROR(syscall(SYS_mprotect, base + 1, PAGE, RW), EINVAL);
	EXPECT(mprotect(base, 0, RW) == 0);
	EXPECT(munmap(base + 3 * PAGE, PAGE) == 0);
	EXPECT_ERROR(mprotect(base, 4 * PAGE, RW), ENOMEM);
	EXPECT_ERROR(mprotect(base, PAGE, 0x40), EINVAL);
	EXPECT(munmap(base, 3 * PAGE) == 0);
}

static void check_madvise(void)
{
	char *base = map(NULL, 4 * PAGE, RW, ANONYMOUS);

	base[0] = 1;
	EXPECT(madvise(base, 4 * PAGE, MADV_NORMAL) == 0);
	EXPECT(madvise(base, 4 * PAGE, MADV_SEQUENTIAL) == 0);
	EXPECT(madvise(base, 4 * PAGE, MADV_WILLNEED) == 0);
	EXPECT(base[0] == 1);
	EXPECT_ERROR(madvise(base + 1, PAGE, MADV_NORMAL), EINVAL);
	EXPECT_ERROR(madvise(base, PAGE, 12345), EINVAL);
	EXPECT(munmap(base + PAGE, PAGE) == 0);
	EXPECT_ERROR(madvise(base, 4 * PAGE, MADV_NORMAL), ENOMEM);
	EXPECT(munmap(base, 4 * PAGE) == 0);
}

int main(void)
{
	check_brk();
	check_mmap();
	check_populate();
	check_mprotect();
	check_madvise();
	return expect_status();
}
