#!/usr/bin/env bash
# Installs what the tests need beside Go, git, make and a C compiler, and only what is missing:
# golangci-lint and npm packages into .tools/, client programs and servers from Debian where that can be done.
# Exit status 0: all there. 3: something could not be had, and is named; the tests then skip it.
set -uo pipefail
cd "$(dirname "$0")/.."

linter_version=2.15.0
export PATH="/usr/bin:$PATH"
rows=$(sed '/^#/d; /^$/d' test/clients/tools.txt)

main() {
	install_linter &
	install_programs
	install_modules
	wait
	local missing
	missing=$(report_missing)
	[ -z "$missing" ] && return 0
	echo "missing, and left out of the tests:"
	echo "$missing"
	return 3
}

# The linter must be built by the Go in use: one built by an older Go refuses newer code.
install_linter() {
	linter_ready && return
	GOBIN="$PWD/.tools/bin" GOFLAGS='' go install \
		"github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$linter_version" \
		|| echo "golangci-lint could not be installed: make lint will fail" >&2
}

linter_ready() {
	local said
	said=$(.tools/bin/golangci-lint version 2>/dev/null) || return 1
	case $said in
	*"version $linter_version built with $(go env GOVERSION) "*) return 0 ;;
	*"version v$linter_version built with $(go env GOVERSION) "*) return 0 ;;
	*) return 1 ;;
	esac
}

install_programs() {
	local wanted
	wanted=$(missing_packages)
	[ -n "$wanted" ] || return 0
	command -v apt-get >/dev/null || return 0
	if ! as_root true 2>/dev/null; then
		echo "no right to install packages here; as root: apt-get install" $wanted >&2
		return 0
	fi
	apt_get update || echo "the package lists could not be brought up to date" >&2
	# Ubuntu lacks some of the names; one unknown name would fail the whole installation.
	wanted=$(for package in $wanted; do apt-cache show "$package" >/dev/null 2>&1 && echo "$package"; done)
	[ -n "$wanted" ] || return 0
	apt_get install -y --no-install-recommends $wanted || echo "apt-get did not succeed" >&2
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

# As we are when that is root, else by sudo where it asks for no password.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

missing_packages() {
	while read -r package check; do
		sh -c "$check" >/dev/null 2>&1 </dev/null || echo "$package"
	done <<<"$rows"
}

# The folders with a lock file of npm packages, each with the one below .tools that they are installed into.
modules='test/clients/node:node test/smsc:smsc'

install_modules() {
	command -v npm >/dev/null || return 0
	local pair
	for pair in $modules; do
		install_module "${pair%:*}" ".tools/${pair#*:}"
	done
}

install_module() {
	module_ready "$1" "$2" && return
	mkdir -p "$2"
	cp "$1"/package.json "$1"/package-lock.json "$1"/.npmrc "$2"/
	(cd "$2" && npm ci --ignore-scripts --loglevel=error && cp package-lock.json installed.json) \
		|| echo "npm ci did not succeed for $1" >&2
}

# The lock file is copied once the installation is complete, so half of one does not count.
module_ready() {
	cmp -s "$1"/package-lock.json "$2"/installed.json
}

report_missing() {
	missing_packages | sed 's/^/  Debian package /'
	local pair
	for pair in $modules; do
		module_ready "${pair%:*}" ".tools/${pair#*:}" || echo "  npm packages of ${pair%:*}"
	done
	linter_ready || echo "  golangci-lint $linter_version"
}

main
