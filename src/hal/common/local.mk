# The contract's headers, and code that several machines share. A machine's local.mk lists what it
# takes of the shared sources in its own library.
dist_noinst_DATA += \
	src/hal/base.h \
	src/hal/boot.h \
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
