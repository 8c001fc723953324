#!/usr/bin/env bash
#
# Builds CloudOS and runs it: as a Linux process, or in QEMU on x86_64 or ARM64. See --help.
#
set -u
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/scripts/common.sh"

usage() {
	cat <<'END'
usage: ./run.sh [--machine host|x86_64|arm64] [OPTION]... [-- COMMAND [ARGUMENT]...]

Builds CloudOS if need be (installing missing Debian packages first), and boots it. COMMAND is a
program of the root image, such as /bin/hello; its standard input, output and exit status are
those of run.sh, on every machine. Without a command, the first program of the root image runs.

  --machine MACHINE  host (default): the simulator, a Linux process. x86_64, arm64: in QEMU
  --mem SIZE         memory, such as 256M
  --cpus N           number of CPUs
  --disk FILE        a disk image; may be given more than once
  --initrd FILE      another root image
  --append TEXT      more kernel options, such as "selftest=1"
  --kernel hal-test  boots the tests of the HAL contract in the kernel's place
  --trace FILE       writes a trace of the run that Perfetto (ui.perfetto.dev) opens
  -v                 shows the kernel log, on standard error
  --build            builds, and runs nothing
  --help             this text

Only on the host machine, handed to cloudos-sim (see its --help): --seed N, --console, --headless.
Only in QEMU: --gic 2|3 (arm64), --iso (x86_64: boots a GRUB image), --uefi (the same under UEFI),
--gdb (waits for gdb at port 1234). CLOUDOS_QEMU holds more options for QEMU.

In a terminal, Ctrl-A x ends the machine.
END
}

bad() {
	say "$*"
	echo "Try ./run.sh --help" >&2
	exit 2
}

machine=host
verbose=no build_only=no has_command=no
mem='' cpus='' initrd='' trace='' append='' gic=3 kernel=kernel iso=no uefi=no gdb=no
disks=() sim_only=() qemu_only=() command=()

parse() {
	while [ $# -gt 0 ]; do
		local option=$1 value
		case $option in
		--) # the command
			shift
			[ $# -gt 0 ] || bad "-- needs a command behind it"
			has_command=yes command=("$@")
			return
			;;
		--*=*)
			value=${option#*=} option=${option%%=*}
			shift
			set -- "$option" "$value" "$@"
			;;
		esac
		case $option in
		--machine | --mem | --cpus | --disk | --initrd | --append | --trace | --seed | \
			--console | --gic | --kernel)
			[ $# -gt 1 ] || bad "$option needs a value"
			value=$2
			shift
			;;
		esac
		case $option in
		--machine) machine=$value ;;
		--mem) mem=$value ;;
		--cpus) cpus=$value ;;
		--disk) disks+=("$value") ;;
		--initrd) initrd=$value ;;
		--append) append+=" $value" ;;
		--trace) trace=$value ;;
		--seed | --console) sim_only+=("$option" "$value") ;;
		--headless) sim_only+=("$option") ;;
		--kernel) kernel=$value ;;
		--gic) gic=$value qemu_only+=("$option") ;;
		--iso) iso=yes qemu_only+=("$option") ;;
		--uefi) iso=yes uefi=yes qemu_only+=("$option") ;;
		--gdb) gdb=yes qemu_only+=("$option") ;;
		-v | --verbose) verbose=yes ;;
		--build) build_only=yes ;;
		-h | --help)
			usage
			exit 0
			;;
		*) bad "unknown option '$option' (a command comes behind --)" ;;
		esac
		shift
	done
}

check_arguments() {
	local disk
	case $machine in
	host) [ ${#qemu_only[@]} = 0 ] || bad "${qemu_only[0]} is for the machines in QEMU" ;;
	x86_64 | arm64) [ ${#sim_only[@]} = 0 ] || bad "${sim_only[0]} is for --machine host" ;;
	*) bad "no machine '$machine': take host, x86_64 or arm64" ;;
	esac
	[[ $cpus =~ ^([1-9][0-9]?)?$ ]] || bad "--cpus $cpus: give a number from 1 to 64"
	[[ $mem =~ ^([1-9][0-9]*[KMG]?)?$ ]] || bad "--mem $mem: give a size such as 256M"
	[[ $gic =~ ^[23]$ ]] || bad "--gic $gic: give 2 or 3"
	[[ $kernel =~ ^(kernel|hal-test)$ ]] || bad "--kernel $kernel: give kernel or hal-test"
	for disk in ${disks+"${disks[@]}"} ${initrd:+"$initrd"}; do
		[ -r "$disk" ] || bad "$disk: cannot be read"
	done
}

build() {
	local options=("--with-hal=$machine")
	mkdir -p "$top/build"
	case $machine in
	host) need_packages run ;;
	*) need_packages run "$machine" ;;
	esac
	if [ "$machine" = arm64 ]; then
		"$top/scripts/fetch-musl" || true # says what is missing then
	fi
	need_configure
	build_tree "$machine" --target "$kernel-all" --target root.cpio "${options[@]}"
	tree=$top/build/$machine
	case $machine:$kernel in
	host:kernel) image=$tree/cloudos-sim ;;
	x86_64:kernel) image=$tree/cloudos.elf ;;
	arm64:kernel) image=$tree/Image ;;
	host:*) image=$tree/$kernel ;;
	x86_64:*) image=$tree/$kernel.elf ;;
	arm64:*) image=$tree/$kernel.Image ;;
	esac
	initrd=${initrd:-$tree/root.cpio}
}

# quote WORD: as core/options.h reads it.
quote() {
	local word=$1
	word=${word//\\/\\\\}
	word=${word//\"/\\\"}
	case $word in
	'' | *[[:space:]\"\\]*) printf '"%s"' "$word" ;;
	*) printf '%s' "$word" ;;
	esac
}

kernel_options() {
	local line=''
	[ $verbose = yes ] || line+=' quiet'
	[ -z "$trace" ] || line+=' trace'
	line+=$append
	if [ $has_command = yes ]; then
		line+=' --'
		for word in "${command[@]}"; do
			line+=" $(quote "$word")"
		done
	fi
	printf '%s' "${line# }"
}

run_host() {
	local arguments=(--initrd "$initrd") disk
	[ -z "$mem" ] || arguments+=(--mem "$mem")
	[ -z "$cpus" ] || arguments+=(--cpus "$cpus")
	[ -z "$append" ] || arguments+=(--append "${append# }")
	[ -z "$trace" ] || arguments+=(--trace "$trace")
	[ $verbose = no ] || arguments+=(-v)
	for disk in ${disks+"${disks[@]}"}; do
		arguments+=(--disk "$disk")
	done
	arguments+=(${sim_only+"${sim_only[@]}"})
	[ $has_command = no ] || arguments+=(-- "${command[@]}")
	exec "$image" "${arguments[@]}"
}

# The devices, in the order in which the kernel finds them: the user's console comes first, the
# trace channel second. $1: the suffix of virtio devices on this machine's bus.
add_devices() {
	local bus=$1 slot=0 disk console=stdio,id=console,signal=off
	[ ! -t 0 ] || console+=,mux=on # for Ctrl-A x
	place() {
		slot=$((slot + 1))
		if [ "$bus" = pci ]; then
			printf 'addr=0x%x' $((slot + 8))
		else
			printf 'bus=virtio-mmio-bus.%d' $((slot - 1))
		fi
	}
	qemu+=(-chardev "$console")
	place_=$(place) slot=$((slot + 1))
	qemu+=(-device "virtio-serial-$bus,id=serial0,max_ports=1,$place_")
	qemu+=(-device "virtconsole,bus=serial0.0,chardev=console")
	if [ -n "$trace" ]; then
		qemu+=(-chardev "file,id=trace,path=$trace")
		place_=$(place) slot=$((slot + 1))
		qemu+=(-device "virtio-serial-$bus,id=serial1,max_ports=1,$place_")
		qemu+=(-device "virtconsole,bus=serial1.0,chardev=trace")
	fi
	for disk in ${disks+"${disks[@]}"}; do
		place_=$(place) slot=$((slot + 1))
		qemu+=(-drive "if=none,id=disk$slot,format=raw,file=${disk//,/,,}")
		qemu+=(-device "virtio-blk-$bus,drive=disk$slot,$place_")
	done
	place_=$(place) slot=$((slot + 1))
	qemu+=(-device "virtio-rng-$bus,$place_")
}

run_x86_64() {
	qemu=(qemu-system-x86_64 -M q35 -cpu max)
	add_common
	add_devices pci
	if [ $iso = yes ]; then
		local cd=$work/cloudos.iso
		"$top/scripts/make-iso" "$cd" "$image" "$initrd" "$(kernel_options)" \
			2>"$work/make-iso.log" || die "$(tail -n 3 "$work/make-iso.log")"
		qemu+=(-cdrom "$cd")
		[ $uefi = no ] || qemu+=(-bios /usr/share/ovmf/OVMF.fd)
	else
		qemu+=(-kernel "$image" -initrd "$initrd" -append "$(kernel_options)")
	fi
	run_qemu
}

run_arm64() {
	qemu=(qemu-system-aarch64 -M "virt,gic-version=$gic" -cpu cortex-a72
		-global virtio-mmio.force-legacy=false)
	add_common
	add_devices device
	qemu+=(-kernel "$image" -initrd "$initrd" -append "$(kernel_options)")
	run_qemu
}

add_common() {
	# With more virtual CPUs than cores, one that is not running may hold a lock that the others
	# spin for; so they take turns in one thread, which a spinning one gives up at once.
	local threads=multi
	[ "${cpus:-1}" -le "$(nproc)" ] || threads=single
	# shellcheck disable=SC2206
	qemu+=(-accel "tcg,thread=$threads" -m "${mem:-256M}" -smp "${cpus:-1}" -nodefaults
		-no-user-config -display none -no-reboot ${CLOUDOS_QEMU-})
	[ $gdb = no ] || qemu+=(-gdb tcp:127.0.0.1:1234 -S)
}

run_qemu() {
	local status qemu_status log=$work/log
	if [ $verbose = yes ]; then
		exec 3> >(tee "$log" >&2)
		qemu+=(-chardev "file,id=log,path=/dev/fd/3" -serial chardev:log)
	else
		qemu+=(-chardev "file,id=log,path=$log" -serial chardev:log)
	fi
	if [ -t 0 ]; then
		"${qemu[@]}" 2>"$work/qemu.err"
		qemu_status=$?
	else
		# The end of the input is no byte, and a serial line carries bytes alone: so the
		# console sees what a terminal sends for it, twice if a line is not ended.
		exec 4< <(cat; printf '\004\004')
		"${qemu[@]}" <&4 2>"$work/qemu.err"
		qemu_status=$?
		kill $! 2>/dev/null
		exec 4<&-
	fi
	if [ $verbose = yes ]; then
		exec 3>&-
		wait # for tee
	fi
	tr -d '\r' <"$log" >"$work/text"
	status=$(awk '/^cloudos: exit status [0-9]+$/ { s = $4 } END { print s }' "$work/text")
	if [ -z "$status" ]; then
		cat "$work/qemu.err" >&2
		say "the machine ended without an exit status (QEMU's: $qemu_status). Its log ends:"
		tail -n 20 "$work/text" >&2
		exit 125
	fi
	[ $verbose = yes ] || sed '/^cloudos: exit status/d' "$work/text" >&2
	exit "$status"
}

parse "$@"
check_arguments
build
[ $build_only = no ] || exit 0
if [ "$machine" != host ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/cloudos-run.XXXXXX")
	trap 'rm -rf "$work"' EXIT
fi
"run_$machine"
