#!/bin/sh
# curl with the page's own names; the token goes out as the page says, in the header Authorization.
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

issued=$(report token --request POST "$DARGAH_BASE/api/v1/user/authenticate" \
	--header 'Content-Type: application/json' \
	--data "{
  \"Username\" : \"$DARGAH_USERNAME\",
  \"Password\" : \"$DARGAH_PASSWORD\",
  \"VirtualNumber\" : \"$DARGAH_LINE\",
  \"TokenValidDay\" : 15
}")
printf '%s\n' "$issued"

token=$(printf '%s' "$issued" | sed -n 's/.*"Token" *: *"\([^"]*\)".*/\1/p')

report credit "$DARGAH_BASE/api/v1/credit" --header "Authorization: Bearer $token"
