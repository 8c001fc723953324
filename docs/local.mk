# What crosses folders.
dist_noinst_DATA += \
	docs/glossary.md \
	docs/hal-contract.md
