"""A client that gets answers and does nearly everything wrong. Standard library only.

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


# Counts in twos, and so leaves every second page out.
for page in (1, 3):
    get("/v1/bot/conversation/page", conversation_type="ALL", page=page, page_size=80, **WINDOW)

# Does not look at the total, and goes on behind the last page.
for page in (1, 2, 3, 4, 5):
    get("/v1/bot/conversation/page", conversation_type="ALL", page=page, page_size=75, **WINDOW)

# Misspells a parameter, which the vendor ignores: all users' conversations come.
get("/v1/bot/conversation/page", conversation_type="ALL", userid="3", page=1, page_size=10, **WINDOW)

# Hopes that a conversation which is not there will be there the next time.
for _ in range(3):
    get("/v1/messages", conversation_id="nobody", page=1, page_size=10)

# Puts the key where every proxy logs it.
get("/v1/message/qa/record/page", user_feedback="ALL", page=1, page_size=10, api_key=KEY, **WINDOW)
