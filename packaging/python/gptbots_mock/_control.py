"""Speaks to the control API of a running emulator."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from ._errors import ControlError, MockError

if TYPE_CHECKING:
    from http.client import HTTPMessage

# pytest shows the line of the test that called us.
__tracebackhide__ = True

#: How long an answer may take, in seconds. It takes less than one millisecond.
PATIENCE = 30.0


class Control:
    """The control API at a URL.

    Each request has a connection of its own, which costs 0.1 ms and lets threads and forked
    processes share this object.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise MockError(f"the URL of an emulator is http://HOST:PORT, not {url!r}")
        #: Without a trailing slash.
        self.url = url.rstrip("/")
        self._host = parts.hostname
        self._port = parts.port or 80
        self._prefix = parts.path.rstrip("/") + "/__admin"

    def text(
        self,
        method: str,
        path: Sequence[str],
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        accept: str = "application/json",
    ) -> tuple[str, HTTPMessage]:
        """The body and the headers of an answer."""
        # This import takes 10 ms, which a test run that needs no emulator does not spend.
        from http.client import HTTPConnection, HTTPException

        target = self._prefix + "".join(f"/{quote(part, safe='')}" for part in path)
        if query:
            target += "?" + urlencode(query)
        headers = {"Accept": accept}
        token = os.environ.get("GPTBOTS_MOCK_ADMIN_TOKEN")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        payload = None if body is None else json.dumps(body).encode()
        connection = HTTPConnection(self._host, self._port, timeout=PATIENCE)
        try:
            connection.request(method, target, payload, headers)
            answer = connection.getresponse()
            content = answer.read().decode()
        except (OSError, HTTPException) as error:
            why = str(error) or type(error).__name__
            raise ControlError(f"no emulator answers at {self.url}: {why}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            refused = f"{method} {target}: {answer.status}"
            raise ControlError(f"{refused}: {_why(content)}", answer.status)
        return content, answer.headers

    def json(
        self,
        method: str,
        path: Sequence[str],
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Any:
        """The body of an answer, which is JSON."""
        content, _ = self.text(method, path, query=query, body=body)
        try:
            return json.loads(content)
        except ValueError as error:
            raise ControlError(f"what answers at {self.url} is no emulator") from error


def _why(content: str) -> str:
    """The mistakes that the control API lists: each with its place, if it has one."""
    try:
        errors = json.loads(content)["errors"]
        return "\n".join(error.get("detail") or error["title"] for error in errors)
    except (ValueError, LookupError, TypeError):
        return content[:500]
