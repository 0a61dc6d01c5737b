"""The names that the emulator uses, for type checkers. A test compares them with the binary."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Union

#: The four endpoints.
Operation = Literal["conversations", "messages", "messages-v2", "qa"]

#: The vendor's codes.
Code = Literal[40000, 40005, 40127, 40356, 20059, 40008, 50000, 404, 405]

#: The parameters of the endpoints.
Parameter = Literal[
    "conversation_type",
    "user_id",
    "start_time",
    "end_time",
    "page",
    "page_size",
    "conversation_id",
    "user_feedback",
]

#: Changes of the data between two page requests of a client.
Hazard = Literal[
    "arrival",
    "departure",
    "short-page",
    "repeated-row",
    "moving-total",
    "exact-multiple",
]

#: Behaviours that the vendor leaves unclear.
Reading = Literal[
    "error-status",
    "messages-total",
    "messages-order",
    "v2-messages-order",
    "qa-time",
    "qa-order",
    "qa-total",
    "feedback-absent",
    "page-size",
    "page-past-end",
    "list-total",
    "anonymous-id",
    "wording",
]

#: The rules of the verdict.
Rule = Literal[
    "unknown-endpoint",
    "unknown-parameter",
    "foreign-page-size",
    "time-in-seconds",
    "body-on-get",
    "key-in-url",
    "skipped-page",
    "repeated-page",
    "stopped-early",
    "past-the-end",
    "repeated-refusal",
    "retry-after-ignored",
    "no-pause",
    "unread-answer",
    "no-request",
]

#: A time in seconds, or as a `timedelta`.
Seconds = Union[int, float, timedelta]


def seconds(time: Seconds) -> float:
    return time.total_seconds() if isinstance(time, timedelta) else float(time)


def milliseconds(time: Seconds) -> int:
    return round(seconds(time) * 1000)


def whole_seconds(time: Seconds) -> int:
    whole = round(seconds(time))
    if whole != seconds(time):
        raise ValueError(f"a time window must be whole seconds, got {seconds(time)}")
    return whole
