"""requests.post with json=: the library writes the body and its content type."""

import json
import os

import requests

base = os.environ["DARGAH_BASE"]
headers = {"Cache-Control": "no-cache", "Accept": "application/json"}


def report(step, response):
    print(json.dumps({"step": step, "status": response.status_code, "body": response.json()}))
    return response.json()


account = {
    "userName": os.environ["DARGAH_USERNAME"],
    "password": os.environ["DARGAH_PASSWORD"],
    "domain": os.environ["DARGAH_DOMAIN"],
}
issued = report("token", requests.post(f"{base}/auth/token", json=account, headers=headers))
report("balance", requests.get(f"{base}/account/balance", headers={**headers, "Authorization": f"Bearer {issued['token']}"}))
