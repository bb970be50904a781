#!/usr/bin/env bash
# Everything that must hold before a change lands: set up, check, test; then a summary of each step.
# A step that fails does not stop the next. SETUP=no leaves the machine as it is.
set -uo pipefail
cd "$(dirname "$0")/.."

# A make above must not lend its job slots to the makes below.
unset MAKEFLAGS MFLAGS MAKELEVEL

started=$SECONDS
summary=''
status=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

main() {
	setup
	step tidy make -s tidy-check
	step gofmt make -s fmt-check
	step vet make -s vet
	step lint make -s lint
	step test run_tests
	echo
	echo "== summary"
	printf '%s' "$summary"
	[ -s "$work/count" ] && cat "$work/count"
	if [ "$status" = 0 ]; then
		echo "make test: ok, $((SECONDS - started)) s"
	else
		echo "make test: FAILED, $((SECONDS - started)) s"
	fi
	exit "$status"
}

# Where everything is installed, a client or server that cannot run is a failure and not a skip.
setup() {
	[ "${SETUP:-}" = no ] && return
	local from=$SECONDS
	echo "== setup"
	bash scripts/setup.sh
	case $? in
	0)
		export REQUIRE_CLIENTS=1 REQUIRE_SERVERS=1
		note ok setup "$from"
		;;
	3) note incomplete setup "$from" ;;
	*)
		status=1
		note FAILED setup "$from"
		;;
	esac
}

step() {
	local name=$1 from=$SECONDS
	shift
	echo "== $name"
	if "$@"; then
		note ok "$name" "$from"
	else
		status=1
		note FAILED "$name" "$from"
	fi
}

note() {
	summary+=$(printf '%-10s %-6s %4d s' "$1" "$2" "$((SECONDS - $3))")$'\n'
}

run_tests() {
	go build -o "$work/testreport" ./scripts/testreport || return 1
	# What go vet looks for has been looked for.
	make -s race FLAGS='-json -vet=off' | "$work/testreport" -count "$work/count"
}

main
