"""requests with names in lower case and the token alone in the header, without Bearer."""

import json
import os

import requests

base = os.environ["DARGAH_BASE"]


def report(step, response):
    print(json.dumps({"step": step, "status": response.status_code, "body": response.json()}))
    return response.json()


login = {
    "username": os.environ["DARGAH_USERNAME"],
    "password": os.environ["DARGAH_PASSWORD"],
    "virtualnumber": os.environ["DARGAH_LINE"],
    "tokenvalidday": 30,
}
answer = report("token", requests.post(f"{base}/api/v1/user/authenticate", json=login))
report("credit", requests.get(f"{base}/api/v1/credit", headers={"Authorization": answer["data"]["Token"]}))
