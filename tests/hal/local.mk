# Tests of the HAL contract, against the contract alone: a kernel of its own, linked of the machine
# and these files, without core (`make hal-test-all`).
noinst_LIBRARIES += tests/hal/libhaltest.a
tests_hal_libhaltest_a_CFLAGS = $(KERNEL_CFLAGS)
tests_hal_libhaltest_a_SOURCES =
