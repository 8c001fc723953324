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

dist_noinst_DATA += \
	tests/fuzz/corpus/fdt/bus.dtb \
	tests/fuzz/corpus/fdt/empty.dtb \
	tests/fuzz/corpus/fdt/memory.dtb \
	tests/fuzz/corpus/fdt/pci.dtb
if HAL_HOST
FUZZ_TARGETS += tests/fuzz/fuzz_fdt
EXTRA_PROGRAMS += tests/fuzz/fuzz_fdt
tests_fuzz_fuzz_fdt_SOURCES = tests/fuzz/fuzz_fdt.c $(FUZZ_MAIN)
tests_fuzz_fuzz_fdt_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_fdt_LDFLAGS = $(FUZZ_LINK_FLAGS)
tests_fuzz_fuzz_fdt_LDADD = $(PARSE_LIBS)
endif

fuzzers: $(FUZZ_TARGETS)
.PHONY: fuzzers
