# The host machine: a Linux process. May use libc, libuv and libseccomp.
dist_noinst_DATA += \
	src/hal/host/host.h \
	src/hal/host/host_priv.h \
	src/hal/host/machine.h
if HAL_HOST
noinst_LIBRARIES += src/hal/host/libhal.a
MACHINE_LIBS += src/hal/host/libhal.a
src_hal_host_libhal_a_CFLAGS = $(HOSTED_CFLAGS)
src_hal_host_libhal_a_SOURCES =
endif
