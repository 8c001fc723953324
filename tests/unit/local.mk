# Unit tests under Check, on Linux.
check_LIBRARIES =
if HAL_HOST
check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_CFLAGS = $(HOSTED_CFLAGS)
tests_unit_libunit_a_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_unit_libunit_a_SOURCES = \
	tests/unit/fake_hal.c \
	tests/unit/fake_hal.h
endif
