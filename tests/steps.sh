# shellcheck shell=bash
# The steps of test.sh, in groups; between groups test.sh may wait. A step's function prints lines
# `ok NAME`, `not ok NAME: why`, `skip NAME: why`, or ends with a status. `note: ` lines are shown.
# shellcheck disable=SC2154 # top comes from scripts/common.sh

# ---- house rules ----

steps_rules() {
	step tidy "$top/tests/tidy/check"
	step tidy-selftest "$top/tests/tidy/selftest"
	step shellcheck step_shellcheck
}

step_shellcheck() {
	cd "$top" && shellcheck -x -P . run.sh test.sh scripts/common.sh scripts/fetch-musl \
		scripts/make-iso scripts/make-symbols tests/steps.sh .ci/run
}

# ---- builds; each uses the cores that there are, so one after the other ----

steps_build() {
	local machine
	for machine in host x86_64 arm64; do
		step build-$machine build_tree $machine --target all --target root.cpio \
			--target hal-test-all --with-hal=$machine
	done
	step build-asan build_tree host-asan --target all --target root.cpio \
		--with-hal=host --enable-asan
	step build-tsan build_tree host-tsan --with-hal=host --enable-tsan
	step build-coverage build_tree host-coverage --with-hal=host --enable-coverage \
		CFLAGS="-O1 -g"
	step build-fuzz build_tree host-fuzz --target fuzzers --with-hal=host --enable-fuzzers \
		CC=clang
}

# ---- unit tests on Linux ----

steps_unit() {
	step unit step_unit host
	step unit-asan step_unit host-asan
	step unit-valgrind step_unit host valgrind --quiet --error-exitcode=99 --leak-check=no
	step unit-coverage step_unit host-coverage
	step sim-unit step_sim_unit host
	step sim-unit-asan step_sim_unit host-asan
}

# step_unit TREE [TOOL...]: the test program prints TAP; each test is a process of its own.
step_unit() {
	local tree=$top/build/$1
	shift
	make -s -C "$tree" unit-tests && "$@" "$tree/unit-tests"
}

# The parts of the simulator that need no kernel.
step_sim_unit() {
	make -s -C "$top/build/$1" sim-tests && "$top/build/$1/sim-tests"
}

# ---- the in-kernel suite ----

# A run ends by itself, slow or not; this is for one that hangs.
HANG_SECONDS=300

steps_machines() {
	local cpus gic machine
	for cpus in 1 4; do
		step "selftest-host-$cpus" step_selftest host --cpus $cpus
		step "selftest-x86_64-$cpus" step_selftest x86_64 --cpus $cpus
		for gic in 2 3; do
			step "selftest-arm64-gic$gic-$cpus" \
				step_selftest arm64 --gic $gic --cpus $cpus
		done
	done
	step selftest-x86_64-2 step_selftest x86_64 --cpus 2
	step selftest-arm64-2 step_selftest arm64 --cpus 2
	step selftest-x86_64-bios-4 step_selftest x86_64 --iso --cpus 4
	step selftest-x86_64-uefi-4 step_selftest x86_64 --uefi --cpus 4 --mem 512M
	step selftest-asan-4 step_selftest_tree host-asan 4
	step selftest-tsan-4 step_selftest_tree host-tsan 4
	step selftest-coverage-4 step_selftest_tree host-coverage 4
	step hal-host-4 step_hal_test host --cpus 4
	step hal-x86_64-4 step_hal_test x86_64 --cpus 4
	step hal-arm64-4 step_hal_test arm64 --cpus 4
	for machine in host x86_64 arm64; do
		step crashes-$machine "$top/tests/kernel/run-crashes" $machine --cpus 2
	done
	step boot-arm64-trees step_arm64_trees
	step boot-x86_64-boots step_x86_64_boots
}

# What the suite prints is on the log, that is standard error: one line a test and a sum.
step_selftest() {
	timeout $HANG_SECONDS "$top/run.sh" --machine "$@" -v --append selftest=1
	ends_well selftest $?
}

# A hosted tree that is instrumented. gcc-12's TSan wants fewer random bits in addresses.
step_selftest_tree() {
	local tree=$top/build/$1
	TSAN_OPTIONS="halt_on_error=0 exitcode=66 ${TSAN_OPTIONS-}" \
		timeout $HANG_SECONDS setarch -R "$tree/cloudos-sim" --cpus "$2" -v \
		--initrd "$top/build/host/root.cpio" --append selftest=1
	ends_well selftest $?
}

step_hal_test() {
	local machine=$1
	shift
	timeout $HANG_SECONDS "$top/run.sh" --machine "$machine" --kernel hal-test "$@" -v
	local status=$?
	if [ "$machine" = host ] && [ $status = 124 ]; then
		# An open fault of the host machine; what failed before it still counts.
		echo "skip hal_test: stalls now and then, under attack on a busy host"
		return 0
	fi
	ends_well hal_test $status
}

step_arm64_trees() {
	make -s -C "$top/build/arm64" hal-test.Image &&
		"$top/tests/boot/arm64-trees" "$top/build/arm64/hal-test.Image"
}

step_x86_64_boots() {
	make -s -C "$top/build/x86_64" hal-test.elf &&
		"$top/tests/boot/x86_64-boots" "$top/build/x86_64/hal-test.elf"
}

# ends_well WHAT STATUS: a suite that ends early prints no failure; its status says it.
ends_well() {
	if [ "$2" = 0 ]; then
		return 0
	elif [ "$2" = 124 ]; then
		echo "not ok $1: hangs (not done after $HANG_SECONDS s)"
	else
		echo "not ok $1: ends with status $2"
	fi
	return 1
}

# ---- user programs ----

steps_programs() {
	step programs-linux-x86_64 "$top/tests/programs/run" linux
	step programs-host "$top/tests/programs/run" host
	step sim-front "$top/tests/sim/front" --tree "$top/build/host"
	step programs-x86_64 "$top/tests/programs/run" x86_64
	step programs-arm64 "$top/tests/programs/run" arm64
	step programs-coverage step_programs_coverage
	local machine
	for machine in host x86_64 arm64; do
		step "hostile-$machine" "$top/tests/programs/run-hostile" "$machine" --cpus 2
	done
	step hostile-asan env CLOUDOS_TREE="$top/build/host-asan" \
		"$top/tests/programs/run-hostile" host --cpus 2
}

# What the suite leaves out of the core: user code, the trace's way out, the end.
step_programs_coverage() {
	local tree=$top/build/host-coverage program
	for program in hello calls memory-calls 'touch-pages 16' 'fault read-null' 'spin 200'; do
		# shellcheck disable=SC2086 # a program with its argument
		timeout $HANG_SECONDS "$tree/cloudos-sim" --initrd "$top/build/host/root.cpio" \
			--cpus 2 --trace "$tree/trace.json" -- /bin/$program
		[ $? -lt 124 ] || [ "$program" != "${program#fault}" ] || return 1
	done
	timeout $HANG_SECONDS "$tree/cloudos-sim" --initrd "$top/build/host/root.cpio" --seed 7 \
		-v --append trace -- /bin/hello
}

# ---- the whole system in the simulator; seeded runs ----

steps_seeds() {
	step sim "$top/tests/sim/run" --tree "$top/build/host" --seeds 100
	step sim-asan "$top/tests/sim/run" --tree "$top/build/host-asan" --seeds 3
}

# ---- fuzzing ----

FUZZ_SECONDS=15

steps_fuzz() {
	local source name
	for source in "$top"/tests/fuzz/fuzz_*.c; do
		name=$(basename "$source" .c)
		step "fuzz-${name#fuzz_}" step_fuzz "$name"
	done
}

# Starts from the corpus in the tree; what it finds beyond that is kept under build/.
step_fuzz() {
	local tree=$top/build/host-fuzz parser=${1#fuzz_} found
	found=$top/build/fuzz/$parser
	mkdir -p "$found"
	cd "$found" && "$tree/tests/fuzz/$1" -max_total_time=$FUZZ_SECONDS -timeout=10 \
		-artifact_prefix="$top/build/fuzz/$parser-" "$found" \
		"$top/tests/fuzz/corpus/$parser" && echo "ok fuzz_${parser}_finds_nothing"
}

# ---- what needs the results of the others ----

steps_after() {
	step coverage step_coverage
	step sizes step_sizes
	step dist step_dist
}

COVERAGE_PERCENT=90 # of the lines of src/core

step_coverage() {
	local tree=$top/build/host-coverage percent
	cd "$tree" || return 1
	gcov -n src/core/*.gcda 2>/dev/null | awk -F"[':% ]+" '
		/^File/ { file = /src\/core\/[a-z_]*\.c/ ? $2 : "" }
		/^Lines executed/ && file != "" {
			sub(/.*\/src\/core\//, "src/core/", file)
			printf "%6.2f %5d %s\n", $3, $5, file
			lines += $5
			run += $3 * $5 / 100
			file = "" # behind the last one comes a sum
		}
		END { printf "%6.2f %5d src/core\n", lines ? run * 100 / lines : 0, lines }
	' | sort -n | tee "$tree/coverage.txt"
	percent=$(awk '$3 == "src/core" { print $1 }' "$tree/coverage.txt")
	echo "note: $percent % of the lines of src/core were run"
	if awk -v p="$percent" -v goal=$COVERAGE_PERCENT 'BEGIN { exit !(p >= goal) }'; then
		echo "ok coverage_of_core_is_$COVERAGE_PERCENT"
	else
		echo "not ok coverage_of_core_is_$COVERAGE_PERCENT: $percent"
	fi
}

step_sizes() {
	local lines code file bytes
	lines=$(cat "$top"/src/core/*.[chS] | wc -l)
	code=$(for file in "$top"/src/core/*.[ch]; do
		gcc -fpreprocessed -dD -E -P "$file" 2>/dev/null
	done | grep -c '[^[:space:]]')
	echo "note: src/core has $code lines of code; $lines with comments and blank lines"
	at_most src_core_under_8000_lines_of_code "$code" 8000
	at_most src_core_under_12000_lines "$lines" 12000
	for file in x86_64/cloudos.elf arm64/Image; do
		bytes=0
		[ ! -f "$top/build/$file" ] || bytes=$(kernel_bytes "$top/build/$file")
		echo "note: $file loads $bytes bytes"
		at_most "kernel_under_1_MiB_${file%%/*}" "$bytes" 1048576
	done
}

at_most() {
	if [ "$2" -gt 0 ] && [ "$2" -lt "$3" ]; then
		echo "ok $1"
	else
		echo "not ok $1: $2, not below $3"
	fi
}

# The bytes of a kernel image that are loaded: an ELF file carries its debug information too.
kernel_bytes() {
	case $1 in
	*.elf) readelf -lW "$1" | python3 -c 'import sys
print(sum(int(line.split()[4], 16) for line in sys.stdin if line.split()[:1] == ["LOAD"]))' ;;
	*) stat -c %s "$1" ;;
	esac
}

step_dist() {
	local work=$top/build/dist
	rm -rf "$work"
	mkdir -p "$work"
	cd "$work" && make -s -C "$top/build/host" dist-xz distdir=cloudos-dist &&
		tar xf "$top/build/host/cloudos-dist.tar.xz" && mkdir build && cd build &&
		../cloudos-dist/configure --with-hal=host >configure.out &&
		make -s -j2 all root.cpio && echo "ok packed_tree_builds"
}
