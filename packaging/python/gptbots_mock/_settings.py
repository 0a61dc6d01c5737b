"""The settings of a sandbox, as keywords, and as the control API takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Union

from ._errors import MockError
from ._fault import AnyFault, Fault
from ._words import Reading, Seconds, whole_seconds

#: Requests in a window of time: a pair, or `"60/60"`.
RateLimit = Union["tuple[int, Seconds]", str]


class Settings(TypedDict, total=False):
    """What `Server.sandbox` and the marker take."""

    #: What generated records and faults are drawn from.
    seed: int
    #: How many conversations agent demo has.
    conversations: int
    #: The id of the user of agent demo who has the most conversations.
    demo_user: str
    #: Agents in place of the server's: what a fixture file holds.
    fixture: Mapping[str, Any]
    #: By name: `{"qa-time": "milliseconds"}`.
    readings: Mapping[Reading, str]
    #: A fault or more.
    fault: AnyFault | Sequence[AnyFault]
    rate_limit: RateLimit | None
    #: Words, for one operation as `qa:short-page`.
    hazard: str | Sequence[str]
    clock: Literal["real", "frozen"]


#: The names of the control API, where they differ.
_NAMES = {"fixture": "fixtures", "fault": "faults", "hazard": "hazards"}


def as_body(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as the body of `PUT /__admin/sandboxes/ID`."""
    body = {}
    for name, value in settings.items():
        if name not in Settings.__annotations__:
            known = ", ".join(Settings.__annotations__)
            raise MockError(f"a sandbox has no setting {name!r}; there are {known}")
        if name == "fault":
            value = [str(fault) for fault in as_list(value)]
        elif name == "hazard":
            value = as_list(value)
        elif name == "rate_limit" and value is not None:
            value = rate_limit_line(value)
        body[_NAMES.get(name, name)] = value
    return body


def as_list(value: Any) -> list[Any]:
    """One value, or a sequence of them, as a list."""
    return [value] if isinstance(value, (str, Fault)) else list(value)


def rate_limit_line(limit: RateLimit) -> str:
    if isinstance(limit, str):
        return limit
    try:
        requests, window = limit
    except (TypeError, ValueError):
        right = "(requests, seconds) or '60/60'"
        raise ValueError(f"rate_limit must be {right}, got {limit!r}") from None
    return f"{requests}/{whole_seconds(window)}"


def key_of(fixture: Mapping[str, Any]) -> str | None:
    """A key of the first agent that is not deleted, as the emulator gives one."""
    for agent in fixture.get("agents", ()):
        keys = agent.get("keys")
        if not agent.get("deleted") and keys != []:
            return str(keys[0]) if keys else f"app-{agent.get('name', '')}"
    return None
