# Tests that run in the booted kernel, and under Check where they need no machine.
noinst_LIBRARIES += tests/kernel/libktest.a
KERNEL_LIBS += tests/kernel/libktest.a
tests_kernel_libktest_a_CFLAGS = $(KERNEL_CFLAGS)
tests_kernel_libktest_a_SOURCES = \
	tests/kernel/bench.c \
	tests/kernel/bench.h \
	tests/kernel/bench_memory.c \
	tests/kernel/bench_sched.c \
	tests/kernel/crash.c \
	tests/kernel/ktest.h \
	tests/kernel/runner.c \
	tests/kernel/runner.h \
	tests/kernel/stress.c \
	tests/kernel/stress.h \
	tests/kernel/suite.c \
	tests/kernel/suite.h \
	tests/kernel/test_acpi.c \
	tests/kernel/test_block.c \
	tests/kernel/test_boot_tables.c \
	tests/kernel/test_cpio.c \
	tests/kernel/test_elf.c \
	tests/kernel/test_fdt.c \
	tests/kernel/test_klib.c \
	tests/kernel/test_linux_stack.c \
	tests/kernel/test_lock.c \
	tests/kernel/test_memory.c \
	tests/kernel/test_page.c \
	tests/kernel/test_rbtree.c \
	tests/kernel/test_sched.c \
	tests/kernel/test_service.c \
	tests/kernel/test_slab.c \
	tests/kernel/test_space.c \
	tests/kernel/test_space_smp.c \
	tests/kernel/test_task.c \
	tests/kernel/test_trace.c \
	tests/kernel/test_virtqueue.c \
	tests/kernel/test_wait.c
dist_noinst_DATA += tests/kernel/README.md
dist_noinst_SCRIPTS += tests/kernel/run-crashes
