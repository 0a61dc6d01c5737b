"""The text of a fault is the one that the emulator accepts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from client import conversations, get

from gptbots_mock import ControlError, Fault, LogNormal, Sandbox, Server
from gptbots_mock._fault import once


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault.code(50000), "code=50000"),
        (Fault.status(503).html().retry_after(2), "status=503,body=html,retry_after=2"),
        (Fault.status(502).empty(), "status=502,body=empty"),
        (Fault.delay(2), "delay=2000"),
        (Fault.delay(timedelta(milliseconds=80)), "delay=80"),
        (Fault.delay((0.1, 0.9)), "delay=100..900"),
        (Fault.delay(LogNormal(0.2, 0.5)), "delay=lognormal:200:0.5"),
        (Fault.reset().delayed(1), "break=reset,delay=1000"),
        (Fault.no_answer(), "break=no-answer"),
        (Fault.empty_body(), "body=empty"),
        (Fault.truncated_body(), "body=truncated"),
        (Fault.garbage_body(), "body=garbage"),
        (Fault.drip(100), "drip=100"),
        (
            Fault.code(50000).on("conversations").param("page", 3).times(2),
            "conversations:page=3,code=50000,times=2",
        ),
        (
            Fault.code(50000).on("messages").on("qa").on("messages").every(3).after(1),
            "messages+qa:code=50000,every=3,after=1",
        ),
        (
            Fault.code(50000).on("messages").param("conversation_id", "a,b;c%").named("odd"),
            "messages:conversation_id=a%2Cb%3Bc%25,code=50000,id=odd",
        ),
        (Fault.status(500).probability(0.25), "status=500,probability=0.25"),
    ],
)
def test_a_fault_is_a_line_that_is_taken(server: Server, fault: Fault, line: str) -> None:
    assert str(fault) == line
    sandbox = server.sandbox("line")
    sandbox.reset()
    sandbox.fault(fault)


def test_a_method_leaves_its_fault_as_it_was() -> None:
    fault = Fault.code(50000)
    fault.on("messages").param("page", 1).times(3)
    assert str(fault) == "code=50000"


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("messages:code=50000,after=2,times=7", "messages:code=50000,times=1"),
        ("delay=lognormal:200:0.5,every=2", "delay=lognormal:200:0.5,times=1"),
        (Fault.status(503).probability(0.5), "status=503,times=1"),
    ],
)
def test_the_schedule_of_the_next_failure_is_ignored(fault: Fault | str, line: str) -> None:
    assert once(fault) == line


@pytest.fixture
def sandbox(server: Server, request: pytest.FixtureRequest) -> Sandbox:
    return server.sandbox(request.node.name)


def test_the_third_page_fails_twice(sandbox: Sandbox) -> None:
    sandbox.fault(Fault.code(50000).on("conversations").param("page", 3).times(2))
    statuses = [conversations(sandbox, page)[0] for page in (1, 2, 3, 3, 3)]
    assert statuses == [200, 200, 500, 500, 200]


def test_fail_next_strikes_once(sandbox: Sandbox) -> None:
    sandbox.fail_next("conversations:status=503,every=9")
    assert [conversations(sandbox)[0] for _ in range(2)] == [503, 200]
    assert sandbox.requests()[0].fault == "fault-1.conversations.1"


def test_a_value_with_a_comma_and_a_semicolon_is_met(sandbox: Sandbox) -> None:
    odd = "a,b;c%2C"
    sandbox.fault(Fault.status(503).on("messages").param("conversation_id", odd))
    assert get(sandbox, "/v1/messages", conversation_id=odd, page=1, page_size=10)[0] == 503
    assert get(sandbox, "/v1/messages", conversation_id="a", page=1, page_size=10)[0] == 400


def test_a_wrong_line_is_refused_with_its_place(sandbox: Sandbox) -> None:
    with pytest.raises(ControlError, match=r"unknown key .cod.; did you mean code") as error:
        sandbox.fault("messages:cod=50000")
    assert error.value.status == 400
