"""The emulator of a pytest run: start, sandboxes, verdict and report."""

from __future__ import annotations

import os
import re
import shlex
import threading
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn, cast, get_args

import pytest

from ._broker import ask
from ._errors import MockError
from ._journal import count_of
from ._sandbox import Sandbox
from ._server import Server
from ._settings import Settings
from ._words import Rule
from .pytest_plugin import MARKER, setting

# pytest shows the line of the test that called us.
__tracebackhide__ = True

#: Keywords of the marker that are not settings of the sandbox.
JUDGING = ("clean", "mute")

#: The most requests that the report of a failed test shows: the last ones.
SHOWN_REQUESTS = 50

#: The media type of a report, by the extension of its file.
REPORTS = {".xml": "application/xml", ".json": "application/json", ".txt": "text/plain"}


class Judgement(NamedTuple):
    """The verdict on all requests of a run."""

    #: The text of the findings; empty if there are none.
    findings: str
    #: The verdict in one line.
    summary: str
    #: Whether the verdict fails the run.
    fails: bool


class Run:
    """A pytest run with its emulator, which starts when the first test needs it.

    With pytest-xdist, there is also only one emulator: the controller starts it, and the workers
    get its address from the controller.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker: dict[str, str] | None = getattr(config, "workerinput", None)
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._is_ours = False
        self._judgement: Judgement | None = None
        self._denies_all = setting(config, "deny") == "all"
        self._deny = [] if self._denies_all else self._rules("deny")
        self._mute = self._rules("mute")
        self._min_coverage = _percentage(setting(config, "min_coverage"))
        self._report: str | None = setting(config, "report")
        if self._report and os.path.splitext(self._report)[1] not in REPORTS:
            raise pytest.UsageError(
                f"{MARKER}_report must end with .xml, .json or .txt, got {self._report!r}"
            )

    def _rules(self, name: str) -> list[Rule]:
        try:
            return as_rules(setting(self._config, name) or "")
        except MockError as error:
            raise pytest.UsageError(f"{MARKER}_{name}: {error}") from error

    def server(self) -> Server:
        """The emulator. If there is none, the test fails."""
        try:
            return self.find_or_start()
        except MockError as error:
            _fail(str(error))

    def find_or_start(self) -> Server:
        """The emulator. Raises `MockError` if there is none."""
        with self._lock:
            if self._server is None:
                self._server = self._find() or self._start()
            return self._server

    def _find(self) -> Server | None:
        """An emulator that already runs, if there is one."""
        url = os.environ.get("GPTBOTS_MOCK_URL")
        if url:
            return Server.connect(url, os.environ.get("GPTBOTS_MOCK_KEY") or "app-demo")
        if self._worker is not None:
            return Server.connect(*ask(self._worker["gptbots_mock_broker"]))
        return None

    def _start(self) -> Server:
        args = setting(self._config, "args") or []
        if isinstance(args, str):
            args = shlex.split(args)
        server = Server(args=args, cwd=self._config.rootpath).start()
        self._is_ours = True
        return server

    def sandbox(self, item: pytest.Item, server: Server) -> Sandbox:
        """The sandbox of a test, with the settings of its markers."""
        marked = marked_settings(item)
        settings = {name: value for name, value in marked.items() if name not in JUDGING}
        try:
            sandbox = server.sandbox(self._sandbox_id(item))
            sandbox._begin(settings)
        except MockError as error:
            _fail(str(error))
        return sandbox

    def _sandbox_id(self, item: pytest.Item) -> str:
        """An id that is the same in every run, because random faults depend on it."""
        suffix = f"-{sha256(item.nodeid.encode()).hexdigest()[:10]}"
        suffix += (self._worker or {}).get("gptbots_mock_suffix", "")
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", item.name)
        return f"{name[: 64 - len(suffix)]}{suffix}"

    def judge_test(self, item: pytest.Item, sandbox: Sandbox) -> None:
        """Fails a test with `clean` if the verdict on its requests has findings."""
        marked = marked_settings(item)
        if not marked.get("clean", setting(self._config, "clean")):
            return
        try:
            mute = as_rules(marked.get("mute", ()))
            verdict = sandbox.verdict().mute(*self._mute, *mute)
        except MockError as error:
            _fail(str(error))
        if verdict.findings:
            _fail(f"expected requests that do nothing wrong, got:\n{verdict}")

    def describe(self, sandbox: Sandbox) -> str:
        """The requests of a sandbox with the reasons of errors, and the verdict on them."""
        try:
            requests, dropped = sandbox.requests(), sandbox.dropped_requests()
            verdict = sandbox.verdict()
        except MockError as error:
            return str(error)
        shown = requests[-SHOWN_REQUESTS:]
        left_out = len(requests) - len(shown) + dropped
        lines = [f"{left_out} earlier requests are not shown"] if left_out else []
        lines += [str(request) for request in shown]
        return "\n".join([*lines, str(verdict)])

    def judge(self) -> bool:
        """Judges the run if we started the emulator. Returns whether the run fails."""
        if self._server is None or not self._is_ours:
            return False
        try:
            verdict = self._server.verdict().or_unused("default").mute(*self._mute)
            if self._report:
                self._write_report(self._server, self._report)
        except (MockError, OSError) as error:
            self._judgement = Judgement("", f"no verdict: {error}", fails=True)
            return True
        found = list(dict.fromkeys(finding.rule for finding in verdict.findings))
        outcome = "nothing found"
        if found:
            outcome = f"{count_of(len(verdict.findings), 'finding')} ({', '.join(found)})"
        requests = count_of(verdict.requests, "request")
        summary = f"verdict: {requests}, {outcome}, coverage {verdict.coverage_percent}%"
        is_low = verdict.coverage_percent < self._min_coverage
        if is_low:
            summary += f", below {MARKER}_min_coverage {self._min_coverage}"
        is_denied = any(self._denies_all or rule in self._deny for rule in found)
        if is_denied:
            summary += "; denied"
        findings = str(verdict) if found else ""
        self._judgement = Judgement(findings, summary, fails=is_denied or is_low)
        return self._judgement.fails

    def _write_report(self, server: Server, path: str) -> None:
        media_type = REPORTS[os.path.splitext(path)[1]]
        query = {"mute": ",".join(self._mute)} if self._mute else {}
        text, _ = server._running().text("GET", ["verdict"], query=query, accept=media_type)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def write_verdict(self, terminal: Any) -> None:
        """Writes the verdict at the end of the output of pytest."""
        judgement = self._judgement
        if judgement is None:
            return
        terminal.section("gptbots-mock")
        if judgement.findings and (judgement.fails or self._config.getoption("verbose") > 0):
            terminal.write_line(f"{judgement.findings}\n")
        terminal.write_line(judgement.summary, red=judgement.fails)

    def close(self) -> None:
        """Stops the emulator if this run started it."""
        if self._server is not None:
            self._server.stop()


def marked_settings(item: pytest.Item) -> dict[str, Any]:
    """The keywords of a test's markers. A function's marker overrides the one of its class."""
    known = [*Settings.__annotations__, *JUDGING]
    settings: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers(MARKER))):
        for wrong in (*map(repr, marker.args), *(set(marker.kwargs) - set(known))):
            _fail(f"@pytest.mark.{MARKER} takes only the keywords {', '.join(known)}, got {wrong}")
        settings.update(marker.kwargs)
    return settings


def as_rules(words: str | Sequence[str]) -> list[Rule]:
    """The names of rules, as a sequence or separated by commas, after a check."""
    if isinstance(words, str):
        words = [word.strip() for word in words.split(",") if word.strip()]
    for word in words:
        if word not in get_args(Rule):
            known = ", ".join(get_args(Rule))
            raise MockError(f"there is no rule {word!r} (one of {known})")
    return cast("list[Rule]", list(words))


def _percentage(text: str | None) -> int:
    try:
        percent = int(text or 0)
    except ValueError:
        percent = -1
    if not 0 <= percent <= 100:
        raise pytest.UsageError(
            f"{MARKER}_min_coverage must be a whole number from 0 to 100, got {text!r}"
        )
    return percent


def _fail(message: str) -> NoReturn:
    pytest.fail(message, pytrace=False)
