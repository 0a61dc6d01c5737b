"""A sandbox of a server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ._control import Control
from ._errors import ControlError, MockError
from ._fault import AnyFault, once
from ._journal import Request, Verdict, assert_clean
from ._settings import as_body, key_of
from ._words import Hazard, Operation, Reading, Seconds, milliseconds, whole_seconds

# pytest shows the line of the test that called us.
__tracebackhide__ = True

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Sandbox:
    """An isolated part of a running server: `Server.sandbox`.

    A request is in it if it goes to `url` or has the key `api_key`; either is enough.

    `rate_limit`, `hazard`, `readings` and `fixture` make the sandbox anew, so they come before
    its first request; later they are an error. Faults and the clock can be set at any time.
    """

    def __init__(self, control: Control, server_key: str, id: str) -> None:
        if not _ID.fullmatch(id):
            raise MockError(f"the id of a sandbox is 1 to 64 of A-Z a-z 0-9 . _ -, not {id!r}")
        self._control = control
        self._server_key = server_key
        # What `reset` goes back to, and what is in force.
        self._first: dict[str, Any] = {}
        self._now: dict[str, Any] = {}
        #: Its id.
        self.id = id
        #: The base URL, which replaces the vendor's host, without a trailing slash.
        self.url = f"{control.url}/s/{id}"

    @property
    def api_key(self) -> str:
        """The server's key in this sandbox: `app-demo~login`.

        Every other key works the same way, followed by `~` and the id.
        """
        own = self._now.get("fixtures")
        key = self._server_key if own is None else key_of(own)
        if key is None:
            raise MockError(f"no agent in the fixture of sandbox {self.id} has a key")
        return f"{key}~{self.id}"

    def _put(self, body: dict[str, Any]) -> None:
        self._control.json("PUT", ["sandboxes", self.id], body=body)
        self._now = body

    def _begin(self, settings: Mapping[str, Any]) -> None:
        """Makes it anew with these settings, which `reset` goes back to."""
        self._put(as_body(settings))
        self._first = self._now

    def _change(self, word: str, change: Mapping[str, Any]) -> None:
        """Makes it anew with one setting changed."""
        requests = self._count()
        if requests:
            raise MockError(
                f"sandbox {self.id} has had {requests} request(s), which {word} would forget: "
                f"set it before the first one, or call reset()"
            )
        self._put({**self._now, **change})

    def _count(self) -> int:
        try:
            _, headers = self._control.text("GET", ["requests"], query=self._own(limit="0"))
        except ControlError as error:
            if _was_never_used(error):
                return 0
            raise
        return int(headers["x-mock-total"]) + int(headers["x-mock-dropped"])

    def _own(self, **query: str) -> dict[str, str]:
        return {"sandbox": self.id, **query}

    def fault(self, fault: AnyFault) -> None:
        """Adds a fault, which counts requests from now on."""
        line = str(fault)
        self._control.json("POST", ["sandboxes", self.id, "faults"], body=line)
        self._now = {**self._now, "faults": [*self._now.get("faults", ()), line]}

    def fail_next(self, fault: AnyFault) -> None:
        """Adds a fault that strikes the next request that it is for, and only that one.

        Its schedule is ignored. Of several faults that strike the same request, the one that was
        added first counts.
        """
        self.fault(once(fault))

    def rate_limit(self, requests: int, window: Seconds) -> None:
        """Limits the requests of each key in a window of whole seconds."""
        self._change("rate_limit", {"rate_limit": f"{requests}/{whole_seconds(window)}"})

    def advance(self, by: Seconds) -> None:
        """Advances its clock, so that a test of a retry after a minute takes no time."""
        self._clock({"advance_ms": milliseconds(by)})

    def freeze(self) -> None:
        """Stops its clock. Only `advance` changes it then."""
        self._clock({"mode": "frozen"})
        self._now = {**self._now, "clock": "frozen"}

    def _clock(self, change: Mapping[str, Any]) -> None:
        self._control.json("POST", ["sandboxes", self.id, "clock"], body=change)

    def hazard(self, hazard: Hazard) -> None:
        """Turns a paging hazard on, for every operation."""
        self._add_hazard("hazard", hazard)

    def hazard_on(self, operation: Operation, hazard: Hazard) -> None:
        """Turns a paging hazard on, for one operation."""
        self._add_hazard("hazard_on", f"{operation}:{hazard}")

    def _add_hazard(self, word: str, hazard: str) -> None:
        self._change(word, {"hazards": [*self._now.get("hazards", ()), hazard]})

    def readings(self, readings: Mapping[Reading, str]) -> None:
        """Switches readings of the contract: `{"qa-time": "milliseconds"}`."""
        self._change("readings", {"readings": {**self._now.get("readings", {}), **readings}})

    def fixture(self, fixture: Mapping[str, Any]) -> None:
        """Serves the agents of a fixture in place of the server's; `api_key` is one of theirs."""
        self._change("fixture", {"fixtures": fixture})

    def requests(self) -> list[Request]:
        """The requests in its journal, in the order in which they came.

        A test that asserts that a request did not come should also assert that
        `dropped_requests()` is 0.
        """
        return self._journal()[0]

    def dropped_requests(self) -> int:
        """How many requests `requests` lacks, because the journal was full."""
        return self._journal()[1]

    def _journal(self) -> tuple[list[Request], int]:
        try:
            return read_journal(self._control, self._own())
        except ControlError as error:
            if _was_never_used(error):
                return [], 0
            raise

    def verdict(self) -> Verdict:
        """The verdict on its requests.

        A sandbox that was never used has a verdict on no requests. One that has ended, because it
        was idle for too long or there were too many, has none, which is an error.
        """
        try:
            verdict = self._control.json("GET", ["sandboxes", self.id, "verdict"])
        except ControlError as error:
            if _was_never_used(error):
                return Verdict(requests=0, findings=(), coverage_percent=0, never_met=())
            raise
        return Verdict.of_json(verdict)

    def assert_clean(self) -> None:
        """Asserts that its verdict has no findings, and that there was a request.

        This is the last line of a test.
        """
        assert_clean(self.verdict().or_unused(self.id))

    def assert_clean_or_unused(self) -> None:
        """As `assert_clean`, but accepts that no request came at all."""
        assert_clean(self.verdict())

    def reset(self) -> None:
        """Makes it anew with the settings that it was made with.

        All settings since then and all counts are forgotten, and its clock begins again.
        """
        self._put(self._first)

    def end(self) -> None:
        """Ends it. What it had is in the verdict of the server only.

        Its next use makes another one of this id, which has the settings of the server.
        """
        self._control.json("DELETE", ["sandboxes", self.id])
        self._first = self._now = {}

    def __repr__(self) -> str:
        return f"<Sandbox {self.url}>"


def _was_never_used(error: ControlError) -> bool:
    """Whether there never was such a sandbox. One that has ended has lost what it had."""
    return error.status == 404 and "there is no sandbox" in str(error)


def read_journal(control: Control, query: Mapping[str, str]) -> tuple[list[Request], int]:
    """The requests of the journal, the oldest first, and how many were dropped."""
    content, headers = control.text("GET", ["requests"], query=query)
    journal = json.loads(content)
    if journal["requestJournalDisabled"]:
        raise MockError("there is no journal (--journal 0), so nobody knows what came")
    requests = [Request.of_event(event) for event in reversed(journal["requests"])]
    return requests, int(headers["x-mock-dropped"])
