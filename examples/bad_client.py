"""A client with many mistakes, most of which get no error response. Standard library only.

    gptbots-mock exec --deny all -- python3 examples/bad_client.py
"""

import os
import urllib.error
import urllib.parse
import urllib.request

URL, KEY = os.environ["GPTBOTS_MOCK_URL"], os.environ["GPTBOTS_MOCK_KEY"]
WINDOW = {"start_time": 0, "end_time": 9999999999999}


def get(path, **query):
    url = f"{URL}{path}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {KEY}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.read()


# Skips page 2.
for page in (1, 3):
    get("/v1/bot/conversation/page", conversation_type="ALL", page=page, page_size=80, **WINDOW)

# Ignores the total, and requests pages after the last one.
for page in (1, 2, 3, 4, 5):
    get("/v1/bot/conversation/page", conversation_type="ALL", page=page, page_size=75, **WINDOW)

# Misspells user_id. The vendor ignores unknown parameters, so the response has all users.
get("/v1/bot/conversation/page", conversation_type="ALL", userid="3", page=1, page_size=10, **WINDOW)

# Repeats a request that was refused because the conversation does not exist.
for _ in range(3):
    get("/v1/messages", conversation_id="nobody", page=1, page_size=10)

# Sends the key in the URL, which every proxy logs.
get("/v1/message/qa/record/page", user_feedback="ALL", page=1, page_size=10, api_key=KEY, **WINDOW)
