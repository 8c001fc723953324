# arm64 hardware.
dist_noinst_DATA += \
	src/hal/arm64/README.md \
	src/hal/arm64/kernel.lds \
	src/hal/arm64/machine.h
if HAL_ARM64
noinst_LIBRARIES += src/hal/arm64/libhal.a
MACHINE_LIBS += src/hal/arm64/libhal.a
src_hal_arm64_libhal_a_CFLAGS = $(KERNEL_CFLAGS)
src_hal_arm64_libhal_a_CCASFLAGS = $(KERNEL_CCASFLAGS)
src_hal_arm64_libhal_a_SOURCES = \
	src/hal/arm64/arm64_priv.h \
	src/hal/arm64/boot.c \
	src/hal/arm64/boot_map.c \
	src/hal/arm64/boot_ram.c \
	src/hal/arm64/context.S \
	src/hal/arm64/cpu.c \
	src/hal/arm64/device.c \
	src/hal/arm64/entropy.c \
	src/hal/arm64/gic.c \
	src/hal/arm64/gic.h \
	src/hal/arm64/gicv2.c \
	src/hal/arm64/gicv3.c \
	src/hal/arm64/head.S \
	src/hal/arm64/kernel_map.c \
	src/hal/arm64/layout.h \
	src/hal/arm64/log.c \
	src/hal/arm64/mmu.c \
	src/hal/arm64/pagetable.h \
	src/hal/arm64/pci.c \
	src/hal/arm64/psci.c \
	src/hal/arm64/state.c \
	src/hal/arm64/timer.c \
	src/hal/arm64/trap.c \
	src/hal/arm64/user.c \
	src/hal/arm64/vectors.S \
	src/hal/common/fdt.c \
	src/hal/common/fdt.h \
	src/hal/common/ram.c \
	src/hal/common/stack_protector.c \
	src/hal/common/string.c
endif
