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
	src/hal/host/confine.c \
	src/hal/host/context.c \
	src/hal/host/cpu.c \
	src/hal/host/crash.c \
	src/hal/host/device.c \
	src/hal/host/device_priv.h \
	src/hal/host/futex.h \
	src/hal/host/host.c \
	src/hal/host/input.c \
	src/hal/host/input.h \
	src/hal/host/irq.c \
	src/hal/host/loop.c \
	src/hal/host/loop.h \
	src/hal/host/model.h \
	src/hal/host/model_block.c \
	src/hal/host/model_console.c \
	src/hal/host/model_entropy.c \
	src/hal/host/ram.c \
	src/hal/host/random.c \
	src/hal/host/sanitizer.h \
	src/hal/host/seeded.c \
	src/hal/host/seeded.h \
	src/hal/host/switch.S \
	src/hal/host/terminal.c \
	src/hal/host/terminal.h \
	src/hal/host/thread.c \
	src/hal/host/vdev.c \
	src/hal/host/vdev.h

# Running user code.
src_hal_host_libhal_a_SOURCES += \
	src/hal/host/host_user.h \
	src/hal/host/mmu.c \
	src/hal/host/stub.h \
	src/hal/host/stub_image.S \
	src/hal/host/stub_message.h \
	src/hal/host/user.c \
	src/hal/host/user_fpu.c \
	src/hal/host/user_trap.c \
	src/hal/host/user_wait.c \
	src/hal/host/zygote.c

# The stub is a program of its own: one page at a fixed address, without libc, never instrumented.
STUB_CFLAGS = -std=gnu11 -Os $(WARN_CFLAGS) -fpie -ffreestanding -mgeneral-regs-only \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-fno-sanitize=all -I$(top_srcdir)/src
STUB_FILES = src/hal/host/stub.S src/hal/host/stub.c
dist_noinst_DATA += $(STUB_FILES) src/hal/host/stub.ld src/hal/host/USER.md
src/hal/host/stub.elf: $(STUB_FILES) src/hal/host/stub.h src/hal/host/stub_message.h \
		src/hal/host/stub.ld src/hal/host/$(am__dirstamp)
	$(AM_V_GEN)$(CC) $(STUB_CFLAGS) -nostdlib -static -no-pie -Wl,--build-id=none \
		-Wl,-T,$(top_srcdir)/src/hal/host/stub.ld -o $@ \
		$(top_srcdir)/src/hal/host/stub.c $(top_srcdir)/src/hal/host/stub.S
src/hal/host/stub_image.$(OBJEXT): src/hal/host/stub.elf
CLEANFILES += src/hal/host/stub.elf
endif
