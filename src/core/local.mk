# The microkernel.
noinst_LIBRARIES += src/core/libcore.a
KERNEL_LIBS += src/core/libcore.a
src_core_libcore_a_CFLAGS = $(KERNEL_CFLAGS)
src_core_libcore_a_SOURCES = \
	src/core/irq.h \
	src/core/klib.h \
	src/core/list.h \
	src/core/lock.h \
	src/core/log.h \
	src/core/memory.h \
	src/core/object.h \
	src/core/options.h \
	src/core/page.h \
	src/core/panic.h \
	src/core/rbtree.c \
	src/core/rbtree.h \
	src/core/sched.h \
	src/core/service.h \
	src/core/slab.h \
	src/core/space.h \
	src/core/task.h \
	src/core/timer.h \
	src/core/trace.h \
	src/core/wait.h
