# The front end of cloudos-sim.
dist_noinst_DATA += cli/cloudos-sim/cloudos-sim-gdb.py
if HAL_HOST
noinst_LIBRARIES += cli/libcli.a
MACHINE_LIBS += cli/libcli.a
cli_libcli_a_CFLAGS = $(HOSTED_CFLAGS) -D_GNU_SOURCE -I$(top_srcdir)
cli_libcli_a_SOURCES = \
	cli/cloudos-sim/main.c \
	cli/cloudos-sim/options.c \
	cli/cloudos-sim/options.h
dist_man1_MANS += cli/cloudos-sim/cloudos-sim.1

# gdb loads it with the program that it lies beside.
noinst_DATA += cloudos-sim-gdb.py
cloudos-sim-gdb.py: $(top_srcdir)/cli/cloudos-sim/cloudos-sim-gdb.py
	$(AM_V_GEN)cp $(top_srcdir)/cli/cloudos-sim/cloudos-sim-gdb.py $@
CLEANFILES += cloudos-sim-gdb.py
endif
