# Benchmarks: tests/bench/run --tree FOLDER.
dist_noinst_SCRIPTS += tests/bench/run
dist_noinst_DATA += tests/bench/README.md
