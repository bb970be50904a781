#!/bin/sh
# HTTPie: --form for the token, its default (JSON, its own Accept) for the call.
set -eu

report() {
	step=$1
	shift
	answer=$(http --ignore-stdin --follow --timeout 3600 --pretty none --print hb "$@" | tr -d '\r')
	status=$(printf '%s\n' "$answer" | sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p')
	body=$(printf '%s\n' "$answer" | sed '1,/^$/d')
	printf '{"step":"%s","status":%s,"body":%s}\n' "$step" "${status:-0}" "$body"
}

issued=$(report token --form POST "$DARGAH_BASE/identity/token" \
	'grant_type'='password' \
	'client_id'="$DARGAH_CLIENT_ID" \
	'Client_secret'="$DARGAH_CLIENT_SECRET" \
	'username'="$DARGAH_USERNAME" \
	'password'="$DARGAH_PASSWORD" \
	Content-Type:'application/x-www-form-urlencoded')
printf '%s\n' "$issued"

token=$(printf '%s' "$issued" | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')

report info POST "$DARGAH_BASE/ai/etebar/info" \
	NationalCode="$DARGAH_NATIONAL_CODE" \
	Cellphone="$DARGAH_MOBILE" \
	Authorization:"Bearer $token"
