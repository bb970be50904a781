#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for the time given (default 10s).
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}

# go test prints a package's targets, then the package's line: turn that into "package target".
targets=$(go test -list '^Fuzz' ./... | awk '
	/^Fuzz/ { names[++count] = $1; next }
	/^ok/   { for (i = 1; i <= count; i++) print $2, names[i] }
	        { count = 0 }')

[ -n "$targets" ] || { echo "there are no fuzz targets"; exit 1; }

failed=0
while read -r package target; do
	echo "== $target in $package, $time"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" || failed=1
done <<<"$targets"
exit $failed
