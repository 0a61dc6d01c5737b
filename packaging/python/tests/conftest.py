from __future__ import annotations

from collections.abc import Iterator

import pytest

from gptbots_mock import Server

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def no_foreign_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the variables of a server around this run, which are not for the tests' servers."""
    for name in ("URL", "KEY", "ADMIN_TOKEN"):
        monkeypatch.delenv(f"GPTBOTS_MOCK_{name}", raising=False)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server
