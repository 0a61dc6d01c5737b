"""How workers of pytest-xdist share one emulator. PYTEST_DONT_REWRITE"""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from ._server import Server


class Broker:
    """Answers workers that ask for the emulator, on a port of this machine.

    So it starts only if one of them needs it, and yet the controller owns it, which outlives all
    of them.
    """

    def __init__(self, find: Callable[[], Server]) -> None:
        self._find = find
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._token = os.urandom(16).hex()
        #: What a worker needs to ask: port and token.
        self.address = f"{self._socket.getsockname()[1]} {self._token}"
        threading.Thread(target=self._serve, name="gptbots-mock", daemon=True).start()

    def _serve(self) -> None:
        from contextlib import suppress

        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # It was closed.
                return
            # Nobody has to hear of a worker that has ended, or of a stranger who sends something.
            with suppress(OSError, ValueError), connection:
                connection.settimeout(10)
                if connection.recv(100).decode() == self._token:
                    connection.sendall(self._answer().encode())

    def _answer(self) -> str:
        import json

        from ._errors import MockError

        try:
            server = self._find()
            return json.dumps({"url": server.url, "key": server.api_key})
        except MockError as error:
            return json.dumps({"error": str(error)})

    def close(self) -> None:
        self._socket.close()


def ask(address: str) -> tuple[str, str]:
    """Asks the controller for the emulator: its URL and its key."""
    import json

    from ._errors import MockError

    port, token = address.split()
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=90) as connection:
            connection.sendall(token.encode())
            with connection.makefile("rb") as stream:
                answer = json.load(stream)
    except (OSError, ValueError) as error:
        raise MockError(
            f"the controller of pytest-xdist gives no emulator: {error}. Where workers run on "
            "other machines, start one and set GPTBOTS_MOCK_URL."
        ) from error
    if "error" in answer:
        raise MockError(answer["error"])
    return answer["url"], answer["key"]
