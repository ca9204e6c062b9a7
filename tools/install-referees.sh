#!/usr/bin/env bash
# Installs the simulators and tools that judge vlec from outside, where they are
# missing and may be installed. It never fails: tests whose referee is not there
# say so and are skipped, and `vlec doctor` lists what was found.
#
# VLEC_NO_INSTALL=1 leaves the machine alone.
set -u
exec </dev/null >&2

# command:Debian package
referees=(
	ngspice:ngspice
	iverilog:iverilog
	verilator:verilator
	yosys:yosys
	nextpnr-ice40:nextpnr-ice40
	icepack:fpga-icestorm
	dot:graphviz
)

missing=()
for r in "${referees[@]}"; do
	command -v "${r%%:*}" >/dev/null || missing+=("${r##*:}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

leave() {
	echo "referees missing: ${missing[*]}"
	echo "not installed: $1; the tests that need them are skipped"
	echo "by hand, on Debian or Ubuntu: sudo apt-get install --no-install-recommends ${missing[*]}"
	exit 0
}

[ -z "${VLEC_NO_INSTALL:-}" ] || leave "VLEC_NO_INSTALL is set"
command -v apt-get >/dev/null || leave "there is no apt-get here"
as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null && sudo -n true 2>/dev/null || leave "this needs root, and sudo asks for a password or is not there"
	as_root=(sudo -n)
fi

echo "installing referees: ${missing[*]}"
install() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}
install 2>/dev/null || { "${as_root[@]}" apt-get update -qq && install; } || leave "apt-get failed"
