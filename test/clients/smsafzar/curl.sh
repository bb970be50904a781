#!/bin/sh
# curl with short options and the three headers that the page sends on every call.
set -eu

newline='
'

report() {
	step=$1
	shift
	answer=$(curl -sS -w '\n%{http_code}' "$@" \
		-H 'Content-Type: application/json' \
		-H 'Cache-Control: no-cache' \
		-H 'Accept: application/json')
	body=${answer%"$newline"*}
	printf '{"step":"%s","status":%s,"body":%s}\n' "$step" "${answer##*"$newline"}" "$body"
}

issued=$(report token -X POST "$DARGAH_BASE/auth/token" -d "{
\"userName\": \"$DARGAH_USERNAME\",
\"password\": \"$DARGAH_PASSWORD\",
\"domain\": \"$DARGAH_DOMAIN\"
}")
printf '%s\n' "$issued"

token=$(printf '%s' "$issued" | sed -n 's/.*"token" *: *"\([^"]*\)".*/\1/p')

report balance "$DARGAH_BASE/account/balance" -H "Authorization: Bearer $token"
