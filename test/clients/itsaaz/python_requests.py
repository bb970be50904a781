"""requests.request with a ready-made string as data, so the library adds no content type of its own."""

import json
import os
from urllib.parse import quote

import requests

env = os.environ


def report(step, response):
    print(json.dumps({"step": step, "status": response.status_code, "body": response.json()}))
    return response.json()


payload = "&".join(
    [
        "grant_type=password",
        "client_id=" + quote(env["DARGAH_CLIENT_ID"], safe=""),
        "Client_secret=" + quote(env["DARGAH_CLIENT_SECRET"], safe=""),
        "username=" + quote(env["DARGAH_USERNAME"], safe=""),
        "password=" + quote(env["DARGAH_PASSWORD"], safe=""),
    ]
)
issued = report(
    "token",
    requests.request(
        "POST",
        env["DARGAH_BASE"] + "/identity/token",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        data=payload,
    ),
)
report(
    "info",
    requests.request(
        "POST",
        env["DARGAH_BASE"] + "/ai/etebar/info",
        headers={"Content-Type": "application/json", "Authorization": "Bearer " + issued["access_token"]},
        data=json.dumps({"NationalCode": env["DARGAH_NATIONAL_CODE"], "Cellphone": env["DARGAH_MOBILE"]}),
    ),
)
