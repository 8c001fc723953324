# CLOUDOS_TOOLS
# -------------
# The binary tools, and on the host machine the libraries.
AC_DEFUN([CLOUDOS_TOOLS], [
AC_CHECK_TOOL([NM], [nm], [no])
AC_CHECK_TOOL([OBJCOPY], [objcopy], [no])
AS_IF([test "$NM" = no || test "$OBJCOPY" = no],
  [AC_MSG_ERROR([nm and objcopy are needed; install binutils for $cloudos_triplet])])

HOST_LIBS=
AS_IF([test $hal_machine = host], [
  AC_CHECK_HEADER([uv.h], [], [AC_MSG_ERROR([libuv is needed: apt-get install libuv1-dev])])
  AC_CHECK_HEADER([seccomp.h], [],
    [AC_MSG_ERROR([libseccomp is needed: apt-get install libseccomp-dev])])
  HOST_LIBS="-luv -lseccomp -lpthread -lm"
])
AC_SUBST([HOST_LIBS])

AC_CHECK_HEADER([check.h], [have_check=yes], [have_check=no])
AM_CONDITIONAL([HAVE_CHECK], [test $hal_machine:$have_check = host:yes])
])
