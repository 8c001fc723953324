# Fuzz targets, one for each parser: fuzz_NAME.c with its corpus in corpus/NAME. In a tree with
# --enable-fuzzers libFuzzer drives them; elsewhere standalone.c runs the corpus through them, so
# that it is a regression test under any compiler (`make fuzzers`, run by test.sh).

FUZZ_TARGETS =
FUZZ_CFLAGS = $(HOSTED_CFLAGS)
if FUZZERS
FUZZ_MAIN =
FUZZ_LINK_FLAGS = -no-pie -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/standalone.c
FUZZ_LINK_FLAGS = -no-pie
endif

dist_noinst_DATA += tests/fuzz/standalone.c
