"""Which answer a request gets, beyond what a schema can say. Schemathesis loads it as its hooks.

Its own checks tell positive from negative data by how they were made. This one reads the request as
it was sent, because negative_data_rejection takes each negative query of the coverage phase that
has one right parameter for accepted with reason (4.32.5), and every 400 is the same to it."""

import json
import os
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import schemathesis

PATHS = json.loads(Path("openapi.json").read_text())["paths"]
CONVERSATIONS = set(map(json.loads, Path("conversations.dict").read_text().splitlines()))


def fits(text, schema):
    if schema["type"] == "string":
        return text in schema.get("enum", [text])
    low, high = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
    return re.fullmatch("-?[0-9]+", text) is not None and low <= int(text) <= high


def is_well_formed(parameters, query):
    for parameter in parameters:
        texts = query.get(parameter["name"], [""])
        if len(texts) > 1:
            return False
        # Empty is as good as absent.
        if parameter["required"] if texts == [""] else not fits(texts[0], parameter["schema"]):
            return False
    return True


def said(path, query):
    """The (status, code) pairs of which one answers a request."""
    if not is_well_formed(PATHS[path]["get"]["parameters"], query):
        return {(400, 40000)}
    if "conversation_id" not in query:
        backwards = int(query["start_time"][0]) > int(query["end_time"][0])
        return {(400, 40000)} if backwards else {(200, None)}
    if query["conversation_id"][0] not in CONVERSATIONS:
        return {(400, 40356)}
    return {(200, None)} if int(query["page"][0]) == 1 else {(200, None), (400, 40005)}


@schemathesis.check
def answered_as_said(ctx, response, case):
    if response.request.method != "GET":
        return
    url = urlsplit(response.request.url)
    right = said(url.path, parse_qs(url.query, keep_blank_values=True))
    if response.request.headers.get("Authorization") != "Bearer " + os.environ["API_KEY"]:
        right = {(401, 40127)}
    got = (response.status_code, response.json().get("code"))
    assert got in right, f"answered {got}, not one of {right}"
