# The front end of cloudos-sim.
if HAL_HOST
noinst_LIBRARIES += cli/libcli.a
MACHINE_LIBS += cli/libcli.a
cli_libcli_a_CFLAGS = $(HOSTED_CFLAGS) -D_GNU_SOURCE
cli_libcli_a_SOURCES = \
	cli/cloudos-sim/main.c
endif
