# The front end of cloudos-sim.
if HAL_HOST
noinst_LIBRARIES += cli/libcli.a
MACHINE_LIBS += cli/libcli.a
cli_libcli_a_CFLAGS = $(HOSTED_CFLAGS) -D_GNU_SOURCE -I$(top_srcdir)
cli_libcli_a_SOURCES = \
	cli/cloudos-sim/main.c \
	cli/cloudos-sim/options.c \
	cli/cloudos-sim/options.h
endif
