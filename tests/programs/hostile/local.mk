# Hostile programs: linked without a libc, so that each instruction is theirs. They come into the
# root image as /bin/hostile/NAME; run-hostile says how each must end.
HOSTILE_PROGS = calls window
if HAL_ARCH_X86_64
HOSTILE_PROGS += forge jump registers
HOSTILE_MACHINE_CFLAGS = -mno-red-zone -fcf-protection=none
endif
HOSTILE_CFLAGS = -std=gnu11 -O2 -g $(WARN_CFLAGS) -static -nostdlib -ffreestanding \
	-fno-stack-protector $(HOSTILE_MACHINE_CFLAGS)
HOSTILE_BUILT = $(HOSTILE_PROGS:%=tests/programs/hostile/%)
ROOT_FILES += $(foreach p,$(HOSTILE_PROGS),bin/hostile/$(p)=tests/programs/hostile/$(p))
HOSTILE_SHARED = \
	tests/programs/hostile/hostile.h \
	tests/programs/hostile/hostile_arm64.h \
	tests/programs/hostile/hostile_x86_64.h

$(HOSTILE_BUILT): tests/programs/hostile/%: tests/programs/hostile/%.c $(HOSTILE_SHARED)
	@$(MKDIR_P) tests/programs/hostile
	$(AM_V_CC)$(USER_CC) $(USER_CPPFLAGS) $(HOSTILE_CFLAGS) -o $@ $<
root.cpio: $(HOSTILE_BUILT)
CLEANFILES += $(HOSTILE_BUILT)
dist_noinst_DATA += $(HOSTILE_SHARED) \
	tests/programs/hostile/calls.c \
	tests/programs/hostile/forge.c \
	tests/programs/hostile/jump.c \
	tests/programs/hostile/registers.c \
	tests/programs/hostile/window.c
dist_noinst_SCRIPTS += tests/programs/run-hostile
