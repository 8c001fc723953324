#!/usr/bin/env bash
#
# Tests all of CloudOS: see --help. Installs what is missing, builds what is not up to date.
#
set -u
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/scripts/common.sh"
# shellcheck source=tests/steps.sh
. "$top/tests/steps.sh"

usage() {
	cat <<'END'
usage: ./test.sh [--jobs N] [--list] [STEP-PREFIX]...

Runs all tests, the cheap ones first: house rules, unit tests (plain, under sanitizers, under
Valgrind), the three machines' builds, the in-kernel suite on each machine, user programs, seeded
runs, hostile programs, fuzzing, coverage, sizes. With prefixes, only steps whose name begins so.
Each step's output is kept in build/test-logs. The last line is the sum: "N passed, N failed".
Exit status 0 if none failed.
END
}

jobs=2
prefixes=()
list=no
while [ $# -gt 0 ]; do
	case $1 in
	--jobs)
		jobs=${2-}
		[[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs needs a number"
		shift
		;;
	--list) list=yes ;;
	-h | --help)
		usage
		exit 0
		;;
	-*) die "unknown option $1; try --help" ;;
	*) prefixes+=("$1") ;;
	esac
	shift
done

logs=$top/build/test-logs
passed=0 failed=0 skipped=0
running=() # pids
declare -A step_of started

wanted() {
	local prefix
	[ ${#prefixes[@]} -gt 0 ] || return 0
	for prefix in "${prefixes[@]}"; do
		case $1 in "$prefix"*) return 0 ;; esac
	done
	return 1
}

# step NAME CMD...: runs CMD beside the others. What it prints is counted: lines `ok ...`,
# `not ok ...` and `skip ...`; or else its exit status, as one test.
step() {
	local name=$1
	shift
	wanted "$name" || return 0
	if [ $list = yes ]; then
		echo "$name"
		return 0
	fi
	while [ ${#running[@]} -ge "$jobs" ]; do
		reap
	done
	rm -f "$logs/$name.failed"
	(
		# In one more shell: a step may end the shell that it runs in.
		("$@") >"$logs/$name.log" 2>&1 </dev/null || touch "$logs/$name.failed"
	) &
	running+=($!)
	step_of[$!]=$name
	started[$!]=$SECONDS
}

reap() {
	local pid=''
	wait -n -p pid "${running[@]}"
	[ -n "$pid" ] || pid=${running[0]}
	local rest=() p
	for p in "${running[@]}"; do
		[ "$p" = "$pid" ] || rest+=("$p")
	done
	running=(${rest+"${rest[@]}"})
	count_step "${step_of[$pid]}" $((SECONDS - started[$pid]))
}

count_step() {
	local name=$1 seconds=$2 log=$logs/$1.log ok not_ok skip
	read -r ok not_ok skip < <(tr -d '\r' <"$log" | LC_ALL=C awk '
		{ sub(/^\[ *[0-9.]+\] [a-z]+: /, "") } # as the kernel log says it
		/^ok / { ok++ } /^(not ok|FAIL) / { not_ok++ } /^skip / { skip++ }
		END { print ok + 0, not_ok + 0, skip + 0 }')
	if [ -e "$logs/$name.failed" ]; then
		[ "$not_ok" -gt 0 ] || not_ok=1
	elif [ $((ok + not_ok + skip)) = 0 ]; then
		ok=1
	fi
	passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
	if [ "$not_ok" -gt 0 ]; then
		printf 'FAIL  %-32s %5d ok %3d failed %3d skipped %4d s\n' \
			"$name" "$ok" "$not_ok" "$skip" "$seconds"
		echo "----- the end of $log:"
		grep -aE '(^|: )(not ok|FAIL) ' "$log" | head -n 20
		tail -n 25 "$log" | cut -c 1-300
		echo "-----"
	else
		printf 'pass  %-32s %5d ok %14d skipped %4d s\n' "$name" "$ok" "$skip" "$seconds"
		grep -ahE '^note: ' "$log" | sed 's/^note: /      /'
	fi
}

barrier() {
	while [ ${#running[@]} -gt 0 ]; do
		reap
	done
}

mkdir -p "$logs"
if [ $list = no ]; then
	need_packages run x86_64 arm64 test
	need_configure
	"$top/scripts/fetch-musl" || true # says what is missing then
fi

steps_rules
barrier
steps_build
barrier
steps_unit
steps_machines
steps_programs
steps_seeds
steps_fuzz
barrier
steps_after
barrier
[ $list = no ] || exit 0

sum="$passed passed, $failed failed"
[ $skipped = 0 ] || sum+=", $skipped skipped"
echo "took $SECONDS s"
echo "$sum"
[ $failed = 0 ]
