# Whole-system tests on the simulator: tests/sim/run --tree FOLDER.
dist_noinst_SCRIPTS += tests/sim/front tests/sim/run
dist_noinst_DATA += tests/sim/README.md

# Unit tests of its parts, under Check.
if HAVE_CHECK
check_PROGRAMS += sim-tests
TESTS += sim-tests
sim_tests_CFLAGS = $(HOSTED_CFLAGS)
sim_tests_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -I$(top_srcdir)
sim_tests_LDFLAGS = -no-pie
sim_tests_LDADD = -lcheck -lsubunit -lrt -lm -lpthread
sim_tests_SOURCES = \
	cli/cloudos-sim/options.c \
	src/hal/host/terminal.c \
	src/hal/host/vdev.c \
	tests/sim/options_tests.c \
	tests/sim/sim_tests.c \
	tests/sim/sim_tests.h \
	tests/sim/vdev_tests.c
else
dist_noinst_DATA += tests/sim/options_tests.c tests/sim/sim_tests.c tests/sim/sim_tests.h \
	tests/sim/vdev_tests.c
endif
