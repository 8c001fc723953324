/*
 * For programs that check many facts: EXPECT() says which line failed; expect_status() is the exit
 * status.
 */
#ifndef TESTS_PROGRAMS_EXPECT_H
#define TESTS_PROGRAMS_EXPECT_H

#include <errno.h>
#include <stdio.h>

static int expect_failed;

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("line %d: not so: %s (errno %d)\n", __LINE__, #condition, errno);   \
			expect_failed = 1;                                                         \
		}                                                                                  \
	} while (0)

/* A call that must fail with `error`. */
#define EXPECT_ERROR(call, error) EXPECT((errno = 0, (long)(call) == -1 && errno == (error)))

static inline int expect_status(void)
{
	puts(expect_failed ? "failed" : "passed");
	return expect_failed;
}

#endif
