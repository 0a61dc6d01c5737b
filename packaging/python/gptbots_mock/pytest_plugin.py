"""The pytest plugin: an emulator for the run, and a sandbox for each test.

pytest loads this module at every start, so it is small, and imports the other modules only when a
test needs the emulator. PYTEST_DONT_REWRITE, because rewriting takes time too.
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

#: The name, the type in the ini file, and the description.
SETTINGS = (
    (
        "args",
        "args",
        "arguments of `gptbots-mock serve`, such as --seed=7; paths are relative to the rootdir",
    ),
    ("clean", "bool", "fail each test whose requests have findings in the verdict"),
    ("mute", None, "rules to ignore, separated by commas"),
    ("deny", None, "rules, separated by commas, or `all`: findings of these rules fail the run"),
    ("min_coverage", None, "fail the run if it covers less than this percentage of the contract"),
    ("report", None, "file to write the verdict of the run to: .xml (JUnit), .json or .txt"),
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
    """The value of the option, otherwise of the ini file; None if neither is set."""
    ini = f"{MARKER}_{name}"
    option = config.getoption(ini)
    return (config.getini(ini) or None) if option is None else option


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{MARKER}(rate_limit=(60, 60), clock='frozen', fault='messages:code=50000', clean=True, "
        f"...): settings of the sandbox of the fixture {MARKER}; with clean, the test fails if the "
        "verdict on its requests has findings (mute=[...] ignores rules).",
    )
    if any(setting(config, name) for name in ("mute", "deny", "min_coverage", "report")):
        # An invalid value must be an error now, not after all tests.
        run_of(config)


def run_of(config: pytest.Config) -> Run:
    """The state of this run."""
    if RUN not in config.stash:
        from ._pytest_run import Run

        config.stash[RUN] = Run(config)
    return config.stash[RUN]


def pytest_report_header() -> str | None:
    url = os.environ.get("GPTBOTS_MOCK_URL")
    if not url:
        return None
    return f"gptbots-mock: {url} (from GPTBOTS_MOCK_URL; this run has no verdict of its own)"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Gives a worker of pytest-xdist the address at which it can ask for the emulator."""
    from . import _broker

    config = node.config
    if BROKER not in config.stash:
        config.stash[BROKER] = _broker.Broker(lambda: run_of(config).find_or_start())
    node.workerinput["gptbots_mock_broker"] = config.stash[BROKER].address
    if config.getoption("dist") == "each":
        # Every worker runs every test, so each worker needs its own sandboxes.
        node.workerinput["gptbots_mock_suffix"] = f"-{node.gateway.id}"


@pytest.fixture(scope="session")
def gptbots_mock_server(pytestconfig: pytest.Config) -> Server:
    """The emulator of this run, a `gptbots_mock.Server`. It starts when the first test needs it.

    If `GPTBOTS_MOCK_URL` (and `GPTBOTS_MOCK_KEY`) are set, as `gptbots-mock exec` does, it is the
    server at this URL.
    """
    return run_of(pytestconfig).server()


@pytest.fixture
def gptbots_mock(request: pytest.FixtureRequest, gptbots_mock_server: Server) -> Iterator[Sandbox]:
    """The test's own sandbox, a `gptbots_mock.Sandbox`; the marker sets its settings."""
    item = request.node
    sandbox = item.stash[SANDBOX] = run_of(item.config).sandbox(item, gptbots_mock_server)
    yield sandbox
    sandbox.end()


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Judges a test that has passed so far, but not one that failed or was skipped."""
    if SANDBOX in item.stash:
        run_of(item.config).judge_test(item, item.stash[SANDBOX])
    elif any(marker.name == MARKER for marker in item.own_markers):
        pytest.fail(
            f"@pytest.mark.{MARKER} needs the fixture `{MARKER}`, but neither this test nor one of "
            "its fixtures uses it",
            pytrace=False,
        )


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Adds the requests of the client to the report of a failed test."""
    outcome = yield
    # During the teardown, the sandbox has already ended.
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
