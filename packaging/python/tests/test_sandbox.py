"""The methods of a sandbox, and their effects on a client."""

from __future__ import annotations

from datetime import timedelta

import pytest
from client import conversations, get

from gptbots_mock import ControlError, MockError, Sandbox, Server


@pytest.fixture
def sandbox(server: Server, request: pytest.FixtureRequest) -> Sandbox:
    return server.sandbox(request.node.name[:64])


def test_it_has_a_url_and_a_key(server: Server) -> None:
    sandbox = server.sandbox("login")
    assert sandbox.id == "login"
    assert sandbox.url == f"{server.url}/s/login"
    assert sandbox.api_key == "app-demo~login"
    assert server.sandbox("login") is sandbox


@pytest.mark.parametrize("id", ["", "a b", "ä", "x" * 65, "a\n"])
def test_a_wrong_id_is_an_error(server: Server, id: str) -> None:
    with pytest.raises(MockError, match=r"the id of a sandbox must be 1 to 64 of .*, got "):
        server.sandbox(id)


def test_url_and_key_each_lead_into_it(server: Server, sandbox: Sandbox) -> None:
    sandbox.fault("status=503")
    assert get(sandbox, "/v1/messages", key=server.api_key)[0] == 503
    assert get(server, "/v1/messages", key=sandbox.api_key)[0] == 503
    assert get(server, "/v1/messages")[0] == 400
    assert len(sandbox.requests()) == 2


def test_an_unused_one_has_no_requests_and_is_unclean_only_if_asked(sandbox: Sandbox) -> None:
    assert sandbox.requests() == []
    assert sandbox.dropped_requests() == 0
    assert sandbox.verdict().findings == ()
    sandbox.assert_clean_or_unused()
    with pytest.raises(
        AssertionError, match=r"(?s)no-request.*does the client send its requests to `url`"
    ):
        sandbox.assert_clean()


def test_requests_come_in_their_order_with_reasons(sandbox: Sandbox) -> None:
    conversations(sandbox)
    get(sandbox, "/v1/messages", conversation_id="a b", page=1, pagesize=2)
    first, second = sandbox.requests()
    assert (first.operation, first.status, first.code) == ("conversations", 200, None)
    assert first.reason == ""
    assert first.number < second.number
    assert (second.method, second.path) == ("GET", "/v1/messages")
    assert second.target.startswith(f"/s/{sandbox.id}/v1/messages?")
    assert second.query == [("conversation_id", "a b"), ("page", "1"), ("pagesize", "2")]
    assert (second.status, second.code) == (400, 40000)
    assert "did you mean page_size for pagesize" in second.reason
    assert [it.rule for it in second.violations] == ["unknown-parameter"]
    assert "****" in second.headers["authorization"]
    assert second.reason in str(second)


def test_a_broken_connection_has_no_status(sandbox: Sandbox) -> None:
    sandbox.fail_next("break=reset")
    with pytest.raises(ConnectionError):
        conversations(sandbox)
    (request,) = sandbox.requests()
    assert request.status is None
    assert "no response" in str(request)


def test_findings_fail_and_can_be_muted(sandbox: Sandbox) -> None:
    for page in (1, 3):
        conversations(sandbox, page)
    verdict = sandbox.verdict()
    assert [it.rule for it in verdict.findings] == ["skipped-page"]
    assert verdict.findings[0].requests == tuple(it.number for it in sandbox.requests())
    assert verdict.requests == 2
    assert verdict.coverage_percent > 0
    assert "/v2/messages: a successful response" in verdict.never_met
    assert verdict.mute("skipped-page").findings == ()
    assert verdict.mute("no-pause").findings == verdict.findings
    with pytest.raises(AssertionError, match="page 3 was fetched, but page 2 was not"):
        sandbox.assert_clean()
    with pytest.raises(AssertionError, match="ignores the findings of a rule"):
        sandbox.assert_clean_or_unused()


def test_a_whole_walk_is_clean(sandbox: Sandbox) -> None:
    for page in (1, 2, 3, 4):
        conversations(sandbox, page)
    sandbox.assert_clean()


def test_the_rate_limit_goes_by_the_clock_that_a_test_moves(sandbox: Sandbox) -> None:
    sandbox.rate_limit(1, timedelta(minutes=1))
    sandbox.freeze()
    assert [conversations(sandbox)[0] for _ in range(2)] == [200, 429]
    sandbox.advance(59)
    assert conversations(sandbox)[0] == 429
    sandbox.advance(timedelta(seconds=1))
    assert conversations(sandbox)[0] == 200


def test_a_window_is_whole_seconds(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match=r"whole seconds, got 0\.5"):
        sandbox.rate_limit(1, 0.5)


def test_settings_add_up(sandbox: Sandbox) -> None:
    sandbox.fault("qa:code=50000")
    sandbox.hazard("short-page")
    sandbox.hazard_on("conversations", "moving-total")
    sandbox.readings({"qa-time": "milliseconds"})
    sandbox.readings({"page-size": "clamp"})
    assert len(conversations(sandbox)[1]["list"]) == 49
    assert conversations(sandbox, page=2)[1]["total"] == 201
    assert conversations(sandbox, page_size=5000)[0] == 200
    assert get(sandbox, "/v1/message/qa/record/page")[0] == 500


def test_a_setting_after_a_request_is_an_error_because_requests_would_be_lost(
    sandbox: Sandbox,
) -> None:
    conversations(sandbox)
    with pytest.raises(MockError, match="hazard would delete 1 request of sandbox "):
        sandbox.hazard("arrival")
    assert len(sandbox.requests()) == 1


def test_a_fixture_replaces_the_records_and_the_key(sandbox: Sandbox) -> None:
    row = {"user_id": "3", "conversation_type": "API", "messages": [{"q": "2+3=?", "a": "5"}]}
    agents = [{"name": "gone", "deleted": True}, {"name": "mine", "conversations": [row]}]
    sandbox.fixture({"agents": agents})
    assert sandbox.api_key == f"app-mine~{sandbox.id}"
    status, answer = conversations(sandbox)
    assert (status, answer["total"], answer["list"][0]["subject"]) == (200, 1, "2+3=?")


def test_a_wrong_fixture_is_refused_with_every_mistake(sandbox: Sandbox) -> None:
    with pytest.raises(ControlError) as error:
        sandbox.fixture({"agents": [{"nam": "mine"}]})
    assert 'did you mean "name"' in str(error.value)
    assert 'key "name" of this agent is missing' in str(error.value)


def test_reset_goes_back_to_what_it_was_made_with(server: Server) -> None:
    sandbox = server.sandbox("made", rate_limit=(1, 60), clock="frozen", fault="qa:code=50000")
    sandbox.hazard("short-page")
    sandbox.fault("messages:status=503")
    conversations(sandbox)
    sandbox.reset()
    assert sandbox.requests() == []
    assert len(conversations(sandbox)[1]["list"]) == 50
    assert conversations(sandbox)[0] == 429
    assert get(sandbox, "/v1/message/qa/record/page")[0] == 500
    assert get(sandbox, "/v1/messages")[0] == 429


def test_an_unknown_setting_is_an_error_that_lists_them(server: Server) -> None:
    with pytest.raises(MockError, match=r"no setting 'faults' \(one of seed, .*fault, "):
        server.sandbox("odd", faults="code=50000")  # type: ignore[call-arg]


@pytest.mark.parametrize("limit", [60, (60,), (60, 60, 60)])
def test_a_rate_limit_of_another_form_is_an_error(server: Server, limit: object) -> None:
    right = r"rate_limit must be \(requests, seconds\) or '60/60', got "
    with pytest.raises(ValueError, match=right):
        server.sandbox("odd", rate_limit=limit)  # type: ignore[arg-type]


def test_the_verdict_on_one_that_has_ended_is_an_error(sandbox: Sandbox) -> None:
    conversations(sandbox)
    sandbox.end()
    with pytest.raises(ControlError, match="has ended after 1 request"):
        sandbox.verdict()
    with pytest.raises(ControlError, match="has ended"):
        sandbox.requests()


def test_one_that_is_used_after_its_end_is_as_the_server_was_started(server: Server) -> None:
    sandbox = server.sandbox("again", fixture={"agents": [{"name": "mine", "conversations": []}]})
    assert conversations(sandbox)[1]["total"] == 0
    sandbox.end()
    assert sandbox.api_key == "app-demo~again"
    assert conversations(sandbox)[1]["total"] == 200
    sandbox.reset()
    assert conversations(sandbox)[1]["total"] == 200
