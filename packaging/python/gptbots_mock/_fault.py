"""Faults: failures on demand."""

from __future__ import annotations

from typing import NamedTuple, Union

from ._words import Code, Operation, Parameter, Seconds, milliseconds


class LogNormal(NamedTuple):
    """A delay that is mostly short and sometimes long, similar to real services."""

    #: Half of the delays are shorter.
    median: Seconds
    #: The standard deviation of the delay's natural logarithm: 0.5 spreads a little, 1 much.
    sigma: float


#: A fixed time; a range of two times, evenly distributed; or log-normal.
Delay = Union[Seconds, "tuple[Seconds, Seconds]", LogNormal]


class Fault:
    """A failure on demand: what fails, for which requests, and when.

    Without `on` it applies to every operation; without a schedule, to every request. A fault is
    immutable: each method returns a new one. `str(fault)` is its text for `--fault`, and such a
    text is accepted wherever a fault is.

    >>> str(Fault.code(50000).on("conversations").param("page", 3).times(2))
    'conversations:page=3,code=50000,times=2'
    """

    __slots__ = ("_keys", "_operations", "_params")

    def __init__(self) -> None:
        self._operations: tuple[str, ...] = ()
        self._params: dict[str, str] = {}
        self._keys: dict[str, str] = {}

    @classmethod
    def _new(cls, **keys: str) -> Fault:
        return cls()._with(**keys)

    def _with(self, **keys: str) -> Fault:
        fault = Fault()
        fault._operations = self._operations
        fault._params = self._params
        fault._keys = {**self._keys, **keys}
        return fault

    @classmethod
    def code(cls, code: Code) -> Fault:
        """An error with a code of the vendor and the message of the endpoint.

        Without `on`, it applies only to operations that can return this code.
        """
        return cls._new(code=str(code))

    @classmethod
    def status(cls, status: int) -> Fault:
        """An HTTP status, 200 to 599, with a JSON body."""
        return cls._new(status=str(status))

    @classmethod
    def delay(cls, delay: Delay) -> Fault:
        """A delay of the original response."""
        return cls._new(delay=_delay(delay))

    @classmethod
    def reset(cls) -> Fault:
        """A TCP reset of the connection, without a response."""
        return cls._new(**{"break": "reset"})

    @classmethod
    def no_answer(cls) -> Fault:
        """There is no response. The connection stays open until the client closes it."""
        return cls._new(**{"break": "no-answer"})

    @classmethod
    def empty_body(cls) -> Fault:
        """HTTP 200 with an empty body."""
        return cls._new(body="empty")

    @classmethod
    def truncated_body(cls) -> Fault:
        """Half of the body is sent; then the connection is closed."""
        return cls._new(body="truncated")

    @classmethod
    def garbage_body(cls) -> Fault:
        """HTTP 200 with a body of the same length, which is neither JSON nor UTF-8."""
        return cls._new(body="garbage")

    @classmethod
    def drip(cls, bytes_per_second: int) -> Fault:
        """The body is sent at a rate in bytes a second, at least 1."""
        return cls._new(drip=str(bytes_per_second))

    def html(self) -> Fault:
        """Makes the body of a `status` an HTML page, as a gateway sends it."""
        return self._with(body="html")

    def empty(self) -> Fault:
        """Makes the body of a `status` empty."""
        return self._with(body="empty")

    def retry_after(self, seconds: int) -> Fault:
        """Sets the `Retry-After` of a `code` or a `status`."""
        return self._with(retry_after=str(seconds))

    def delayed(self, delay: Delay) -> Fault:
        """Waits before the rest of the fault happens."""
        return self._with(delay=_delay(delay))

    def on(self, operation: Operation) -> Fault:
        """Restricts the fault to an operation. Repeated calls add operations."""
        fault = self._with()
        fault._operations = tuple(dict.fromkeys((*self._operations, operation)))
        return fault

    def param(self, name: Parameter, value: object) -> Fault:
        """Restricts the fault to requests with this value of a parameter."""
        fault = self._with()
        # In the text of a fault, a comma ends the value and a semicolon ends the fault.
        text = str(value).replace("%", "%25").replace(",", "%2C").replace(";", "%3B")
        fault._params = {**self._params, name: text}
        return fault

    def times(self, times: int) -> Fault:
        """Applies the fault to at most this many requests."""
        return self._with(times=str(times))

    def after(self, requests: int) -> Fault:
        """Skips this many requests first."""
        return self._with(after=str(requests))

    def every(self, requests: int) -> Fault:
        """Applies the fault only to every n-th matching request; `requests` is n."""
        return self._with(every=str(requests))

    def probability(self, probability: float) -> Fault:
        """Applies the fault with a probability, above 0 and at most 1.

        The choice depends on the seed, so every run makes the same choices.
        """
        return self._with(probability=str(probability))

    def named(self, id: str) -> Fault:
        """Sets the id in the header `x-mock-fault`."""
        return self._with(id=id)

    def __str__(self) -> str:
        keys = ",".join(f"{key}={value}" for key, value in (self._params | self._keys).items())
        operations = "+".join(self._operations)
        return f"{operations}:{keys}" if operations else keys

    def __repr__(self) -> str:
        return f"<Fault {self}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


#: A fault, or its text for `--fault`.
AnyFault = Union[Fault, str]

#: The keys of a schedule.
_SCHEDULE = ("times", "after", "every", "probability")


def once(fault: AnyFault) -> str:
    """The text of a fault that applies to the next request only; its schedule is ignored."""
    operations, colon, keys = str(fault).partition(":")
    if not colon or "=" in operations:
        # The colon, if there is one, is part of a value.
        operations, colon, keys = "", "", str(fault)
    kept = [key for key in keys.split(",") if key.split("=")[0].strip() not in _SCHEDULE]
    return f"{operations}{colon}{','.join([*kept, 'times=1'])}"


def _delay(delay: Delay) -> str:
    if isinstance(delay, LogNormal):
        return f"lognormal:{milliseconds(delay.median)}:{delay.sigma}"
    if isinstance(delay, tuple):
        shortest, longest = delay
        return f"{milliseconds(shortest)}..{milliseconds(longest)}"
    return str(milliseconds(delay))
