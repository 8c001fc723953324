# User programs: they run on Linux and on every machine of ours. Each is one C file, which is
# linked statically with glibc (NAME.glibc, by USER_CC) and with musl (NAME.musl, by MUSL_CC).
# A program NAME is listed in USER_PROGS; it comes into the root image as /bin/NAME (glibc) and
# /bin/NAME.musl. More files of the root image are added to ROOT_FILES as PATH=FILE.

USER_PROGS = \
	abort \
	bench-user \
	calls \
	cat-stdin \
	echo-args \
	exit-code \
	fault \
	fpu \
	hello \
	memory-calls \
	sleep-ms \
	spin \
	touch-pages
if HAL_ARCH_ARM64
USER_PROGS += hostile_arm64
else
dist_noinst_DATA += tests/programs/hostile_arm64.c
endif
USER_CFLAGS = -std=gnu11 -O2 -g $(WARN_CFLAGS) -static -pthread
USER_CPPFLAGS = -I$(top_srcdir)/tests
ROOT_FILES =
include $(top_srcdir)/tests/programs/hostile/local.mk
dist_noinst_DATA += tests/programs/README.md tests/programs/expect.h tests/programs/list
dist_noinst_SCRIPTS += tests/programs/run
