# CLOUDOS_PROGRAMS
# ----------------
# The compilers of user programs, which run on CloudOS and on Linux alike: USER_CC links statically
# with glibc, MUSL_CC with musl. For arm64, musl is taken from an unpacked Debian package musl-dev
# (scripts/fetch-musl), because Debian has no cross package of it.
AC_DEFUN([CLOUDOS_PROGRAMS], [
AC_ARG_WITH([musl], [AS_HELP_STRING([--with-musl=DIR],
  [arm64: where musl-dev:arm64 is unpacked (default: build/musl-arm64 in the source tree)])],
  [], [with_musl=])
AS_CASE([$hal_arch], [arm64], [USER_CC=aarch64-linux-gnu-gcc], [USER_CC=gcc])
MUSL_CC=
AS_IF([test $hal_arch = x86_64], [
  AC_CHECK_PROG([MUSL_CC], [musl-gcc], [musl-gcc])
], [
  test -n "$with_musl" || with_musl=`cd "$srcdir" && pwd`/build/musl-arm64
  AS_IF([test -f "$with_musl/musl-gcc.specs"],
    [MUSL_CC="aarch64-linux-gnu-gcc -specs=$with_musl/musl-gcc.specs"])
])
AS_IF([test -n "$MUSL_CC"], [have_musl=yes], [have_musl=no])
AC_SUBST([USER_CC])
AC_SUBST([MUSL_CC])
AM_CONDITIONAL([HAVE_MUSL], [test $have_musl = yes])
])
