# Linking the kernel: `make kernel`.
#
# Every library is taken whole, so that a table that is found by its name alone (a service, a test)
# is not lost. Two links: see scripts/make-symbols.

dist_noinst_SCRIPTS += \
	.ci/run \
	run.sh \
	scripts/fetch-musl \
	scripts/make-iso \
	scripts/make-symbols \
	test.sh
dist_noinst_DATA += \
	images/grub.cfg \
	scripts/common.sh \
	tests/steps.sh \
	scripts/packages

iso: cloudos.iso
.PHONY: iso

cloudos.iso: cloudos.elf root.cpio $(top_srcdir)/scripts/make-iso $(top_srcdir)/images/grub.cfg
	$(AM_V_GEN)$(top_srcdir)/scripts/make-iso $@ cloudos.elf root.cpio "$(KERNEL_OPTIONS)"

KERNEL_OBJECTS = -Wl,--whole-archive $(KERNEL_LIBS) $(MACHINE_LIBS) -Wl,--no-whole-archive \
	$(PARSE_LIBS)
HAL_TEST_LIBS = tests/hal/libhaltest.a $(MACHINE_LIBS)
HAL_TEST_OBJECTS = -Wl,--whole-archive $(HAL_TEST_LIBS) -Wl,--no-whole-archive

if HAL_HOST
KERNEL = cloudos-sim
KERNEL_STAGE1 = cloudos-sim.stage1
KERNEL_LINK = $(CC) $(CFLAGS) $(HOSTED_CFLAGS) -no-pie $(LDFLAGS) -o $@
KERNEL_SYSLIBS = $(HOST_LIBS)
KERNEL_LDS =
HAL_TEST = hal-test
HAL_TEST_ALL = $(HAL_TEST)
KERNEL_ALL = $(KERNEL)
else
KERNEL = cloudos.elf
KERNEL_STAGE1 = cloudos.elf.stage1
KERNEL_LDS = $(top_srcdir)/src/hal/$(hal_machine)/kernel.lds
KERNEL_LINK = $(CC) $(CFLAGS) $(KERNEL_CFLAGS) -nostdlib -static -no-pie -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,-z,max-page-size=4096 -Wl,-T,$(KERNEL_LDS) $(LDFLAGS) -o $@
KERNEL_SYSLIBS = -lgcc
HAL_TEST = hal-test.elf
if HAL_ARM64
KERNEL_ALL = $(KERNEL) Image
HAL_TEST_ALL = $(HAL_TEST) hal-test.Image
else
KERNEL_ALL = $(KERNEL)
HAL_TEST_ALL = $(HAL_TEST)
endif
endif

kernel kernel-all: $(KERNEL_ALL)
hal-test-all: $(HAL_TEST_ALL)
.PHONY: kernel kernel-all hal-test-all

noinst_DATA += $(KERNEL_ALL)

symbols-empty.S: $(top_srcdir)/scripts/make-symbols
	$(AM_V_GEN)$(top_srcdir)/scripts/make-symbols --empty >$@.tmp && mv $@.tmp $@

symbols.S: $(KERNEL_STAGE1) $(top_srcdir)/scripts/make-symbols
	$(AM_V_GEN)$(NM) -n $(KERNEL_STAGE1) | $(top_srcdir)/scripts/make-symbols >$@.tmp \
		&& mv $@.tmp $@

symbols-empty.o: symbols-empty.S
	$(AM_V_GEN)$(CCAS) $(KERNEL_CCASFLAGS) -c -o $@ symbols-empty.S

symbols.o: symbols.S
	$(AM_V_GEN)$(CCAS) $(KERNEL_CCASFLAGS) -c -o $@ symbols.S

$(KERNEL_STAGE1): $(KERNEL_LIBS) $(MACHINE_LIBS) $(PARSE_LIBS) symbols-empty.o $(KERNEL_LDS)
	$(AM_V_CCLD)$(KERNEL_LINK) $(KERNEL_OBJECTS) symbols-empty.o $(KERNEL_SYSLIBS)

$(KERNEL): $(KERNEL_LIBS) $(MACHINE_LIBS) $(PARSE_LIBS) symbols.o $(KERNEL_LDS)
	$(AM_V_CCLD)$(KERNEL_LINK) $(KERNEL_OBJECTS) symbols.o $(KERNEL_SYSLIBS)
	@$(NM) -n $@ | $(top_srcdir)/scripts/make-symbols | cmp -s - symbols.S || \
		{ rm -f $@; echo "$@: functions moved between the two links; the symbol table" \
		"must lie behind all code" >&2; exit 1; }

$(HAL_TEST): $(HAL_TEST_LIBS) $(KERNEL_LDS)
	$(AM_V_CCLD)$(KERNEL_LINK) $(HAL_TEST_OBJECTS) $(KERNEL_SYSLIBS)

hal-test.Image: hal-test.elf
	$(AM_V_GEN)$(OBJCOPY) -O binary hal-test.elf $@

Image: cloudos.elf
	$(AM_V_GEN)$(OBJCOPY) -O binary cloudos.elf $@

CLEANFILES += $(KERNEL_ALL) $(HAL_TEST_ALL) $(KERNEL_STAGE1) cloudos.iso \
	 symbols.S symbols-empty.S symbols.o symbols-empty.o
