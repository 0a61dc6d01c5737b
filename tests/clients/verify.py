"""Verifies requests with the WireMock client from PyPI: python verify.py URL"""

import sys
import urllib.error
import urllib.request

from wiremock.client import NearMissMatchPatternRequest, Requests
from wiremock.constants import Config
from wiremock.exceptions import ClientException, NotFoundException

url = sys.argv[1]
Config.base_url = url + "/__admin"

QUERY = "/v1/messages?conversation_id=xxxxxx&page=1&page_size=100"


def ask(path, key="your_apikey"):
    request = urllib.request.Request(url + path, headers={"Authorization": "Bearer " + key})
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code


def pattern(**fields):
    return NearMissMatchPatternRequest(**fields)


def count(parameters=None, **fields):
    return Requests.get_matching_request_count(pattern(**fields), parameters or {}).count


Requests.reset_request_journal()
assert ask(QUERY) == 200
assert ask("/s/py" + QUERY + "&sort=asc") == 200
assert ask("/v1/nothing") == 404

# How often, by every kind of pattern that the client writes.
assert count(method="GET") == 3
assert count(method="POST") == 0
assert count(url=QUERY) == 1
assert count(url_path="/v1/messages") == 2
assert count(url_pattern=r"/v1/messages\?.*page_size=100") == 1
assert count(url_path_pattern="/v1/.*") == 3
assert count(headers={"Authorization": {"equalTo": "Bearer your_apikey"}}) == 3
assert count(query_parameters={"page": {"equalTo": "1"}, "sort": {"absent": True}}) == 1
assert count({"sandbox": "py"}, method="ANY") == 1

# What they were.
everything = Requests.get_all_received_requests(parameters={})
assert (everything.meta.total, everything.request_journal_disabled) == (3, False)
newest = everything.requests[0]
assert newest.request.url == "/v1/nothing" and newest.response_definition.status == 404
assert not newest.response_definition.from_configured_stub
assert newest.request.headers["authorization"] == "Bearer ****ikey"
assert newest.request.client_ip == "127.0.0.1" and newest.request.logged_date > 0
assert len(Requests.get_all_received_requests(limit=2, parameters={}).requests) == 2
late = Requests.get_all_received_requests(since="2090-01-01T00:00:00Z", parameters={})
assert late.requests == []

one = Requests.get_request(newest.id)
assert one.id == newest.id and one.request.absolute_url == url + "/v1/nothing"
found = Requests.get_matching_requests(pattern(url_path="/v1/messages")).requests
assert [request.url for request in found] == [QUERY, "/s/py" + QUERY + "&sort=asc"]
assert [request.url for request in Requests.get_unmatched_requests().requests] == ["/v1/nothing"]

# What is not right.
try:
    count(url_pattern="(")
    raise SystemExit("an expression that does not compile was taken")
except ClientException as error:
    assert "does not compile" in str(error), error
try:
    Requests.get_request("00000000-0000-4000-8000-ffffffffffff")
    raise SystemExit("a request that there never was was found")
except NotFoundException:
    pass

Requests.reset_request_journal()
assert count(method="ANY") == 0
print("PyPI: the client verifies requests")
