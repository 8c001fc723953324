/*
 * Measures one case and prints "ns NUMBER", nanoseconds for each call or page. The same binary
 * runs on Linux, on CloudOS and on others.
 *
 *   null    a system call that does nothing (getppid)
 *   fault   the first touch of single pages whose neighbours are not mapped
 *   order   the first touch of the pages of 64 MB in order
 *   ready   nothing; says "ready" and waits for N milliseconds: for what the system itself takes
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define CALLS 100000
#define SINGLE_PAGES 512u
#define ORDER_BYTES (64u << 20)

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static double bench_null(void)
{
	uint64_t start;

	for (int i = 0; i < CALLS / 10; i++)
		syscall(SYS_getppid);
	start = now_ns();
	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	return (double)(now_ns() - start) / CALLS;
}

static double bench_fault(void)
{
	uint8_t *base = mmap(NULL, 2 * SINGLE_PAGES * PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start;

	if (base == MAP_FAILED)
		exit(1);
	for (unsigned i = 0; i < SINGLE_PAGES; i++) {
		if (mprotect(base + 2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE))
			exit(1);
	}
	start = now_ns();
	for (unsigned i = 0; i < SINGLE_PAGES; i++)
		*(volatile uint8_t *)(base + 2 * i * PAGE) = 1;
	return (double)(now_ns() - start) / SINGLE_PAGES;
}

static double bench_order(void)
{
	uint8_t *base = mmap(NULL, ORDER_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start;

	if (base == MAP_FAILED)
		exit(1);
	madvise(base, ORDER_BYTES, MADV_NOHUGEPAGE);
	start = now_ns();
	for (size_t at = 0; at < ORDER_BYTES; at += PAGE)
		*(volatile uint8_t *)(base + at) = 1;
	return (double)(now_ns() - start) / (ORDER_BYTES / PAGE);
}

static int wait_ready(long ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	puts("ready");
	fflush(stdout);
	nanosleep(&pause, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "ready") == 0)
		return wait_ready(argc > 2 ? atol(argv[2]) : 0);
	if (strcmp(name, "null") == 0)
		printf("ns %.1f\n", bench_null());
	else if (strcmp(name, "fault") == 0)
		printf("ns %.1f\n", bench_fault());
	else if (strcmp(name, "order") == 0)
		printf("ns %.1f\n", bench_order());
	else
		return 2;
	return 0;
}
