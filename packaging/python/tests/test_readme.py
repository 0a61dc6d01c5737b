"""The examples of the README and of the skill for coding agents work."""

from __future__ import annotations

import re
import types
from pathlib import Path

import pytest

import gptbots_mock

README = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
SKILL = Path(gptbots_mock.__file__).parent.joinpath(".agents/skills/gptbots-mock/SKILL.md")
PYTEST, SERVER, AGENT = re.findall(
    r"```python\n(.*?)```", README + SKILL.read_text(encoding="utf-8"), re.DOTALL
)

# It requests all pages, and repeats a request that failed.
CLIENT = """
import json
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

def get(url, key, page):
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)
    query = "conversation_type=ALL&start_time=0&end_time=9999999999999&page_size=50"
    path = f"{parts.path}/v1/bot/conversation/page?{query}&page={page}"
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body

def export_conversations(url, key):
    rows, total, page = [], 1, 1
    while len(rows) < total:
        status, body = get(url, key, page)
        if status != 200:
            # The verdict finds retries without a pause.
            time.sleep(0.2)
            continue
        rows += body["list"]
        total = body["total"]
        page += 1
    return rows
"""


@pytest.mark.parametrize("example", [PYTEST, AGENT], ids=["README", "skill"])
def test_the_example_for_pytest(pytester: pytest.Pytester, example: str) -> None:
    pytester.makepyfile(my_client=CLIENT, test_export=example)
    result = pytester.runpytest("-W", "error")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["verdict: 5 requests, nothing found, *"])


def test_the_example_for_everything_else() -> None:
    exec(SERVER, vars(types.ModuleType("example")))


def test_the_settings_are_those_of_the_plugin(pytester: pytest.Pytester) -> None:
    from gptbots_mock.pytest_plugin import SETTINGS

    table = re.findall(r"^\| (`.*?) \|", README, re.MULTILINE)
    named = [name for row in table for name in re.findall(r"`(\w+)`", row)]
    assert named == [name for name, _, _ in SETTINGS]
    text = pytester.runpytest("--help").stdout.str()
    for name in named:
        assert f"--gptbots-mock-{name.replace('_', '-')}" in text
        assert f"gptbots_mock_{name} (" in text


def test_the_words_are_those_of_a_sandbox() -> None:
    from gptbots_mock import Sandbox

    words = re.search(r"A sandbox has (.*?)\. Everything", README, re.DOTALL)
    assert words is not None
    public = {name for name in vars(Sandbox) if not name.startswith("_")} - {"api_key"}
    assert set(re.findall(r"`(\w+)`", words[1])) == public
