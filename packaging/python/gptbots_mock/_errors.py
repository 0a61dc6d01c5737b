"""The errors of this package."""

from __future__ import annotations


class MockError(Exception):
    """What the emulator, or this package, cannot do. The message says what would be right."""


class BinaryNotFound(MockError, FileNotFoundError):
    """There is no binary where this package looks for it."""


class StartError(MockError):
    """The binary ended, or said nothing, instead of serving."""


class ControlError(MockError):
    """The control API refused a request, or did not answer it."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        #: The HTTP status of the answer; None if there was no answer.
        self.status = status
