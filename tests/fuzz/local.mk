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
	tests/fuzz/corpus/acpi/empty.bin \
	tests/fuzz/corpus/acpi/microvm.bin \
	tests/fuzz/corpus/acpi/old.bin \
	tests/fuzz/corpus/acpi/pc.bin \
	tests/fuzz/corpus/multiboot2/empty.bin \
	tests/fuzz/corpus/multiboot2/grub.bin \
	tests/fuzz/corpus/multiboot2/map.bin \
	tests/fuzz/corpus/pvh/overlap.bin \
	tests/fuzz/corpus/pvh/qemu.bin \
	tests/fuzz/corpus/pvh/version0.bin \
	tests/fuzz/corpus/fdt/bus.dtb \
	tests/fuzz/corpus/fdt/empty.dtb \
	tests/fuzz/corpus/fdt/memory.dtb \
	tests/fuzz/corpus/fdt/pci.dtb
if HAL_HOST
FUZZ_TARGETS += tests/fuzz/fuzz_acpi
EXTRA_PROGRAMS += tests/fuzz/fuzz_acpi
tests_fuzz_fuzz_acpi_SOURCES = tests/fuzz/fuzz_acpi.c $(FUZZ_MAIN)
tests_fuzz_fuzz_acpi_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_acpi_LDFLAGS = $(FUZZ_LINK_FLAGS)
tests_fuzz_fuzz_acpi_LDADD = $(PARSE_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_multiboot2
EXTRA_PROGRAMS += tests/fuzz/fuzz_multiboot2
tests_fuzz_fuzz_multiboot2_SOURCES = tests/fuzz/fuzz_multiboot2.c $(FUZZ_MAIN)
tests_fuzz_fuzz_multiboot2_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_multiboot2_LDFLAGS = $(FUZZ_LINK_FLAGS)
tests_fuzz_fuzz_multiboot2_LDADD = $(PARSE_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_pvh
EXTRA_PROGRAMS += tests/fuzz/fuzz_pvh
tests_fuzz_fuzz_pvh_SOURCES = tests/fuzz/fuzz_pvh.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pvh_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_pvh_LDFLAGS = $(FUZZ_LINK_FLAGS)
tests_fuzz_fuzz_pvh_LDADD = $(PARSE_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_fdt
EXTRA_PROGRAMS += tests/fuzz/fuzz_fdt
tests_fuzz_fuzz_fdt_SOURCES = tests/fuzz/fuzz_fdt.c $(FUZZ_MAIN)
tests_fuzz_fuzz_fdt_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_fdt_LDFLAGS = $(FUZZ_LINK_FLAGS)
tests_fuzz_fuzz_fdt_LDADD = $(PARSE_LIBS)
endif

dist_noinst_DATA += \
	tests/fuzz/corpus/cpio/crc \
	tests/fuzz/corpus/cpio/empty \
	tests/fuzz/corpus/cpio/files \
	tests/fuzz/corpus/cpio/links \
	tests/fuzz/corpus/elf/exec-arm64 \
	tests/fuzz/corpus/elf/exec-x86_64 \
	tests/fuzz/corpus/elf/interpreter \
	tests/fuzz/corpus/elf/pie-x86_64
if HAL_HOST
FUZZ_TARGETS += tests/fuzz/fuzz_cpio tests/fuzz/fuzz_elf
EXTRA_PROGRAMS += tests/fuzz/fuzz_cpio tests/fuzz/fuzz_elf
tests_fuzz_fuzz_cpio_SOURCES = tests/fuzz/fuzz_cpio.c src/services/initrd/cpio.c src/core/klib.c \
	$(FUZZ_MAIN)
tests_fuzz_fuzz_cpio_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_cpio_LDFLAGS = $(FUZZ_LINK_FLAGS)
tests_fuzz_fuzz_elf_SOURCES = tests/fuzz/fuzz_elf.c src/services/linux/elf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_elf_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_elf_LDFLAGS = $(FUZZ_LINK_FLAGS)
FUZZ_TARGETS += tests/fuzz/fuzz_virtio_model
EXTRA_PROGRAMS += tests/fuzz/fuzz_virtio_model
tests_fuzz_fuzz_virtio_model_SOURCES = tests/fuzz/fuzz_virtio_model.c $(FUZZ_MAIN) \
	src/hal/host/model_block.c src/hal/host/model_console.c src/hal/host/model_entropy.c \
	src/hal/host/vdev.c
tests_fuzz_fuzz_virtio_model_CFLAGS = $(FUZZ_CFLAGS) -D_GNU_SOURCE
tests_fuzz_fuzz_virtio_model_LDFLAGS = $(FUZZ_LINK_FLAGS)
tests_fuzz_fuzz_virtio_model_LDADD = -luv -lpthread
endif
dist_noinst_DATA += \
	tests/fuzz/corpus/virtio_model/block.bin \
	tests/fuzz/corpus/virtio_model/circle.bin \
	tests/fuzz/corpus/virtio_model/console.bin \
	tests/fuzz/corpus/virtio_model/entropy.bin

fuzzers: $(FUZZ_TARGETS)
.PHONY: fuzzers
