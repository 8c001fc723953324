# Whole-system tests on the simulator: tests/sim/run --tree FOLDER.
dist_noinst_SCRIPTS += tests/sim/run
dist_noinst_DATA += tests/sim/README.md
