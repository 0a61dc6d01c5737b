"""Runs by itself, in parallel or under `gptbots-mock exec -- pytest examples/python`."""

import os
import re

import httpx
import pytest

from history import History, Refused

URL = os.environ["GPTBOTS_MOCK_URL"]
KEY = os.environ["GPTBOTS_MOCK_KEY"]
ALWAYS = (0, 9999999999999)


class Sandbox:
    """A world of a test's own: its name stands behind the key."""

    def __init__(self, name):
        self.key = f"{KEY}~{name}"
        self._control = f"{URL}/__admin/sandboxes/{name}"

    def set(self, **settings):
        httpx.put(self._control, json=settings).raise_for_status()

    def advance(self, seconds):
        clock = {"advance_ms": int(seconds * 1000)}
        httpx.post(f"{self._control}/clock", json=clock).raise_for_status()

    def client(self, **more):
        return History(URL, self.key, **more)


@pytest.fixture
def sandbox(request):
    return Sandbox(re.sub(r"[^A-Za-z0-9._-]", "-", request.node.name)[:64])


def test_every_conversation_comes_once(sandbox):
    with sandbox.client() as client:
        ids = [row["conversation_id"] for row in client.conversations(*ALWAYS)]
    assert len(ids) == len(set(ids)) == 200


def test_every_message_comes_once(sandbox):
    with sandbox.client() as client:
        conversation = next(client.conversations(*ALWAYS))
        messages = list(client.messages(conversation["conversation_id"]))
    assert len(messages) == conversation["message_count"]


@pytest.mark.parametrize("feedback", ["GOOD", "BAD", "NONE"])
def test_questions_are_filtered(sandbox, feedback):
    with sandbox.client() as client:
        rows = list(client.questions(*ALWAYS, feedback=feedback))
    assert {row["user_feedback"] for row in rows} == {feedback}


@pytest.mark.parametrize(
    "fault", ["code=50000", "status=502,body=html", "break=reset", "body=truncated"]
)
def test_the_third_page_fails_once(sandbox, fault):
    sandbox.set(faults=[f"conversations:{fault},after=2,times=1"])
    with sandbox.client() as client:
        assert len(list(client.conversations(*ALWAYS))) == 200


def test_the_rate_limit_is_waited_for_on_a_clock_that_we_move(sandbox):
    sandbox.set(rate_limit={"requests": 2, "seconds": 60}, clock="frozen")
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        sandbox.advance(seconds)

    with sandbox.client(sleep=sleep) as client:
        assert len(list(client.conversations(*ALWAYS))) == 200
    assert waited == [60]


def test_a_refusal_is_not_tried_again(sandbox):
    with sandbox.client() as client, pytest.raises(Refused, match="40356"):
        list(client.messages("nobody"))
