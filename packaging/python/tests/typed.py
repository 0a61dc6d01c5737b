"""Code of a user. mypy checks it with the installed package; it is never run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gptbots_mock import Fault, LogNormal, Sandbox, Server


@pytest.mark.gptbots_mock(rate_limit=(60, 60), clock="frozen")
def test_typed(gptbots_mock: Sandbox, gptbots_mock_server: Server) -> None:
    url: str = gptbots_mock.url
    gptbots_mock.fail_next(Fault.delay(LogNormal(0.2, 0.5)).on("qa").param("page", 3))
    gptbots_mock.rate_limit(60, timedelta(minutes=1))
    gptbots_mock.hazard_on("messages", "short-page")
    gptbots_mock.readings({"qa-time": "milliseconds"})
    statuses: list[int | None] = [request.status for request in gptbots_mock.requests()]
    rules: list[str] = [it.rule for it in gptbots_mock.verdict().mute("no-pause").findings]
    other: Sandbox = gptbots_mock_server.sandbox("a", seed=7, fault=["qa:code=50000"])
    print(url, statuses, rules, other.api_key)

    Fault.code(12345)  # type: ignore[arg-type]
    Fault.code(50000).on("mesages")  # type: ignore[arg-type]
    gptbots_mock.hazard("arival")  # type: ignore[arg-type]
    gptbots_mock.verdict().mute("no-pauze")  # type: ignore[arg-type]
    gptbots_mock.readings({"qa-tim": "seconds"})  # type: ignore[dict-item]
    gptbots_mock_server.sandbox("a", sed=7)  # type: ignore[call-arg]
