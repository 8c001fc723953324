# Services that are linked into the kernel.
noinst_LIBRARIES += src/services/libservices.a
KERNEL_LIBS += src/services/libservices.a
src_services_libservices_a_CFLAGS = $(KERNEL_CFLAGS)
src_services_libservices_a_SOURCES =
