# Boots with bad input, under QEMU.
dist_noinst_SCRIPTS += tests/boot/arm64-trees tests/boot/x86_64-boots
