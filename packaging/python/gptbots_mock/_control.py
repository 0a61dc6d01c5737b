"""A client of the control API of a running emulator."""

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

#: The timeout for a response, in seconds. A response takes less than one millisecond.
PATIENCE = 30.0


class Control:
    """The control API at a URL.

    Each request opens a connection. This takes 0.1 ms, and threads and forked processes can share
    this object.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise MockError(f"the URL of an emulator must be http://HOST:PORT, got {url!r}")
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
        """Sends a request; returns the body and the headers of the response."""
        # Imported here because it takes 10 ms, which a run without an emulator should not pay.
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
            raise ControlError(f"cannot reach the emulator at {self.url}: {why}") from error
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
        """Sends a request; returns the body of the response, which is JSON."""
        content, _ = self.text(method, path, query=query, body=body)
        try:
            return json.loads(content)
        except ValueError as error:
            raise ControlError(f"the server at {self.url} is not gptbots-mock") from error


def _why(content: str) -> str:
    """The errors in a response of the control API, with line and column if they have one."""
    try:
        errors = json.loads(content)["errors"]
        return "\n".join(error.get("detail") or error["title"] for error in errors)
    except (ValueError, LookupError, TypeError):
        return content[:500]
