"""A server starts, has its settings, and stops."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from client import answers, conversations, ends_within, get

import gptbots_mock
from gptbots_mock import (
    BinaryNotFound,
    ControlError,
    Fault,
    MockError,
    Server,
    StartError,
    find_binary,
)
from gptbots_mock._settings import _NAMES, Settings

ROW = {"user_id": "3", "conversation_type": "API", "messages": [{"q": "2+3=?", "a": "5"}]}


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_with_starts_and_stops_it() -> None:
    with Server() as server:
        url = server.url
        assert url.startswith("http://127.0.0.1:")
        assert server.api_key == "app-demo"
        assert conversations(server)[1]["total"] == 200
        server.verdict().mute("no-pause")
    assert not answers(url)
    with pytest.raises(MockError, match="is not running"):
        _ = server.url


def test_it_can_start_again() -> None:
    server = Server(conversations=3)
    for _ in range(2):
        with server:
            assert conversations(server)[1]["total"] == 3


def test_start_and_stop_may_be_called_twice() -> None:
    server = Server().start()
    url = server.url
    assert server.start().url == url
    server.stop()
    server.stop()
    assert not answers(url)


def test_settings_reach_the_server() -> None:
    with Server(
        seed=7,
        conversations=30,
        now="2025-01-31",
        demo_user="ann",
        api_key="k-1",
        readings={"page-size": "clamp"},
        fault=[Fault.code(50000).on("qa"), "messages-v2:status=503"],
        rate_limit=(9, 60),
        hazard="short-page",
        journal=2,
        args=["--any-key"],
    ) as server:
        assert server.api_key == "k-1"
        status, answer = conversations(server, page_size=5000)
        assert (status, answer["total"], len(answer["list"])) == (200, 30, 30)
        assert "ann" in {row["user_id"] for row in answer["list"]}
        assert get(server, "/v1/message/qa/record/page")[0] == 500
        assert get(server, "/v2/messages", key="any")[0] == 503
        assert len(server.requests()) == 2
        assert server.dropped_requests() == 1
        assert len(conversations(server, page_size=20)[1]["list"]) == 19


@pytest.mark.parametrize(("keys", "key"), [({}, "app-mine"), ({"keys": ["k-1", "k-2"]}, "k-1")])
def test_a_fixture_in_code_has_its_key_and_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keys: dict[str, object], key: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    agents = [{"name": "gone", "deleted": True}, {"name": "mine", "conversations": [ROW], **keys}]
    with Server(fixture={"agents": agents}) as server:
        assert server.api_key == key
        assert conversations(server)[1]["total"] == 1
        assert list(tmp_path.iterdir()) == []


def test_a_fixture_file_has_its_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"agents": [{"name": "mine", "conversations": [ROW]}]}))
    with Server(fixture=path) as server:
        assert server.api_key == "app-mine"
    with Server(args=["--fixtures", "mine.json"], cwd=tmp_path) as server:
        assert conversations(server)[1]["total"] == 1


def test_keys_of_a_fixture_file_are_its_own_and_one_can_be_added(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"agents": [{"name": "mine", "keys": ["k"], "conversations": []}]}))
    with Server(fixture=path) as server, pytest.raises(MockError, match=r"Server\(api_key=...\)"):
        _ = server.api_key
    with Server(fixture=[path], api_key="mine-too") as server:
        assert conversations(server)[0] == 200


def test_assert_clean_is_about_every_sandbox() -> None:
    with Server() as server:
        server.assert_clean_or_unused()
        with pytest.raises(AssertionError, match="no-request"):
            server.assert_clean()
        get(server.sandbox("one"), "/v1/nothing")
        server.sandbox("one").end()
        with pytest.raises(AssertionError, match="unknown-endpoint"):
            server.assert_clean()


def test_no_journal_is_an_error() -> None:
    with Server(journal=0) as server:
        with pytest.raises(MockError, match="--journal 0"):
            server.requests()
        with pytest.raises(ControlError, match="--journal 0"):
            server.verdict()


def test_variables_are_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GPTBOTS_MOCK_CONVERSATIONS", "4")
    monkeypatch.setenv("GPTBOTS_MOCK_PORT", "1")
    monkeypatch.setenv("GPTBOTS_MOCK_NO_ADMIN", "true")
    monkeypatch.setenv("GPTBOTS_MOCK_PORT_FILE", str(tmp_path / "port"))
    monkeypatch.setenv("GPTBOTS_MOCK_ADMIN_TOKEN", "secret")
    with Server() as server:
        assert conversations(server)[1]["total"] == 4
        assert server.verdict().requests == 1
        monkeypatch.delenv("GPTBOTS_MOCK_ADMIN_TOKEN")
        with pytest.raises(ControlError) as error:
            server.verdict()
        assert error.value.status in (401, 403)
    assert list(tmp_path.iterdir()) == []


def test_connect_uses_a_server_that_goes_on(server: Server) -> None:
    with Server.connect(server.url + "/", "your_apikey") as other:
        assert other.url == server.url
        assert other.sandbox("theirs").api_key == "your_apikey~theirs"
    assert answers(server.url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://127.0.0.1:1", "http://HOST:PORT, got 'https://127.0.0.1:1'"),
        ("127.0.0.1:8484", "http://HOST:PORT"),
        ("http://127.0.0.1:1", r"cannot reach the emulator at http://127\.0\.0\.1:1: .*refused"),
    ],
)
def test_a_url_without_an_emulator_is_an_error(url: str, why: str) -> None:
    with pytest.raises(MockError, match=why):
        Server.connect(url)


def test_a_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert server.verdict().requests >= 0


def test_a_refused_start_says_why() -> None:
    with pytest.raises(
        StartError, match=r"(?s)\(exit code 2\), and printed:.*invalid value 'many'"
    ):
        Server(args=["--conversations=many"]).start()


def test_a_wrong_fixture_says_every_mistake() -> None:
    with pytest.raises(StartError) as error:
        Server(fixture={"agents": [{"nam": "mine"}]}).start()
    assert 'did you mean "name"' in str(error.value)
    assert "2 problems" in str(error.value)


def test_a_binary_that_says_something_else_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = script(tmp_path / "other", "echo hello; exec cat")
    monkeypatch.setenv("GPTBOTS_MOCK_BIN", str(other))
    with pytest.raises(
        StartError, match=r"(?s)did not start \(exit code -9\), and printed:\nhello"
    ):
        Server().start()


def test_a_file_that_cannot_run_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no program")
    monkeypatch.setenv("GPTBOTS_MOCK_BIN", str(tmp_path / "text"))
    with pytest.raises(StartError, match=r"cannot run .*/text: "):
        Server().start()


def test_the_variable_names_the_binary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = script(tmp_path / "other", "exit 0")
    monkeypatch.setenv("GPTBOTS_MOCK_BIN", str(other))
    assert find_binary() == str(other)
    monkeypatch.setenv("GPTBOTS_MOCK_BIN", str(tmp_path / "none"))
    with pytest.raises(BinaryNotFound, match=r"GPTBOTS_MOCK_BIN is '.*none', which is not a file"):
        find_binary()


def test_a_missing_binary_lists_where_we_looked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GPTBOTS_MOCK_BIN", raising=False)
    monkeypatch.setattr("gptbots_mock._find._folders", lambda: [str(tmp_path), "/nowhere"])
    with pytest.raises(BinaryNotFound) as error:
        find_binary()
    for part in (f"  {tmp_path}\n", "  /nowhere\n", "GPTBOTS_MOCK_BIN", "--force-reinstall"):
        assert part in str(error.value)


def test_a_target_folder_has_its_own_binary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GPTBOTS_MOCK_BIN", raising=False)
    module = tmp_path / "lib" / "python3.13" / "site-packages" / "gptbots_mock" / "_find.py"
    monkeypatch.setattr("gptbots_mock._find.__file__", str(module))
    monkeypatch.setattr("sysconfig.get_path", lambda *_, **__: "/nowhere")
    (tmp_path / "bin").mkdir()
    binary = script(tmp_path / "bin" / "gptbots-mock", "exit 0")
    assert find_binary() == str(binary)
    target = module.parent.parent / "bin"
    target.mkdir(parents=True)
    binary.rename(target / "gptbots-mock")
    assert find_binary() == str(target / "gptbots-mock")


def test_the_module_runs_the_binary() -> None:
    command = [sys.executable, "-m", "gptbots_mock", "readings"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert run.returncode == 0
    assert "qa-time" in run.stdout
    assert subprocess.run([*command, "--nothing"], capture_output=True, timeout=30).returncode == 2


def test_the_module_says_where_it_looked() -> None:
    command = [sys.executable, "-m", "gptbots_mock"]
    env = {**os.environ, "GPTBOTS_MOCK_BIN": "/nowhere/gptbots-mock"}
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("error: GPTBOTS_MOCK_BIN is '/nowhere/gptbots-mock'")


OWNER = """
import sys
from gptbots_mock import Server
server = Server().start()
print(server._process.pid, server.url, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["kill", "exit"])
def test_it_ends_with_its_owner(end: str) -> None:
    command = [sys.executable, "-c", OWNER]
    owner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        pid, url = owner.stdout.readline().split()
        assert answers(url)
        if end == "kill":
            owner.send_signal(signal.SIGKILL)
        else:
            owner.stdin.close()
        owner.wait(timeout=10)
    assert ends_within(int(pid), 1)
    assert not answers(url)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_leaves_the_server_alone(server: Server) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            server.stop()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert answers(server.url)


def test_the_words_are_those_of_the_binary() -> None:
    run = subprocess.run([find_binary(), "openapi", "--admin"], capture_output=True, timeout=30)
    schemas = json.loads(run.stdout)["components"]["schemas"]
    fault = schemas["Fault"]["anyOf"][1]["properties"]
    assert set(get_args(gptbots_mock.Code)) == set(fault["code"]["enum"])
    operations = fault["operation"]["anyOf"][0]["enum"]
    assert list(get_args(gptbots_mock.Operation)) == operations
    keys = {"operation", "id", "code", "status", "body", "retry_after", "delay", "drip", "break"}
    keys |= {"times", "after", "every", "probability"}
    assert set(get_args(gptbots_mock.Parameter)) == set(fault) - keys
    hazards = [word for word in schemas["Hazard"]["enum"] if ":" not in word]
    assert list(get_args(gptbots_mock.Hazard)) == hazards
    settings = schemas["Settings"]["properties"]
    assert set(settings) == {_NAMES.get(name, name) for name in Settings.__annotations__}
    assert set(get_args(gptbots_mock.Reading)) == set(settings["readings"]["properties"])
    assert list(get_args(gptbots_mock.Rule)) == schemas["Finding"]["properties"]["rule"]["enum"]
