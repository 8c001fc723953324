# How user programs and the root image are made; included behind all lists.

USER_BUILT = $(USER_PROGS:%=tests/programs/%.glibc)
USER_SOURCES = $(USER_PROGS:%=tests/programs/%.c)
ROOT_BUILT = $(foreach p,$(USER_PROGS),bin/$(p)=tests/programs/$(p).glibc)
if HAVE_MUSL
USER_BUILT += $(USER_PROGS:%=tests/programs/%.musl)
ROOT_BUILT += $(foreach p,$(USER_PROGS),bin/$(p).musl=tests/programs/$(p).musl)
endif

tests/programs/%.glibc: tests/programs/%.c
	@$(MKDIR_P) tests/programs
	$(AM_V_CC)$(USER_CC) $(USER_CPPFLAGS) $(USER_CFLAGS) -o $@ $< -lm

tests/programs/%.musl: tests/programs/%.c
	@$(MKDIR_P) tests/programs
	$(AM_V_CC)$(MUSL_CC) $(USER_CPPFLAGS) $(USER_CFLAGS) -o $@ $< -lm

root.cpio: $(USER_BUILT) $(top_srcdir)/scripts/make-initrd Makefile
	$(AM_V_GEN)$(top_srcdir)/scripts/make-initrd $@ $(ROOT_BUILT) $(ROOT_FILES)

programs: root.cpio
.PHONY: programs

# Not a variable that Automake looks into: it does not know make's substitutions.
EXTRA_DIST = $(USER_SOURCES)
dist_noinst_SCRIPTS += scripts/make-initrd
CLEANFILES += $(USER_BUILT) root.cpio
