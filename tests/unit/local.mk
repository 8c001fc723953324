# Unit tests under Check, on Linux: the in-kernel tests that need no machine, on a fake one.
if HAVE_CHECK
check_PROGRAMS += unit-tests
TESTS += unit-tests
unit_tests_CFLAGS = $(HOSTED_CFLAGS)
unit_tests_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
unit_tests_LDFLAGS = -no-pie
UNIT_LIBS = tests/kernel/libktest.a src/services/libservices.a src/core/libcore.a \
	src/hal/common/libparse.a
unit_tests_DEPENDENCIES = $(UNIT_LIBS) symbols-empty.o
unit_tests_LDADD = $(UNIT_LIBS) $(UNIT_LIBS) symbols-empty.o \
	-lcheck -lsubunit -lrt -lm -lpthread
unit_tests_SOURCES = \
	tests/unit/fake_hal.c \
	tests/unit/fake_hal.h \
	tests/unit/unit_tests.c
else
dist_noinst_DATA += tests/unit/fake_hal.c tests/unit/fake_hal.h tests/unit/unit_tests.c
endif
