"""A running emulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Union

from ._control import Control
from ._errors import ControlError, MockError, StartError
from ._fault import AnyFault
from ._find import find_binary
from ._journal import Request, Verdict, assert_clean
from ._sandbox import Sandbox, read_journal
from ._settings import RateLimit, as_list, key_of, rate_limit_line
from ._words import Reading

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import Settings

# pytest shows the line of the test that called us.
__tracebackhide__ = True

#: Agents in the format of a fixture file; or fixture files and folders.
Fixture = Union[Mapping[str, Any], str, "os.PathLike[str]", "Sequence[str | os.PathLike[str]]"]

#: The timeout for the start, in seconds. Without fixtures it takes a few milliseconds.
_PATIENCE = 60.0

#: Variables that must not affect a server that only this process uses.
_FOREIGN_VARIABLES = ("GPTBOTS_MOCK_NO_ADMIN", "GPTBOTS_MOCK_PORT_FILE")


class Server:
    """An emulator in its own process, on a free port of 127.0.0.1.

    `with` (or `start`) starts it, and the end of the block (or `stop`) stops it. The emulator also
    ends when this process ends, even by SIGKILL.

    Every setting has the default of `gptbots-mock serve`, and the variables of `serve` apply too
    (`GPTBOTS_MOCK_SEED=7`). `args` are further arguments of `serve`; relative paths in them
    are relative to `cwd`.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        conversations: int | None = None,
        now: str | None = None,
        demo_user: str | None = None,
        api_key: str | None = None,
        any_key: bool = False,
        fixture: Fixture | None = None,
        strict: bool = False,
        readings: Mapping[Reading, str] | None = None,
        fault: AnyFault | Sequence[AnyFault] = (),
        rate_limit: RateLimit | None = None,
        hazard: str | Sequence[str] = (),
        journal: int | None = None,
        cors: bool = False,
        args: Sequence[str] = (),
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self._fixture: Mapping[str, Any] | None = None
        paths: list[str] = []
        if isinstance(fixture, Mapping):
            self._fixture = fixture
        elif isinstance(fixture, (str, os.PathLike)):
            paths = [os.fspath(fixture)]
        elif fixture is not None:
            paths = [os.fspath(path) for path in fixture]
        options: list[tuple[str, object]] = [
            ("seed", seed),
            ("conversations", conversations),
            ("now", now),
            ("demo-user", demo_user),
            ("api-key", api_key),
            *(("fixtures", path) for path in paths),
            *(("reading", f"{name}={value}") for name, value in (readings or {}).items()),
            *(("fault", str(fault)) for fault in as_list(fault)),
            ("rate-limit", None if rate_limit is None else rate_limit_line(rate_limit)),
            *(("hazard", word) for word in as_list(hazard)),
            ("journal", journal),
        ]
        flags = [("any-key", any_key), ("strict", strict), ("cors", cors)]
        self._args = [f"--{name}={value}" for name, value in options if value is not None]
        self._args += [f"--{name}" for name, is_set in flags if is_set]
        self._args += args
        self._cwd = cwd
        self._own_key = api_key
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._control: Control | None = None
        self._key: str | None = None
        self._sandboxes: dict[str, Sandbox] = {}

    @classmethod
    def connect(cls, url: str, api_key: str = "app-demo") -> Server:
        """Uses a server that already runs. `stop` does not stop it.

        If its control API requires a token, set `GPTBOTS_MOCK_ADMIN_TOKEN`.
        """
        server = cls()
        server._use(url, api_key)
        return server

    def _use(self, url: str, api_key: str | None) -> None:
        control = Control(url)
        health = control.json("GET", ["health"])
        if not isinstance(health, dict) or health.get("status") != "healthy":
            raise ControlError(f"the server at {url} is not gptbots-mock")
        self._control, self._key = control, api_key

    def start(self) -> Server:
        """Starts the server if it does not run, and waits until it accepts connections.

        Raises `BinaryNotFound`, or `StartError` with the output of the binary.
        """
        if self._control is not None:
            return self
        binary = find_binary()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - It is open while the server runs.
        fixture = None if self._fixture is None else _write_fixture(self._fixture)
        try:
            url = self._launch(binary, [] if fixture is None else [f"--fixtures={fixture}"])
            # The control API responds when the start is complete.
            self._use(url, self._own_key)
        except BaseException:
            self._end_process()
            raise
        finally:
            if fixture is not None:
                os.unlink(fixture)
        if self._key is None and self._fixture is not None:
            self._key = key_of(self._fixture)
        elif self._key is None:
            self._key = self._public_key()
        return self

    def _launch(self, binary: str, more: list[str]) -> str:
        """Starts the process, and returns the URL that it prints."""
        env = {key: it for key, it in os.environ.items() if key not in _FOREIGN_VARIABLES}
        # A variable and not a flag, because `args` could not repeat the flag.
        env["GPTBOTS_MOCK_LOG_FORMAT"] = "off"
        command = [binary, "serve", "--host=127.0.0.1", "--port=0", "--until-stdin-closes"]
        try:
            self._process = subprocess.Popen(
                [*command, *self._args, *more],
                # The server ends when our end of this pipe closes, so we keep it open.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                cwd=self._cwd,
                env=env,
                # Ctrl-C must not stop the server: reports still need its journal.
                start_new_session=sys.platform != "win32",
            )
        except OSError as error:
            raise StartError(f"cannot run {binary}: {error}") from error
        process = self._process
        assert process.stdout is not None, "stdout is a pipe"
        timer = threading.Timer(_PATIENCE, process.kill)
        timer.daemon = True
        timer.start()
        line = process.stdout.readline().decode(errors="replace")
        timer.cancel()
        match = re.fullmatch(r"listening on (http://\S+)\s*", line)
        if match is None:
            process.kill()
            ended = f"exit code {process.wait()}"
            said = self._said().strip() or line.strip() or "nothing"
            shown = " ".join([*command, *self._args, *more])
            raise StartError(f"{shown}\ndid not start ({ended}), and printed:\n{said}")
        return match[1]

    def _said(self) -> str:
        """The text that the process has written to stderr."""
        assert self._stderr is not None, "there is a process"
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def _public_key(self) -> str | None:
        """The key in the command that the server suggests. It never prints keys of fixtures."""
        match = re.search(r"Bearer ([^<'\s]\S*)'", self._said())
        return None if match is None else match[1]

    def stop(self) -> None:
        """Stops the server at once. When this returns, the port is free."""
        if self._process is None:
            return
        self._end_process()
        self._control = None
        self._key = None
        self._sandboxes.clear()

    def _end_process(self) -> None:
        if self._process is not None:
            # In a process forked from ours this does nothing, because it is not the parent.
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None, "both are pipes"
                pipe.close()
            self._process = None
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, which replaces the vendor's host: `http://127.0.0.1:49152`."""
        return self._running().url

    @property
    def api_key(self) -> str:
        """A key of the agent that has the generated records (`app-demo`).

        With fixtures, it is a key of their first agent that is not deleted. If the argument
        `api_key` was given, it is that key.
        """
        self._running()
        if self._key is None:
            raise MockError(
                "the server does not print the keys of fixtures, or the agents have none: "
                "add a key with Server(api_key=...)"
            )
        return self._key

    def sandbox(self, id: str, **settings: Unpack[Settings]) -> Sandbox:
        """A sandbox of this server, by its id: 1 to 64 of `A-Za-z0-9._-`.

        It has its own counters, faults, limits and clock, and shares the records. It is created by
        its first use. With settings, this call creates it, or replaces it if it exists.
        """
        sandbox = self._sandboxes.get(id)
        if sandbox is None:
            sandbox = Sandbox(self._running(), self.api_key, id)
            self._sandboxes[id] = sandbox
        if settings:
            sandbox._begin(settings)
        return sandbox

    def _running(self) -> Control:
        if self._control is None:
            raise MockError(
                "this server is not running: use `with Server() as server`, or call start()"
            )
        return self._control

    def requests(self) -> list[Request]:
        """The requests of all sandboxes in the journal, in the order of their arrival.

        The journal keeps the last 1,000 requests of each sandbox, in at most 8 MiB.
        """
        return read_journal(self._running(), {})[0]

    def dropped_requests(self) -> int:
        """The number of requests that are missing in `requests`, because the journal was full."""
        return read_journal(self._running(), {})[1]

    def verdict(self) -> Verdict:
        """The verdict on all requests so far, including those of sandboxes that have ended."""
        return Verdict.of_json(self._running().json("GET", ["verdict"]))

    def assert_clean(self) -> None:
        """Asserts that the verdict has no findings, and that there was a request."""
        assert_clean(self.verdict().or_unused("default"))

    def assert_clean_or_unused(self) -> None:
        """As `assert_clean`, but accepts that there was no request."""
        assert_clean(self.verdict())

    def __repr__(self) -> str:
        return f"<Server {self._control.url if self._control else 'that is not running'}>"


def _write_fixture(fixture: Mapping[str, Any]) -> str:
    """Writes a fixture to a file, which is deleted when the server has read it."""
    handle, path = tempfile.mkstemp(prefix="gptbots-mock-", suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(fixture, file)
    return path
