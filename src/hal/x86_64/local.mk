# x86_64 hardware.
dist_noinst_DATA += \
	src/hal/x86_64/README.md \
	src/hal/x86_64/kernel.lds \
	src/hal/x86_64/machine.h
if HAL_X86_64
noinst_LIBRARIES += src/hal/x86_64/libhal.a
MACHINE_LIBS += src/hal/x86_64/libhal.a
src_hal_x86_64_libhal_a_CFLAGS = $(KERNEL_CFLAGS)
src_hal_x86_64_libhal_a_CCASFLAGS = $(KERNEL_CCASFLAGS)
src_hal_x86_64_libhal_a_SOURCES = \
	src/hal/common/acpi.c \
	src/hal/common/boot_tables.c \
	src/hal/common/multiboot2.c \
	src/hal/common/pvh.c \
	src/hal/common/ram.c \
	src/hal/common/stack_protector.c \
	src/hal/common/string.c \
	src/hal/x86_64/apic.c \
	src/hal/x86_64/apic.h \
	src/hal/x86_64/asm.h \
	src/hal/x86_64/boot.c \
	src/hal/x86_64/boot_priv.h \
	src/hal/x86_64/clock.c \
	src/hal/x86_64/context.c \
	src/hal/x86_64/cpu.c \
	src/hal/x86_64/cpu_priv.h \
	src/hal/x86_64/device.c \
	src/hal/x86_64/display.c \
	src/hal/x86_64/entry.S \
	src/hal/x86_64/font.c \
	src/hal/x86_64/font.h \
	src/hal/x86_64/fpu.c \
	src/hal/x86_64/head.S \
	src/hal/x86_64/ioapic.c \
	src/hal/x86_64/irq.c \
	src/hal/x86_64/layout.h \
	src/hal/x86_64/mmu.c \
	src/hal/x86_64/paging.c \
	src/hal/x86_64/paging.h \
	src/hal/x86_64/pci.c \
	src/hal/x86_64/power.c \
	src/hal/x86_64/serial.c \
	src/hal/x86_64/smp.c \
	src/hal/x86_64/trap.c \
	src/hal/x86_64/user.c
endif
