"""The standard library's http.client: one connection, a ready-made body string, a header dict."""

import http.client
import json
import os
from urllib.parse import quote, urlsplit

env = os.environ
server = urlsplit(env["DARGAH_BASE"])
conn = http.client.HTTPConnection(server.hostname, server.port)


def report(step, path, payload, headers):
    conn.request("POST", path, payload, headers)
    res = conn.getresponse()
    body = json.loads(res.read().decode("utf-8"))
    print(json.dumps({"step": step, "status": res.status, "body": body}))
    return body


issued = report(
    "token",
    "/identity/token",
    "grant_type=password"
    f"&client_id={quote(env['DARGAH_CLIENT_ID'], safe='')}"
    f"&Client_secret={quote(env['DARGAH_CLIENT_SECRET'], safe='')}"
    f"&username={quote(env['DARGAH_USERNAME'], safe='')}"
    f"&password={quote(env['DARGAH_PASSWORD'], safe='')}",
    {"Content-Type": "application/x-www-form-urlencoded"},
)
report(
    "info",
    "/ai/etebar/info",
    json.dumps({"NationalCode": env["DARGAH_NATIONAL_CODE"], "Cellphone": env["DARGAH_MOBILE"]}),
    {"Content-Type": "application/json", "Authorization": f"Bearer {issued['access_token']}"},
)
