# Tests of the HAL contract, against the contract alone: a kernel of its own, linked of the machine
# and these files, without core (`make hal-test-all`).
noinst_LIBRARIES += tests/hal/libhaltest.a
tests_hal_libhaltest_a_CFLAGS = $(KERNEL_CFLAGS)
tests_hal_libhaltest_a_CCASFLAGS = $(KERNEL_CCASFLAGS)
tests_hal_libhaltest_a_SOURCES = \
	tests/hal/conformance.h \
	tests/hal/conformance_user.h \
	tests/hal/hostile.h \
	tests/hal/kernel.c \
	tests/hal/main.c \
	tests/hal/test_cpu.c \
	tests/hal/test_hostile.c \
	tests/hal/test_irq.c \
	tests/hal/test_machine.c \
	tests/hal/test_smp.c \
	tests/hal/test_user.c \
	tests/hal/user.c
if HAL_ARCH_X86_64
tests_hal_libhaltest_a_SOURCES += tests/hal/x86_64_user.S tests/hal/x86_64.c \
	tests/hal/x86_64_forge.S tests/hal/x86_64_hostile.c
endif
if HAL_ARCH_ARM64
tests_hal_libhaltest_a_SOURCES += tests/hal/arm64_user.S tests/hal/arm64.c \
	tests/hal/arm64_hostile.c
endif
