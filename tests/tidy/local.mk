# The house rules that a script can check.
dist_noinst_SCRIPTS += tests/tidy/check tests/tidy/selftest
dist_noinst_DATA += \
	tests/tidy/README.md \
	tests/tidy/allowed \
	tests/tidy/csource.py \
	tests/tidy/layers.py \
	tests/tidy/prefixes
