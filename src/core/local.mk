# The microkernel.
noinst_LIBRARIES += src/core/libcore.a
KERNEL_LIBS += src/core/libcore.a
src_core_libcore_a_CFLAGS = $(KERNEL_CFLAGS)
src_core_libcore_a_SOURCES = \
	src/core/asan.h \
	src/core/clock.c \
	src/core/copy.c \
	src/core/cpu.c \
	src/core/cpu.h \
	src/core/fault.c \
	src/core/format.c \
	src/core/irq.c \
	src/core/irq.h \
	src/core/klib.c \
	src/core/klib.h \
	src/core/list.h \
	src/core/lock.c \
	src/core/lock.h \
	src/core/log.c \
	src/core/log.h \
	src/core/main.c \
	src/core/main.h \
	src/core/memory.c \
	src/core/memory.h \
	src/core/object.c \
	src/core/object.h \
	src/core/options.c \
	src/core/options.h \
	src/core/page.c \
	src/core/page.h \
	src/core/page_priv.h \
	src/core/page_tree.c \
	src/core/page_tree.h \
	src/core/panic.c \
	src/core/panic.h \
	src/core/random.c \
	src/core/random.h \
	src/core/rbtree.c \
	src/core/rbtree.h \
	src/core/region.c \
	src/core/sched.c \
	src/core/sched.h \
	src/core/sched_balance.c \
	src/core/sched_fair.c \
	src/core/sched_priv.h \
	src/core/sched_rt.c \
	src/core/service.c \
	src/core/service.h \
	src/core/slab.c \
	src/core/slab.h \
	src/core/slab_priv.h \
	src/core/space.c \
	src/core/space.h \
	src/core/space_priv.h \
	src/core/state.c \
	src/core/state.h \
	src/core/symbols.c \
	src/core/task.c \
	src/core/task.h \
	src/core/thread.c \
	src/core/timer.c \
	src/core/timer.h \
	src/core/trace.c \
	src/core/trace.h \
	src/core/trace_export.c \
	src/core/trap.c \
	src/core/trap.h \
	src/core/wait.c \
	src/core/wait.h
dist_noinst_DATA += src/core/README.md
