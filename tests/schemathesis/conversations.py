"""Prints every conversation_id that a key may ask for, as a dictionary of Schemathesis, one a line:
python conversations.py URL KEY"""

import itertools
import json
import sys
import urllib.request

url, key = sys.argv[1:]
QUERY = "conversation_type=ALL&start_time=0&end_time=9999999999999&page_size=100"

for page in itertools.count(1):
    request = urllib.request.Request(
        f"{url}/v1/bot/conversation/page?{QUERY}&page={page}",
        headers={"Authorization": "Bearer " + key},
    )
    answer = json.load(urllib.request.urlopen(request))
    if not {"list", "total"} <= answer.keys():
        sys.exit(f"{request.full_url} answered without a list or its total: {answer}")
    for row in answer["list"]:
        print(json.dumps(row["conversation_id"]))
    if page * 100 >= answer["total"]:
        break
