#!/bin/sh
# curl with the page's request as it stands: credentials in the body, charset in the content type.
set -eu

newline='
'

answer=$(curl --silent --show-error --write-out '\n%{http_code}' \
	--request POST "$DARGAH_BASE/api/inquiry/person" \
	--header 'Content-Type: application/json;charset=UTF-8' \
	--data "{
  \"requestContext\" : {
    \"apiInfo\" : {
      \"businessId\" : \"$DARGAH_BUSINESS_ID\",
      \"businessToken\" : \"$DARGAH_BUSINESS_TOKEN\"
    }
  },
  \"nationalId\" : \"$DARGAH_NATIONAL_CODE\",
  \"birthDate\" : \"$DARGAH_BIRTH_DATE\"
}")
body=${answer%"$newline"*}
printf '{"step":"person","status":%s,"body":%s}\n' "${answer##*"$newline"}" "$body"
