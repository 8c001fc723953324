# CLOUDOS_FLAGS
# -------------
# KERNEL_CFLAGS compiles core, services, in-kernel tests and bare-metal HALs; HOSTED_CFLAGS what
# may use libc (src/hal/host, cli, tests/unit). KERNEL_CCASFLAGS is for assembly.
AC_DEFUN([CLOUDOS_FLAGS], [
WARN_CFLAGS="-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla"
common_cflags="-std=gnu11 $WARN_CFLAGS -fno-omit-frame-pointer -fstack-protector-strong"
AS_CASE([$hal_machine],
  [host], [machine_cflags="-fno-pie"],
  [x86_64], [
    machine_cflags="-fno-pic -mno-red-zone -mgeneral-regs-only -fcf-protection=none"
    machine_cflags="$machine_cflags -mcmodel=kernel -mstack-protector-guard=global"],
  [arm64], [machine_cflags="-fno-pic -mgeneral-regs-only -mstrict-align -mno-outline-atomics"])

KERNEL_CFLAGS="$common_cflags -ffreestanding $machine_cflags $INSTRUMENT_CFLAGS"
HOSTED_CFLAGS="$common_cflags $machine_cflags -pthread $INSTRUMENT_CFLAGS"
KERNEL_CCASFLAGS="-Wall -Werror $machine_cflags"
AC_SUBST([WARN_CFLAGS])
AC_SUBST([KERNEL_CFLAGS])
AC_SUBST([HOSTED_CFLAGS])
AC_SUBST([KERNEL_CCASFLAGS])
])
