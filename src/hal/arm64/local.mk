# arm64 hardware.
dist_noinst_DATA += src/hal/arm64/machine.h
if HAL_ARM64
noinst_LIBRARIES += src/hal/arm64/libhal.a
KERNEL_LIBS += src/hal/arm64/libhal.a
src_hal_arm64_libhal_a_CFLAGS = $(KERNEL_CFLAGS)
src_hal_arm64_libhal_a_CCASFLAGS = $(KERNEL_CCASFLAGS)
src_hal_arm64_libhal_a_SOURCES =
endif
