/*
 * What the sanitizers and Valgrind must be told of fibers; nothing in a plain build.
 */
#ifndef HAL_HOST_SANITIZER_H
#define HAL_HOST_SANITIZER_H

#include "hal/cpu.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)

#include <sanitizer/common_interface_defs.h>

static inline void sanitizer_leave(struct hal_context *from, const struct hal_context *to)
{
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_bytes);
}

static inline void sanitizer_enter(struct hal_context *context)
{
	__sanitizer_finish_switch_fiber(context->fake_stack, NULL, NULL);
}

#else

static inline void sanitizer_leave(struct hal_context *from, const struct hal_context *to)
{
	(void)from;
	(void)to;
}

static inline void sanitizer_enter(struct hal_context *context)
{
	(void)context;
}

#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)

#include <sanitizer/tsan_interface.h>

static inline void sanitizer_fiber_create(struct hal_context *context)
{
	context->fiber = __tsan_create_fiber(0);
	__tsan_set_fiber_name(context->fiber, context->name);
}

static inline void sanitizer_fiber_adopt(struct hal_context *context)
{
	context->fiber = __tsan_get_current_fiber();
}

static inline void sanitizer_fiber_switch(const struct hal_context *to)
{
	__tsan_switch_to_fiber(to->fiber, 0);
}

static inline void sanitizer_fiber_destroy(struct hal_context *context)
{
	__tsan_destroy_fiber(context->fiber);
}

#else

static inline void sanitizer_fiber_create(struct hal_context *context)
{
	(void)context;
}

static inline void sanitizer_fiber_adopt(struct hal_context *context)
{
	(void)context;
}

static inline void sanitizer_fiber_switch(const struct hal_context *to)
{
	(void)to;
}

static inline void sanitizer_fiber_destroy(struct hal_context *context)
{
	(void)context;
}

#endif

/* Of gcc's coverage runtime; not there in other builds. */
extern void __gcov_dump(void) __attribute__((weak));

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                     \
	__has_feature(memory_sanitizer)
#define SANITIZER_BUILD true
#else
#define SANITIZER_BUILD false
#endif

static inline bool sanitizer_counts_coverage(void)
{
	return __gcov_dump;
}

#if __has_include(<valgrind/valgrind.h>)

#include <valgrind/valgrind.h>

static inline bool sanitizer_under_valgrind(void)
{
	return RUNNING_ON_VALGRIND;
}

static inline void sanitizer_stack_register(struct hal_context *context)
{
	char *low = context->stack;

	context->valgrind_id = VALGRIND_STACK_REGISTER(low, low + context->stack_bytes);
}

static inline void sanitizer_stack_drop(struct hal_context *context)
{
	VALGRIND_STACK_DEREGISTER(context->valgrind_id);
}

#else

static inline bool sanitizer_under_valgrind(void)
{
	return false;
}

static inline void sanitizer_stack_register(struct hal_context *context)
{
	(void)context;
}

static inline void sanitizer_stack_drop(struct hal_context *context)
{
	(void)context;
}

#endif

#endif
