"""requests with a session that keeps the page's headers: sends, asks, schedules and cancels."""

import json
import os
import time

import requests

base = os.environ["DARGAH_BASE"]
line = os.environ["DARGAH_LINE"]
mobile = os.environ["DARGAH_MOBILE"]
session = requests.Session()
session.headers.update({"Cache-Control": "no-cache", "Accept": "application/json"})


def call(step, method, path, body=None, params=None):
    response = session.request(method, f"{base}/{path}", json=body, params=params)
    print(json.dumps({"step": step, "status": response.status_code, "body": response.json()}))
    return response.json()


issued = call("token", "POST", "auth/token", {
    "userName": os.environ["DARGAH_USERNAME"],
    "password": os.environ["DARGAH_PASSWORD"],
    "domain": os.environ["DARGAH_DOMAIN"],
})
session.headers["Authorization"] = f"Bearer {issued['token']}"

one = {"senderNumber": f"+98{line}", "recipientNumber": mobile, "content": "کد شما: ۱۲۳۴"}
call("send", "POST", "messages/send", one)
sent = call("bulk", "POST", "messages/send/bulk", {
    "senderNumbers": [line],
    "recipientNumbers": [mobile, "+989351234567", "989131234567"],
    "contents": ["سلام به همه"],
})
call("status", "POST", "messages/status", {"sentMessageIdes": sent["messageIds"]})

scheduled = call("schedule", "POST", "messages/send", {**one, "sendTimestamp": int(time.time()) + 3600})
call("waiting", "GET", f"messages/status/{scheduled['batchId']}")
call("cancel", "DELETE", f"messages/send/scheduled/{scheduled['batchId']}/")
call("cancelled", "POST", "messages/status", {"sentMessageIdes": scheduled["messageIds"]})
call("recent", "GET", "messages/received/recent", params={"count": 10})
