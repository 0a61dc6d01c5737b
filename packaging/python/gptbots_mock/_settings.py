"""The settings of a sandbox: as keywords, and in the format of the control API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Union

from ._errors import MockError
from ._fault import AnyFault, Fault
from ._words import Reading, Seconds, whole_seconds

#: Requests and seconds: a pair, or `"60/60"`.
RateLimit = Union["tuple[int, Seconds]", str]


class Settings(TypedDict, total=False):
    """The keywords of `Server.sandbox` and of the marker."""

    #: The seed of generated records and of random faults.
    seed: int
    #: The number of conversations of agent demo.
    conversations: int
    #: The id of the user of agent demo with the most conversations.
    demo_user: str
    #: Agents that replace the server's, in the format of a fixture file.
    fixture: Mapping[str, Any]
    #: Behaviours that the vendor leaves unclear, by name: `{"qa-time": "milliseconds"}`.
    readings: Mapping[Reading, str]
    #: One fault or several.
    fault: AnyFault | Sequence[AnyFault]
    #: None: no limit.
    rate_limit: RateLimit | None
    #: One hazard or several; for one operation: `qa:short-page`.
    hazard: str | Sequence[str]
    #: "frozen": only `advance` changes the clock.
    clock: Literal["real", "frozen"]


#: The names in the control API, if they differ.
_NAMES = {"fixture": "fixtures", "fault": "faults", "hazard": "hazards"}


def as_body(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as the body of `PUT /__admin/sandboxes/ID`."""
    body = {}
    for name, value in settings.items():
        if name not in Settings.__annotations__:
            known = ", ".join(Settings.__annotations__)
            raise MockError(f"a sandbox has no setting {name!r} (one of {known})")
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
    """A key of the first agent that is not deleted, chosen as the emulator does."""
    for agent in fixture.get("agents", ()):
        keys = agent.get("keys")
        if not agent.get("deleted") and keys != []:
            return str(keys[0]) if keys else f"app-{agent.get('name', '')}"
    return None
