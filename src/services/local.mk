# Services that are linked into the kernel.
noinst_LIBRARIES += src/services/libservices.a
KERNEL_LIBS += src/services/libservices.a
src_services_libservices_a_CFLAGS = $(KERNEL_CFLAGS)
src_services_libservices_a_SOURCES = \
	src/services/placement.c \
	src/services/placement.def \
	src/services/placement.h \
	src/services/console/console.c \
	src/services/console/console.h \
	src/services/drivers/block.c \
	src/services/drivers/block.h \
	src/services/drivers/pci.c \
	src/services/drivers/pci.h \
	src/services/drivers/virtio/block.c \
	src/services/drivers/virtio/bus.c \
	src/services/drivers/virtio/console.c \
	src/services/drivers/virtio/device.c \
	src/services/drivers/virtio/entropy.c \
	src/services/drivers/virtio/ring.c \
	src/services/drivers/virtio/ring.h \
	src/services/drivers/virtio/transport_mmio.c \
	src/services/drivers/virtio/transport_pci.c \
	src/services/drivers/virtio/virtio.h \
	src/services/init/init.c \
	src/services/initrd/cpio.c \
	src/services/initrd/cpio.h \
	src/services/initrd/initrd.c \
	src/services/initrd/initrd.h \
	src/services/linux/call_futex.c \
	src/services/linux/call_io.c \
	src/services/linux/call_memory.c \
	src/services/linux/call_priv.h \
	src/services/linux/call_process.c \
	src/services/linux/call_signal.c \
	src/services/linux/call_time.c \
	src/services/linux/calls.c \
	src/services/linux/elf.c \
	src/services/linux/elf.h \
	src/services/linux/exec.c \
	src/services/linux/fault.c \
	src/services/linux/linux.h \
	src/services/linux/linux_priv.h \
	src/services/linux/process.c \
	src/services/linux/stack.c \
	src/services/linux/stack.h
if HAL_ARCH_X86_64
src_services_libservices_a_SOURCES += src/services/linux/arch_x86_64.c
endif
if HAL_ARCH_ARM64
src_services_libservices_a_SOURCES += src/services/linux/arch_arm64.c
endif
# Both tables are read by every build.
dist_noinst_DATA += \
	src/services/README.md \
	src/services/console/README.md \
	src/services/drivers/README.md \
	src/services/init/README.md \
	src/services/initrd/README.md \
	src/services/linux/README.md \
	src/services/linux/table_arm64.def \
	src/services/linux/table_x86_64.def
