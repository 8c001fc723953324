# User programs: they run on Linux and on every machine of ours. USER_CC links with glibc,
# MUSL_CC with musl (if HAVE_MUSL).
