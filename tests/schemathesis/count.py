"""Counts what Schemathesis asked and checked, and fails where that is less than it should be:
python count.py REPORT..."""

import base64
import collections
import json
import sys
import tomllib
import urllib.parse
from pathlib import Path

from schemathesis.checks import CHECKS, load_all_checks

import checks  # noqa: F401 (its check is one of CHECKS)

# Typed from the vendor's pages, not counted in the document: it could leave one out.
OPERATIONS = 4
# Of each operation.
LEAST = 500
# Answers with rows: random ids and windows alone would bring next to none.
LEAST_WITH_ROWS = 100
STATUSES = (200, 400, 401)

settings = tomllib.loads(Path("schemathesis.toml").read_text())["checks"]
left_out = {name for name, check in settings.items() if not check["enabled"]}


def has_rows(response):
    body = json.loads(base64.b64decode(response["content"]["$base64"]))
    return any(isinstance(value, list) and value for value in body.values())


answers = collections.Counter()
with_rows = collections.Counter()
checked = collections.Counter()
for report in sys.argv[1:]:
    with open(report) as lines:
        recorders = [json.loads(line).get("ScenarioFinished", {}).get("recorder") for line in lines]
    for recorder in filter(None, recorders):
        for call in recorder.get("interactions", {}).values():
            path = urllib.parse.urlsplit(call["request"]["uri"]).path
            status = (call["response"] or {}).get("status_code")
            answers[path, status] += 1
            with_rows[path] += status == 200 and has_rows(call["response"])
        for results in recorder.get("checks", {}).values():
            checked.update((result["name"], result["status"]) for result in results)

requests = sum(answers.values())
for (path, status), number in sorted(answers.items(), key=str):
    rows = f", {with_rows[path]} times with rows" if status == 200 else ""
    print(f"{number:6} {path} answered {status}{rows}")
for (name, status), number in sorted(checked.items()):
    print(f"{number:6} {name}: {status}")
print(f"{requests} requests")

load_all_checks()
wanted = set(CHECKS.get_all_names()) - left_out
assert {status for _, status in checked} == {"success"}, "a check failed"
assert {name for name, _ in checked} == wanted, f"the checks should have been {sorted(wanted)}"
paths = list(json.loads(Path("openapi.json").read_text())["paths"])
assert len(paths) == OPERATIONS, f"the document has {len(paths)} operations, not {OPERATIONS}"
for path in paths:
    asked = sum(number for (of, _), number in answers.items() if of == path)
    assert asked >= LEAST, f"{path} was asked {asked} times, not {LEAST}"
    for status in STATUSES:
        assert answers[path, status], f"{path} never answered {status}"
    rows = with_rows[path]
    assert rows >= LEAST_WITH_ROWS, f"{path} answered rows {rows} times, not {LEAST_WITH_ROWS}"
