# The host machine: a Linux process. May use libc, libuv and libseccomp.
dist_noinst_DATA += \
	src/hal/host/host.h \
	src/hal/host/host_priv.h \
	src/hal/host/machine.h
if HAL_HOST
noinst_LIBRARIES += src/hal/host/libhal.a
MACHINE_LIBS += src/hal/host/libhal.a
src_hal_host_libhal_a_CFLAGS = $(HOSTED_CFLAGS) -D_GNU_SOURCE
src_hal_host_libhal_a_SOURCES = \
	src/hal/host/clock.c \
	src/hal/host/context.c \
	src/hal/host/cpu.c \
	src/hal/host/crash.c \
	src/hal/host/device.c \
	src/hal/host/device_priv.h \
	src/hal/host/futex.h \
	src/hal/host/host.c \
	src/hal/host/irq.c \
	src/hal/host/ram.c \
	src/hal/host/random.c \
	src/hal/host/sanitizer.h \
	src/hal/host/seeded.c \
	src/hal/host/seeded.h \
	src/hal/host/switch.S \
	src/hal/host/terminal.c \
	src/hal/host/terminal.h
endif
