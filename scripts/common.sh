# shellcheck shell=bash
# What run.sh and test.sh share: packages, configuring, building. All of it says what it does on
# standard error, and does nothing when there is nothing to do.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="$PATH:/usr/sbin:/sbin"

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$@"
	exit 2
}

# as_root CMD...: as root, by sudo where that is needed and there.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root, and there is no sudo: $*"
	fi
}

# need_packages WHO...: installs what scripts/packages lists for them and is not there.
need_packages() {
	local wanted missing who
	wanted=$(for who; do
		awk -v who="$who" '$1 == who { print $2 }' "$top/scripts/packages"
	done)
	if ! command -v dpkg-query >/dev/null; then
		say "this is not Debian: make sure that you have the equals of" "${wanted//$'\n'/ }"
		return 0
	fi
	# shellcheck disable=SC2086
	missing=$(comm -23 <(printf '%s\n' $wanted | sort -u) <(
		dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null |
			awk '$1 == "ii" { print $2 }' | sort -u))
	[ -n "$missing" ] || return 0
	say "installing Debian packages: ${missing//$'\n'/ }"
	# shellcheck disable=SC2086
	{
		as_root apt-get update -qq &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
				--no-install-recommends $missing
	} >"$top/build/apt.log" 2>&1 </dev/null || {
		tail -n 5 "$top/build/apt.log" >&2
		die "could not install them; see $top/build/apt.log"
	}
}

# logged LOG WHAT CMD...: runs CMD with its output in LOG; shows the end of that if it fails.
logged() {
	local log=$1 what=$2
	shift 2
	if ! "$@" >"$log" 2>&1 </dev/null; then
		grep -nE 'error|Error|undefined reference' "$log" | head -n 15 >&2
		tail -n 5 "$log" >&2
		die "$what failed; the whole output is in $log"
	fi
}

need_configure() {
	[ -x "$top/configure" ] && [ -z "$(find "$top/configure.ac" "$top/m4" -newer \
		"$top/configure" 2>/dev/null)" ] && return 0
	say "making configure"
	logged "$top/build/autoreconf.log" autoreconf autoreconf -fi "$top"
}

# build_tree FOLDER CONFIGURE-OPTIONS...: configures build/FOLDER once and brings it up to date.
build_tree() {
	local folder=$top/build/$1 name=$1 target targets=()
	shift
	while [ "${1-}" = --target ]; do
		targets+=("$2")
		shift 2
	done
	mkdir -p "$folder"
	if [ ! -f "$folder/Makefile" ]; then
		say "configuring build/$name"
		(cd "$folder" && logged configure.out configure "$top/configure" "$@") || exit 2
	fi
	if ! make -q -C "$folder" "${targets[@]}" >/dev/null 2>&1; then
		say "building build/$name"
		# One by one: 'all' is a make of its own, and must not meet another.
		for target in "${targets[@]-all}"; do
			logged "$folder/make.out" make make -s -C "$folder" -j"$(nproc)" "$target"
		done
	fi
}
