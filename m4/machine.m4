# CLOUDOS_MACHINE
# ---------------
# Reads --with-hal and makes the tree a cross build where the machine has another instruction set
# than the build machine. Comes before the compiler is looked for: the tool prefix decides it.
AC_DEFUN([CLOUDOS_MACHINE], [
AC_ARG_WITH([hal],
  [AS_HELP_STRING([--with-hal=MACHINE],
    [the machine to build for: host (a Linux process), x86_64, arm64 (default: host)])],
  [], [with_hal=host])
AS_CASE([$with_hal],
  [host|x86_64], [hal_arch=x86_64],
  [arm64], [hal_arch=arm64],
  [AC_MSG_ERROR([--with-hal=$with_hal: no such machine; take host, x86_64 or arm64])])
hal_machine=$with_hal

AS_CASE([$hal_arch], [arm64], [cloudos_triplet=aarch64-linux-gnu],
  [cloudos_triplet=x86_64-linux-gnu])
AS_CASE([`uname -m`:$hal_arch],
  [x86_64:x86_64|aarch64:arm64], [],
  [AS_IF([test "x$host_alias" = x], [
     host_alias=$cloudos_triplet
     ac_tool_prefix=$cloudos_triplet-
     cross_compiling=yes])])
AS_IF([test $hal_machine = host && test "`uname -m`" != x86_64],
  [AC_MSG_ERROR([the host machine runs on x86_64 Linux alone; this is `uname -m`])])

AC_SUBST([hal_machine])
AC_SUBST([hal_arch])
AM_CONDITIONAL([HAL_HOST], [test $hal_machine = host])
AM_CONDITIONAL([HAL_X86_64], [test $hal_machine = x86_64])
AM_CONDITIONAL([HAL_ARM64], [test $hal_machine = arm64])
AM_CONDITIONAL([HAL_ARCH_X86_64], [test $hal_arch = x86_64])
AM_CONDITIONAL([HAL_ARCH_ARM64], [test $hal_arch = arm64])
])
