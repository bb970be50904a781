#!/bin/sh
# curl the way Postman exports it: --location, --request POST, one --data-urlencode for each field.
set -eu

newline='
'

report() {
	step=$1
	shift
	answer=$(curl --silent --show-error --write-out '\n%{http_code}' "$@")
	body=${answer%"$newline"*}
	printf '{"step":"%s","status":%s,"body":%s}\n' "$step" "${answer##*"$newline"}" "$body"
}

issued=$(report token --location --request POST "$DARGAH_BASE/identity/token" \
	--header 'Content-Type: application/x-www-form-urlencoded' \
	--data-urlencode 'grant_type=password' \
	--data-urlencode "client_id=$DARGAH_CLIENT_ID" \
	--data-urlencode "Client_secret=$DARGAH_CLIENT_SECRET" \
	--data-urlencode "username=$DARGAH_USERNAME" \
	--data-urlencode "password=$DARGAH_PASSWORD")
printf '%s\n' "$issued"

token=$(printf '%s' "$issued" | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')

report info --location --request POST "$DARGAH_BASE/ai/etebar/info" \
	--header "Authorization: Bearer $token" \
	--header 'Content-Type: application/json' \
	--data-raw "{\"NationalCode\": \"$DARGAH_NATIONAL_CODE\", \"Cellphone\": \"$DARGAH_MOBILE\"}"
