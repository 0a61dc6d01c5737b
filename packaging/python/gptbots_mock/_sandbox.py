"""A sandbox of a server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ._control import Control
from ._errors import ControlError, MockError
from ._fault import AnyFault, once
from ._journal import Request, Verdict, assert_clean, count_of
from ._settings import as_body, key_of
from ._words import Hazard, Operation, Reading, Seconds, milliseconds, whole_seconds

# pytest shows the line of the test that called us.
__tracebackhide__ = True

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Sandbox:
    """An isolated part of a running server: `Server.sandbox`.

    A request belongs to the sandbox if it goes to `url` or has the key `api_key`; one of them is
    enough.

    `rate_limit`, `hazard`, `hazard_on`, `readings` and `fixture` create the sandbox again, so call
    them before its first request; later they raise an error. Faults and the clock can be changed
    at any time.
    """

    def __init__(self, control: Control, server_key: str, id: str) -> None:
        if not _ID.fullmatch(id):
            raise MockError(
                "the id of a sandbox must be 1 to 64 of A-Z a-z 0-9 . _ - and not an API key, "
                f"got {id!r}"
            )
        self._control = control
        self._server_key = server_key
        # The settings that `reset` restores, and the current ones.
        self._first: dict[str, Any] = {}
        self._now: dict[str, Any] = {}
        #: The id of the sandbox.
        self.id = id
        #: The base URL, which replaces the vendor's host, without a trailing slash.
        self.url = f"{control.url}/s/{id}"

    @property
    def api_key(self) -> str:
        """The server's key for this sandbox: `app-demo~login`.

        Every other key works in the same way: append `~` and the id.
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
        """Creates or replaces the sandbox with these settings, which `reset` restores."""
        self._put(as_body(settings))
        self._first = self._now

    def _change(self, word: str, change: Mapping[str, Any]) -> None:
        """Creates the sandbox again with one setting changed."""
        requests = self._count()
        if requests:
            raise MockError(
                f"{word} would delete {count_of(requests, 'request')} of sandbox {self.id}: "
                "call it before the first request, or after reset()"
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
        """Adds a fault. It counts requests from now on."""
        line = str(fault)
        self._control.json("POST", ["sandboxes", self.id, "faults"], body=line)
        self._now = {**self._now, "faults": [*self._now.get("faults", ()), line]}

    def fail_next(self, fault: AnyFault) -> None:
        """Adds a fault that applies only to the next matching request.

        Its schedule is ignored. If several faults match a request, the one that was added first
        is applied.
        """
        self.fault(once(fault))

    def rate_limit(self, requests: int, window: Seconds) -> None:
        """Limits the requests of each key in a time window of whole seconds.

        Every further request gets error 40008 (HTTP 429) with `Retry-After`.
        """
        self._change("rate_limit", {"rate_limit": f"{requests}/{whole_seconds(window)}"})

    def advance(self, by: Seconds) -> None:
        """Advances the sandbox's clock, so that a test of a retry need not wait."""
        self._clock({"advance_ms": milliseconds(by)})

    def freeze(self) -> None:
        """Stops the sandbox's clock. After that, only `advance` changes it."""
        self._clock({"mode": "frozen"})
        self._now = {**self._now, "clock": "frozen"}

    def _clock(self, change: Mapping[str, Any]) -> None:
        self._control.json("POST", ["sandboxes", self.id, "clock"], body=change)

    def hazard(self, hazard: Hazard) -> None:
        """Turns on a hazard, a change of the data during paging, for every operation."""
        self._add_hazard("hazard", hazard)

    def hazard_on(self, operation: Operation, hazard: Hazard) -> None:
        """Turns on a hazard for one operation."""
        self._add_hazard("hazard_on", f"{operation}:{hazard}")

    def _add_hazard(self, word: str, hazard: str) -> None:
        self._change(word, {"hazards": [*self._now.get("hazards", ()), hazard]})

    def readings(self, readings: Mapping[Reading, str]) -> None:
        """Sets behaviours that the vendor leaves unclear: `{"qa-time": "milliseconds"}`."""
        self._change("readings", {"readings": {**self._now.get("readings", {}), **readings}})

    def fixture(self, fixture: Mapping[str, Any]) -> None:
        """Replaces the server's agents by those of a fixture; `api_key` is one of their keys."""
        self._change("fixture", {"fixtures": fixture})

    def requests(self) -> list[Request]:
        """The requests in the sandbox's journal, in the order of their arrival.

        A test that asserts that a request was not sent should also assert that
        `dropped_requests()` is 0.
        """
        return self._journal()[0]

    def dropped_requests(self) -> int:
        """The number of requests that are missing in `requests`, because the journal was full."""
        return self._journal()[1]

    def _journal(self) -> tuple[list[Request], int]:
        try:
            return read_journal(self._control, self._own())
        except ControlError as error:
            if _was_never_used(error):
                return [], 0
            raise

    def verdict(self) -> Verdict:
        """The verdict on the sandbox's requests.

        The verdict of a sandbox that was never used has no requests. For a sandbox that has ended
        (it was idle for too long, there were too many sandboxes, or it was deleted) there is no
        verdict, and this raises an error.
        """
        try:
            verdict = self._control.json("GET", ["sandboxes", self.id, "verdict"])
        except ControlError as error:
            if _was_never_used(error):
                return Verdict(requests=0, findings=(), coverage_percent=0, never_met=())
            raise
        return Verdict.of_json(verdict)

    def assert_clean(self) -> None:
        """Asserts that the verdict has no findings, and that there was a request.

        Call it at the end of a test.
        """
        assert_clean(self.verdict().or_unused(self.id))

    def assert_clean_or_unused(self) -> None:
        """As `assert_clean`, but accepts that there was no request."""
        assert_clean(self.verdict())

    def reset(self) -> None:
        """Resets the sandbox to the settings with which it was created.

        Later settings and all counts are deleted, and the clock starts again.
        """
        self._put(self._first)

    def end(self) -> None:
        """Ends the sandbox. After that, only the verdict of the server includes its requests.

        The next use of this id creates a new sandbox with the settings of the server.
        """
        self._control.json("DELETE", ["sandboxes", self.id])
        self._first = self._now = {}

    def __repr__(self) -> str:
        return f"<Sandbox {self.url}>"


def _was_never_used(error: ControlError) -> bool:
    """Whether the sandbox never existed. The error for an ended sandbox is different."""
    return error.status == 404 and "there is no sandbox" in str(error)


def read_journal(control: Control, query: Mapping[str, str]) -> tuple[list[Request], int]:
    """The requests in the journal, oldest first, and how many were dropped."""
    content, headers = control.text("GET", ["requests"], query=query)
    journal = json.loads(content)
    if journal["requestJournalDisabled"]:
        raise MockError("there is no journal (--journal 0), so there are no requests to list")
    requests = [Request.of_event(event) for event in reversed(journal["requests"])]
    return requests, int(headers["x-mock-dropped"])
