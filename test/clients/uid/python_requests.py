"""requests with the body as a dict and the 20 seconds of patience that clients of this API show."""

import json
import os

import requests

env = os.environ
question = {
    "requestContext": {
        "apiInfo": {
            "businessId": env["DARGAH_BUSINESS_ID"],
            "businessToken": env["DARGAH_BUSINESS_TOKEN"],
        }
    },
    "nationalId": env["DARGAH_NATIONAL_CODE"],
    "birthDate": env["DARGAH_BIRTH_DATE"],
}
response = requests.post(f"{env['DARGAH_BASE']}/api/inquiry/person", json=question, timeout=20)
print(json.dumps({"step": "person", "status": response.status_code, "body": response.json()}))
