"""The pytest plugin: an emulator for the run, and a sandbox for each test.

pytest loads this module at every start, so it is small, and what only a run with an emulator needs
is imported when it is needed. PYTEST_DONT_REWRITE, because that takes time as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ._broker import Broker
    from ._pytest_run import Run
    from ._sandbox import Sandbox
    from ._server import Server

MARKER = "gptbots_mock"

#: Name, type in the ini file, and what it says.
SETTINGS = (
    ("args", "args", "arguments of `gptbots-mock serve`, as --seed=7; paths begin at the rootdir"),
    ("clean", "bool", "a test fails if the verdict on its requests finds something"),
    ("mute", None, "rules that nobody wants to hear of, by commas"),
    ("deny", None, "rules by commas, or `all`: the run fails if its verdict finds one of them"),
    ("min_coverage", None, "the run fails below this percentage of the contract"),
    ("report", None, "file for the verdict of the run: .xml (JUnit), .json or .txt"),
)

BROKER: pytest.StashKey[Broker] = pytest.StashKey()
RUN: pytest.StashKey[Run] = pytest.StashKey()
SANDBOX: pytest.StashKey[Sandbox] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gptbots-mock")
    for name, kind, text in SETTINGS:
        ini = f"{MARKER}_{name}"
        flag = "--" + ini.replace("_", "-")
        if kind == "bool":
            group.addoption(flag, dest=ini, action="store_true", default=None, help=text)
        else:
            group.addoption(flag, dest=ini, metavar=name.upper(), help=text)
        parser.addini(ini, text, type=kind)  # type: ignore[arg-type]


def setting(config: pytest.Config, name: str) -> Any:
    """The option, or else what the ini file says; None if neither does."""
    ini = f"{MARKER}_{name}"
    option = config.getoption(ini)
    return (config.getini(ini) or None) if option is None else option


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{MARKER}(rate_limit=(60, 60), clock='frozen', fault='messages:code=50000', clean=True, "
        "...): settings of the sandbox that the fixture of this name is; with clean, the test "
        "fails if the verdict on its requests finds something (mute=[...] leaves rules out).",
    )
    if any(setting(config, name) for name in ("mute", "deny", "min_coverage", "report")):
        # A slip in them is an error now, not when all tests have run.
        run_of(config)


def run_of(config: pytest.Config) -> Run:
    """What this run knows of its emulator."""
    if RUN not in config.stash:
        from ._pytest_run import Run

        config.stash[RUN] = Run(config)
    return config.stash[RUN]


def pytest_report_header() -> str | None:
    url = os.environ.get("GPTBOTS_MOCK_URL")
    if not url:
        return None
    return f"gptbots-mock: {url} (GPTBOTS_MOCK_URL; whoever started it judges the whole run)"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist how to ask for the emulator of the run."""
    from . import _broker

    config = node.config
    if BROKER not in config.stash:
        config.stash[BROKER] = _broker.Broker(lambda: run_of(config).find_or_start())
    node.workerinput["gptbots_mock_broker"] = config.stash[BROKER].address
    if config.getoption("dist") == "each":
        # Every worker runs every test, each in a sandbox of its own.
        node.workerinput["gptbots_mock_suffix"] = f"-{node.gateway.id}"


@pytest.fixture(scope="session")
def gptbots_mock_server(pytestconfig: pytest.Config) -> Server:
    """The emulator of this run, a `gptbots_mock.Server`. It starts when a test needs it first.

    With `GPTBOTS_MOCK_URL` (and `GPTBOTS_MOCK_KEY`), which `gptbots-mock exec` sets, it is the one
    that runs there.
    """
    return run_of(pytestconfig).server()


@pytest.fixture
def gptbots_mock(request: pytest.FixtureRequest, gptbots_mock_server: Server) -> Iterator[Sandbox]:
    """A sandbox of the test's own, a `gptbots_mock.Sandbox`; the marker has its settings."""
    item = request.node
    sandbox = item.stash[SANDBOX] = run_of(item.config).sandbox(item, gptbots_mock_server)
    yield sandbox
    sandbox.end()


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Judges a test that has passed so far. One that failed or was skipped never comes here."""
    if SANDBOX in item.stash:
        run_of(item.config).judge_test(item, item.stash[SANDBOX])
    elif any(marker.name == MARKER for marker in item.own_markers):
        pytest.fail(
            f"@pytest.mark.{MARKER} is about the fixture `{MARKER}`, which neither this test nor a "
            "fixture of it asks for",
            pytrace=False,
        )


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Adds what its client sent to the report of a failed test."""
    outcome = yield
    # At the teardown the sandbox has ended.
    if SANDBOX in item.stash and call.when != "teardown":
        report = outcome.get_result()  # type: ignore[attr-defined]
        if report.failed:
            sandbox = item.stash[SANDBOX]
            text = run_of(item.config).describe(sandbox)
            report.sections.append((f"gptbots-mock {sandbox.url}", text))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if RUN in session.config.stash and session.config.stash[RUN].judge() and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if RUN in config.stash:
        config.stash[RUN].write_verdict(terminalreporter)


def pytest_unconfigure(config: pytest.Config) -> None:
    if BROKER in config.stash:
        config.stash[BROKER].close()
    if RUN in config.stash:
        config.stash[RUN].close()
