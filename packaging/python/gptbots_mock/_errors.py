"""The errors of this package."""

from __future__ import annotations


class MockError(Exception):
    """The base class of this package's errors. The message says what would be valid."""


class BinaryNotFound(MockError, FileNotFoundError):
    """The binary was not found."""


class StartError(MockError):
    """The binary did not start, or did not print its address in time."""


class ControlError(MockError):
    """The control API refused a request, or did not respond."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        #: The HTTP status of the response; None if there was no response.
        self.status = status
