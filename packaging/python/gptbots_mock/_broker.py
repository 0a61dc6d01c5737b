"""Lets the workers of pytest-xdist share one emulator. PYTEST_DONT_REWRITE"""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from ._server import Server


class Broker:
    """Gives workers the address of the emulator, on a loopback port.

    The emulator starts when the first worker asks for it. It belongs to the controller, because
    the controller outlives all workers.
    """

    def __init__(self, find: Callable[[], Server]) -> None:
        self._find = find
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._token = os.urandom(16).hex()
        #: The port and the token that a worker needs for its request.
        self.address = f"{self._socket.getsockname()[1]} {self._token}"
        threading.Thread(target=self._serve, name="gptbots-mock", daemon=True).start()

    def _serve(self) -> None:
        from contextlib import suppress

        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # The socket was closed.
                return
            # Ignore a worker that has ended, and a client that sends anything but the token.
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
    """Asks the controller for the URL and the key of the emulator."""
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
            f"cannot get the emulator from the controller of pytest-xdist: {error}. If workers "
            "run on other machines, start an emulator yourself and set GPTBOTS_MOCK_URL."
        ) from error
    if "error" in answer:
        raise MockError(answer["error"])
    return answer["url"], answer["key"]
