/*
 * Ends itself by the fault that its argument names. Each must end this program alone, with the
 * signal that Linux has for it.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* An address that the compiler knows nothing of. */
static volatile uintptr_t nowhere = 8;

static void read_null(void)
{
	(void)*(volatile int *)nowhere;
}

static void write_code(void)
{
	*(volatile char *)(uintptr_t)&write_code = 0;
}

static void execute_data(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	((void (*)(void))(uintptr_t)page)();
}

static void touch_unmapped(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	page[0] = 1;
	munmap(page, 8192);
	page[0] = 2;
}

static void write_read_only(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	page[0] = 1;
	mprotect(page, 4096, PROT_READ);
	page[0] = 2;
}

/* These bytes are undefined on x86_64 (ud2) and on ARM64 (udf). */
static void illegal(void)
{
	static const unsigned char code[] = {0x0f, 0x0b, 0, 0};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(page, code, sizeof(code));
	__builtin___clear_cache(page, (char *)page + sizeof(code));
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	((void (*)(void))(uintptr_t)page)();
}

static volatile int depth_max = INT_MAX;

static int overflow_stack(volatile char *above, int depth)
{
	volatile char here[4096];

	here[0] = above[0];
	return depth < depth_max ? overflow_stack(here, depth + 1) + here[0] : 0;
}

static void stack_overflow(void)
{
	volatile char here[1] = {0};

	overflow_stack(here, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} faults[] = {
	{"read-null", read_null},
	{"write-code", write_code},
	{"execute-data", execute_data},
	{"touch-unmapped", touch_unmapped},
	{"write-read-only", write_read_only},
	{"illegal", illegal},
	{"stack-overflow", stack_overflow},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (strcmp(faults[i].name, argv[1]) == 0) {
			faults[i].run();
			puts("it came back");
			return 1;
		}
	}
	return 2;
}
