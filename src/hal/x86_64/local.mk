# x86_64 hardware.
dist_noinst_DATA += src/hal/x86_64/machine.h
if HAL_X86_64
noinst_LIBRARIES += src/hal/x86_64/libhal.a
MACHINE_LIBS += src/hal/x86_64/libhal.a
src_hal_x86_64_libhal_a_CFLAGS = $(KERNEL_CFLAGS)
src_hal_x86_64_libhal_a_CCASFLAGS = $(KERNEL_CCASFLAGS)
src_hal_x86_64_libhal_a_SOURCES = \
	src/hal/common/boot_tables.c \
	src/hal/common/multiboot2.c \
	src/hal/common/pvh.c \
	src/hal/common/ram.c \
	src/hal/common/stack_protector.c \
	src/hal/common/string.c
endif
