"""A client of the vendor's API without dependencies, and checks whether a process runs."""

from __future__ import annotations

import json
import os
import time
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from gptbots_mock import Sandbox, Server


def get(
    at: Server | Sandbox, path: str, key: str | None = None, **query: object
) -> tuple[int, Any]:
    """Sends a request; returns the status and the JSON of the response."""
    parts = urlsplit(at.url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {key or at.api_key}"}
        connection.request("GET", f"{parts.path}{path}?{urlencode(query)}", headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def conversations(at: Server | Sandbox, page: int = 1, page_size: int = 50) -> tuple[int, Any]:
    return get(
        at,
        "/v1/bot/conversation/page",
        conversation_type="ALL",
        start_time=0,
        end_time=9999999999999,
        page=page,
        page_size=page_size,
    )


def answers(url: str) -> bool:
    """Whether a server responds at a URL."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", "/__admin/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def is_alive(pid: int) -> bool:
    """Whether a process runs. A zombie process does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends_within(pid: int, seconds: float) -> bool:
    """Waits until a process ends that is not our child."""
    until = time.monotonic() + seconds
    if hasattr(os, "pidfd_open"):
        import select

        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            select.select([handle], [], [], seconds)
        finally:
            os.close(handle)
        return not is_alive(pid)
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(pid)
