#!/bin/sh
# wget with --method and --body-data: the body is one string, encoded by the caller.
set -eu

# Every byte as %XX: legal, and what a shell can do without a tool of its own.
encode() {
	printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' '%'
}

report() {
	step=$1
	shift
	answer=$(wget --no-check-certificate --quiet --method POST --timeout=0 \
		--content-on-error --save-headers --output-document=- "$@" | tr -d '\r') || true
	status=$(printf '%s\n' "$answer" | sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p')
	body=$(printf '%s\n' "$answer" | sed '1,/^$/d')
	printf '{"step":"%s","status":%s,"body":%s}\n' "$step" "${status:-0}" "$body"
}

form="grant_type=password&client_id=$(encode "$DARGAH_CLIENT_ID")"
form="$form&Client_secret=$(encode "$DARGAH_CLIENT_SECRET")"
form="$form&username=$(encode "$DARGAH_USERNAME")&password=$(encode "$DARGAH_PASSWORD")"

issued=$(report token \
	--header 'Content-Type: application/x-www-form-urlencoded' \
	--body-data "$form" \
	"$DARGAH_BASE/identity/token")
printf '%s\n' "$issued"

token=$(printf '%s' "$issued" | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')

report info \
	--header "Authorization: Bearer $token" \
	--header 'Content-Type: application/json' \
	--body-data "{\"NationalCode\":\"$DARGAH_NATIONAL_CODE\",\"Cellphone\":\"$DARGAH_MOBILE\"}" \
	"$DARGAH_BASE/ai/etebar/info"
