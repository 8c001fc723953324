# CLOUDOS_CHOICES
# ---------------
# The --enable switches. All of what instruments the code ends in INSTRUMENT_CFLAGS, which every
# compiler call gets, and the link of host programs too.
AC_DEFUN([CLOUDOS_CHOICES], [
AC_ARG_ENABLE([debug], [AS_HELP_STRING([--disable-debug],
  [leave out the checks of lock ranks and the like (ASSERT stays)])], [], [enable_debug=yes])
AC_ARG_ENABLE([asan], [AS_HELP_STRING([--enable-asan],
  [AddressSanitizer and UndefinedBehaviorSanitizer (host)])], [], [enable_asan=no])
AC_ARG_ENABLE([tsan], [AS_HELP_STRING([--enable-tsan], [ThreadSanitizer (host)])],
  [], [enable_tsan=no])
AC_ARG_ENABLE([msan], [AS_HELP_STRING([--enable-msan],
  [MemorySanitizer (host, CC=clang)])], [], [enable_msan=no])
AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [gcov counters (host)])],
  [], [enable_coverage=no])
AC_ARG_ENABLE([fuzzers], [AS_HELP_STRING([--enable-fuzzers],
  [build the fuzz targets with libFuzzer (host, CC=clang)])], [], [enable_fuzzers=no])

instrumented=
INSTRUMENT_CFLAGS=
AS_IF([test $enable_asan = yes], [instrumented="$instrumented asan"
  INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fsanitize=address,undefined"
  INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fno-sanitize-recover=undefined"])
AS_IF([test $enable_tsan = yes], [instrumented="$instrumented tsan"
  INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fsanitize=thread -Wno-tsan"])
AS_IF([test $enable_msan = yes], [instrumented="$instrumented msan"
  INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fsanitize=memory -fsanitize-memory-track-origins"])
AS_IF([test $enable_coverage = yes], [instrumented="$instrumented coverage"
  INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS --coverage -fprofile-update=atomic"])
AS_IF([test $enable_fuzzers = yes], [instrumented="$instrumented fuzzers"
  INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fsanitize=fuzzer-no-link,address,undefined"])
AS_IF([test -n "$instrumented" && test $hal_machine != host],
  [AC_MSG_ERROR([only the host machine can be instrumented; leave out:$instrumented])])
AS_CASE([$enable_msan:$enable_fuzzers:$CC], [no:no:*|*clang*], [],
  [AC_MSG_ERROR([--enable-msan and --enable-fuzzers need clang: configure CC=clang ...])])
AS_IF([test -n "$INSTRUMENT_CFLAGS"], [
  AC_MSG_CHECKING([whether $CC knows$INSTRUMENT_CFLAGS])
  saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS $INSTRUMENT_CFLAGS"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])
    AC_MSG_ERROR([the compiler cannot do this; with clang install libclang-rt-14-dev])])
  CFLAGS=$saved_CFLAGS
])
AS_IF([test $enable_debug = yes], [CLOUDOS_DEBUG=1], [CLOUDOS_DEBUG=0])
AC_SUBST([CLOUDOS_DEBUG])
AC_SUBST([INSTRUMENT_CFLAGS])
AM_CONDITIONAL([FUZZERS], [test $enable_fuzzers = yes])
AM_CONDITIONAL([COVERAGE], [test $enable_coverage = yes])
])
