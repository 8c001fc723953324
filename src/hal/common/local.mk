# The contract's headers, and code that several machines share. A machine's local.mk lists what it
# takes of the shared sources in its own library.
#
# What parses firmware's tables knows no machine, so its tests run on every one: those that find it
# missing in the machine's library take it from this one.
noinst_LIBRARIES += src/hal/common/libparse.a
PARSE_LIBS = src/hal/common/libparse.a
src_hal_common_libparse_a_CFLAGS = $(KERNEL_CFLAGS)
src_hal_common_libparse_a_SOURCES = \
	src/hal/common/acpi.c \
	src/hal/common/acpi.h \
	src/hal/common/boot_tables.c \
	src/hal/common/fdt.c \
	src/hal/common/multiboot2.c \
	src/hal/common/pvh.c \
	src/hal/common/ram.c

dist_noinst_DATA += \
	src/hal/base.h \
	src/hal/boot.h \
	src/hal/common/README.md \
	src/hal/clock.h \
	src/hal/common/arm64/arch.h \
	src/hal/common/boot_tables.h \
	src/hal/common/multiboot2.h \
	src/hal/common/pvh.h \
	src/hal/common/ram.h \
	src/hal/common/stack_protector.h \
	src/hal/common/x86_64/arch.h \
	src/hal/cpu.h \
	src/hal/device.h \
	src/hal/errno.h \
	src/hal/hal.h \
	src/hal/memory.h \
	src/hal/types.h \
	src/hal/up.h \
	src/hal/user.h
