"""The pytest plugin in test suites of a user."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from client import answers

from gptbots_mock import Server, find_binary

CLIENT = Path(__file__).with_name("client.py").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def client(pytester: pytest.Pytester) -> None:
    """Gives our client to the tests of the user."""
    pytester.makepyfile(client=CLIENT)
    pytester.syspathinsert()


def test_each_test_has_a_sandbox_of_one_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from client import conversations

        @pytest.mark.parametrize("page", [1, "ä/~ ?", "x" * 100])
        def test_walk(gptbots_mock, gptbots_mock_server, page):
            assert gptbots_mock.url.startswith(gptbots_mock_server.url + "/s/test_walk-")
            assert conversations(gptbots_mock)[0] == 200
            assert len(gptbots_mock.requests()) == 1
            assert len(gptbots_mock.id) <= 64

        def test_indirect(client_of):
            assert conversations(client_of)[0] == 200

        @pytest.fixture
        def client_of(gptbots_mock):
            return gptbots_mock
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["verdict: 4 requests, nothing found, coverage *%"])


def test_ids_stay_the_same_and_differ(pytester: pytest.Pytester) -> None:
    body = """
        import pathlib

        class Test{0}:
            def test_{1}(self, gptbots_mock):
                with open("ids", "a") as file:
                    file.write(gptbots_mock.id + "\\n")
    """
    for name in ("a", "b"):
        pytester.makepyfile(**{f"test_{name}": body.format("X", "long" * 30)})
    ids = []
    for _ in range(2):
        pytester.runpytest().assert_outcomes(passed=2)
        ids.append((pytester.path / "ids").read_text().split())
        (pytester.path / "ids").unlink()
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_the_marker_sets_the_sandbox_and_the_nearest_one_counts(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import pytest
        from client import conversations, get
        from gptbots_mock import Fault

        pytestmark = pytest.mark.gptbots_mock(rate_limit=(1, 60), clock="frozen")

        def test_module(gptbots_mock):
            assert [conversations(gptbots_mock)[0] for _ in range(2)] == [200, 429]
            gptbots_mock.advance(60)
            assert conversations(gptbots_mock)[0] == 200

        @pytest.mark.gptbots_mock(fault=Fault.code(50000).on("qa"), rate_limit=None)
        class TestClass:
            def test_class(self, gptbots_mock):
                assert [conversations(gptbots_mock)[0] for _ in range(2)] == [200, 200]
                assert get(gptbots_mock, "/v1/message/qa/record/page")[0] == 500

            @pytest.mark.gptbots_mock(
                fault=["conversations:status=503,times=1"],
                hazard=["short-page"],
                readings={"page-size": "clamp"},
                seed=7,
                conversations=30,
                demo_user="ann",
            )
            def test_function(self, gptbots_mock):
                assert conversations(gptbots_mock)[0] == 503
                answer = conversations(gptbots_mock, page_size=20)[1]
                assert (answer["total"], len(answer["list"])) == (30, 19)

        def test_unused_by_this_one():
            pass
        """
    )
    pytester.runpytest().assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("marker", "why"),
    [
        ("fautl='code=50000'", "takes only the keywords seed, *, clean, mute, got fautl"),
        ("'code=50000'", "takes only the keywords seed, *, clean, mute, got 'code=50000'"),
        ("fault='code=1'", '*no code "1" (one of 40000, *'),
        (
            "clean=True, mute=['skiped-page']",
            "there is no rule 'skiped-page' (one of unknown-endpoint, *)",
        ),
    ],
)
def test_a_wrong_marker_says_what_is_wrong(
    pytester: pytest.Pytester, marker: str, why: str
) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.gptbots_mock({marker})
        def test(gptbots_mock):
            pass
        """
    )
    result = pytester.runpytest()
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*{why}"])


def test_a_marker_without_the_fixture_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.gptbots_mock(fault="code=50000")
        def test():
            pass
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*needs the fixture `gptbots_mock`, but neither this test *"])


def test_markers_are_known(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.gptbots_mock(clean=True)
        def test(gptbots_mock):
            pass
        """
    )
    pytester.runpytest("--strict-markers").assert_outcomes(passed=1)
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.gptbots_mock(rate_limit=*"])


UNCLEAN = """
    import pytest
    from client import conversations, get

    def skip_a_page(sandbox):
        for page in (1, 3):
            conversations(sandbox, page)

    @pytest.mark.gptbots_mock(clean=True)
    def test_unclean(gptbots_mock):
        skip_a_page(gptbots_mock)

    @pytest.mark.gptbots_mock(clean=True)
    def test_clean(gptbots_mock):
        for page in (1, 2, 3, 4):
            conversations(gptbots_mock, page)

    @pytest.mark.gptbots_mock(clean=True)
    def test_asked_nothing(gptbots_mock):
        pass

    @pytest.mark.gptbots_mock(clean=True)
    def test_skipped(gptbots_mock):
        skip_a_page(gptbots_mock)
        pytest.skip("not today")

    @pytest.mark.gptbots_mock(clean=True)
    @pytest.mark.xfail(strict=True)
    def test_expected(gptbots_mock):
        skip_a_page(gptbots_mock)

    @pytest.mark.gptbots_mock(clean=True, mute=["skipped-page"])
    def test_muted(gptbots_mock):
        skip_a_page(gptbots_mock)

    @pytest.mark.gptbots_mock(clean=False)
    def test_allowed(gptbots_mock):
        skip_a_page(gptbots_mock)

    def test_by_the_ini(gptbots_mock):
        skip_a_page(gptbots_mock)
"""


def test_clean_fails_what_is_not(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(UNCLEAN)
    result = pytester.runpytest("-rA")
    result.assert_outcomes(passed=5, failed=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(
        [
            "expected requests that do nothing wrong, got:",
            "skipped-page: /v1/bot/conversation/page: page 3 was fetched, but page 2 was not",
            "FAILED *::test_unclean*",
        ]
    )


@pytest.mark.parametrize("how", ["ini", "option"])
def test_clean_can_be_for_all_tests(pytester: pytest.Pytester, how: str) -> None:
    pytester.makepyfile(UNCLEAN)
    if how == "ini":
        pytester.makeini("[pytest]\ngptbots_mock_clean = true")
    args = ["--gptbots-mock-clean"] if how == "option" else []
    result = pytester.runpytest("-rf", *args)
    result.assert_outcomes(passed=4, failed=2, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_by_the_ini*"])
    result = pytester.runpytest(*args, "--gptbots-mock-mute=skipped-page,no-pause")
    result.assert_outcomes(passed=6, skipped=1, failed=1)  # The expected failure does not come.


def test_a_failed_test_shows_its_requests_reasons_and_verdict(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from client import conversations, get

        def test_fails(gptbots_mock):
            gptbots_mock.fail_next("break=reset")
            try:
                conversations(gptbots_mock)
            except ConnectionError:
                pass
            get(gptbots_mock, "/v1/messages", conversation_id="x", page=1, pagesize=2)
            assert False

        def test_passes(gptbots_mock):
            get(gptbots_mock, "/v1/nothing")
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*gptbots-mock http://127.0.0.1:*/s/test_fails-*",
            "#1 GET /s/test_fails-*/v1/bot/conversation/page?*",
            "    no response: fault fault-1.conversations.1",
            "#2 GET /s/test_fails-*/v1/messages?*",
            "    400, code 40000: page_size is missing; *",
            "verdict: 1 finding in 2 requests",
            "unknown-parameter: /v1/messages has no `pagesize`; *",
        ]
    )
    assert "/v1/nothing" not in result.stdout.str()


def test_a_fixture_that_fails_shows_requests_too_and_only_the_last(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import pytest
        from client import conversations

        @pytest.fixture
        def broken(gptbots_mock):
            for _ in range(60):
                conversations(gptbots_mock)
            raise ValueError

        def test(broken):
            pass
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["10 earlier requests are not shown", "#11 GET *"])


def test_a_server_that_has_gone_spoils_no_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test(gptbots_mock, gptbots_mock_server):
            gptbots_mock_server._process.kill()
            gptbots_mock_server._process.wait()
            assert 1 == 2
        """
    )
    result = pytester.runpytest()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*assert 1 == 2",
            "cannot reach the emulator at *",
            "no verdict: cannot reach the emulator at *",
        ]
    )


def test_an_emulator_that_nobody_needs_does_not_start(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTBOTS_MOCK_BIN", "/nowhere")
    pytester.makepyfile("def test(): pass")
    args = ["--gptbots-mock-deny=all", "--gptbots-mock-min-coverage=100"]
    for workers in ([], ["-n1"]):
        result = pytester.runpytest_subprocess(*args, *workers)
        result.assert_outcomes(passed=1)
        assert result.ret == 0
        result.stdout.no_fnmatch_line("*verdict*")


@pytest.mark.parametrize("args", [[], ["-n2"]])
def test_an_emulator_that_does_not_start_says_why(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    monkeypatch.setenv("GPTBOTS_MOCK_BIN", "/nowhere")
    pytester.makepyfile("def test(gptbots_mock): pass")
    result = pytester.runpytest_subprocess(*args)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*GPTBOTS_MOCK_BIN is '/nowhere', which is not a file"])


TWO_MISTAKES = """
    from client import conversations, get

    def test_page(gptbots_mock):
        for page in (1, 3):
            conversations(gptbots_mock, page)

    def test_path(gptbots_mock):
        get(gptbots_mock, "/v1/nothing")
"""


@pytest.mark.parametrize(
    ("deny", "fails", "workers"),
    [
        ("all", True, []),
        ("all", True, ["-n2"]),
        ("unknown-endpoint", True, []),
        ("no-pause, skipped-page", True, []),
        ("no-pause", False, []),
    ],
)
def test_the_verdict_of_the_run_can_fail_it(
    pytester: pytest.Pytester, deny: str, fails: bool, workers: list[str]
) -> None:
    pytester.makepyfile(TWO_MISTAKES)
    result = pytester.runpytest_subprocess(f"--gptbots-mock-deny={deny}", *workers)
    result.assert_outcomes(passed=2)
    assert result.ret == (1 if fails else 0)
    found = "*2 findings (*), coverage *%" + ("; denied" if fails else "")
    result.stdout.fnmatch_lines([f"verdict: 3 requests, {found}"])
    if fails:
        result.stdout.fnmatch_lines(["*page 3 was fetched, but page 2 was not"])
    else:
        result.stdout.no_fnmatch_line("*page 3 was fetched*")


def test_settings_stand_in_the_ini_file_as_well(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TWO_MISTAKES)
    pytester.makeini(
        """
        [pytest]
        gptbots_mock_args = --conversations 120 --fault "qa:code=50000"
        gptbots_mock_deny = unknown-endpoint,skipped-page
        gptbots_mock_mute = unknown-endpoint
        """
    )
    result = pytester.runpytest()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["verdict: 3 requests, 1 finding (skipped-page), *; denied"])
    result = pytester.runpytest("--gptbots-mock-mute=unknown-endpoint,skipped-page")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["verdict: 3 requests, nothing found, *"])
    result = pytester.runpytest("--gptbots-mock-args=--journal=0")
    result.stdout.fnmatch_lines(["no verdict: *--journal 0*"])
    assert result.ret == 1


def test_paths_of_args_begin_at_the_rootdir(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = [{"name": "mine", "conversations": []}]
    (pytester.path / "mine.json").write_text(json.dumps({"agents": agents}))
    pytester.makeini("[pytest]\ngptbots_mock_args = --fixtures mine.json")
    pytester.mkdir("tests").joinpath("test_key.py").write_text(
        "def test(gptbots_mock): assert gptbots_mock.api_key.startswith('app-mine~')"
    )
    monkeypatch.chdir("tests")
    pytester.runpytest().assert_outcomes(passed=1)


def test_too_little_coverage_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TWO_MISTAKES)
    assert pytester.runpytest("--gptbots-mock-min-coverage=1").ret == 0
    result = pytester.runpytest("--gptbots-mock-min-coverage=90")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["verdict: *, coverage *%, below gptbots_mock_min_coverage 90"])


def test_a_run_that_asks_nothing_is_found(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test(gptbots_mock): pass")
    result = pytester.runpytest("--gptbots-mock-deny=all")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["verdict: 0 requests, 1 finding (no-request), *; denied"])
    assert pytester.runpytest().ret == 0


@pytest.mark.parametrize(
    ("name", "begin", "workers"),
    [("a.xml", "<?xml", []), ("a.json", "{", ["-n2"]), ("a.txt", "verdict", [])],
)
def test_the_verdict_is_written_to_a_file(
    pytester: pytest.Pytester, name: str, begin: str, workers: list[str]
) -> None:
    pytester.makepyfile(TWO_MISTAKES)
    args = [f"--gptbots-mock-report={name}", "--gptbots-mock-mute=unknown-endpoint", *workers]
    assert pytester.runpytest_subprocess(*args).ret == 0
    report = (pytester.path / name).read_text()
    assert report.startswith(begin)
    assert "page 2 was not" in report
    assert "/v1/nothing" not in report


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (
            "--gptbots-mock-deny=skiped-page",
            "gptbots_mock_deny: there is no rule 'skiped-page' (one of *",
        ),
        ("--gptbots-mock-mute=all", "gptbots_mock_mute: there is no rule 'all' (one of *"),
        (
            "--gptbots-mock-min-coverage=x",
            "gptbots_mock_min_coverage must be * from 0 to 100, got 'x'",
        ),
        (
            "--gptbots-mock-min-coverage=101",
            "gptbots_mock_min_coverage must be * from 0 to 100, got '101'",
        ),
        (
            "--gptbots-mock-report=a.html",
            "gptbots_mock_report must end with .xml, .json or .txt, got *",
        ),
    ],
)
def test_a_wrong_setting_is_told_at_the_start(
    pytester: pytest.Pytester, args: str, why: str
) -> None:
    pytester.makepyfile("def test(): raise SystemExit")
    result = pytester.runpytest_subprocess(args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {why}"])


ISOLATED = """
    import pytest
    from client import conversations

    @pytest.mark.parametrize("number", range({tests}))
    def test_isolated(gptbots_mock, gptbots_mock_server, number, request):
        gptbots_mock.fail_next("conversations:status=503")
        assert [conversations(gptbots_mock)[0] for _ in range(2)] == [503, 200]
        assert len(gptbots_mock.requests()) == 2
        with open("urls-" + request.config.workerinput["workerid"], "a") as file:
            file.write(gptbots_mock_server.url + "\\n")
"""


def test_a_thousand_tests_under_xdist_share_one_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ISOLATED.format(tests=1000))
    result = pytester.runpytest_subprocess("-n2", "-q")
    result.assert_outcomes(passed=1000)
    result.stdout.fnmatch_lines(["verdict: 2000 requests, *"])
    files = sorted(path.name for path in pytester.path.glob("urls-*"))
    assert files == ["urls-gw0", "urls-gw1"]
    urls = {url for file in files for url in (pytester.path / file).read_text().split()}
    assert len(urls) == 1
    assert not answers(urls.pop())


def test_a_test_that_every_worker_runs_has_a_sandbox_in_each(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ISOLATED.format(tests=20))
    result = pytester.runpytest_subprocess("--dist=each", "--tx=2*popen")
    result.assert_outcomes(passed=40)
    result.stdout.fnmatch_lines(["verdict: 80 requests, *"])


def test_a_failure_in_a_worker_shows_its_requests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from client import get

        def test(gptbots_mock):
            get(gptbots_mock, "/v1/nothing")
            assert False
        """
    )
    result = pytester.runpytest_subprocess("-n1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["#1 GET /s/test-*/v1/nothing?", "    404, *"])


def test_a_worker_that_crashes_takes_no_server_with_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os, pytest
        from client import conversations

        @pytest.mark.parametrize("number", range(20))
        def test(gptbots_mock, number):
            assert conversations(gptbots_mock)[0] == 200
            if number == 3:
                os._exit(1)
        """
    )
    result = pytester.runpytest_subprocess("-n2")
    result.assert_outcomes(passed=19, failed=1)
    result.stdout.fnmatch_lines(["verdict: 20 requests, *"])


SHARED = """
    from client import conversations

    def test(gptbots_mock, gptbots_mock_server):
        assert gptbots_mock_server.url == {url!r}
        assert gptbots_mock.api_key.startswith({key!r} + "~")
        assert conversations(gptbots_mock)[0] == 200
        assert len(gptbots_mock.requests()) == 1
"""


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_a_server_that_runs_already_is_used_and_not_judged(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    with Server() as server:
        monkeypatch.setenv("GPTBOTS_MOCK_URL", server.url)
        monkeypatch.setenv("GPTBOTS_MOCK_KEY", "your_apikey")
        monkeypatch.setenv("GPTBOTS_MOCK_BIN", "/nowhere")
        pytester.makepyfile(SHARED.format(url=server.url, key="your_apikey"))
        for _ in range(2):
            result = pytester.runpytest_subprocess("--gptbots-mock-deny=all", *workers)
            result.assert_outcomes(passed=1)
            result.stdout.fnmatch_lines([f"gptbots-mock: {server.url} (from GPTBOTS_MOCK_URL; *"])
            result.stdout.no_fnmatch_line("verdict:*")
        assert server.verdict().requests == 2


def test_a_url_without_an_emulator_is_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTBOTS_MOCK_URL", "http://127.0.0.1:1")
    pytester.makepyfile("def test(gptbots_mock): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["cannot reach the emulator at http://127.0.0.1:1: *"])


def test_exec_wraps_pytest(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TWO_MISTAKES)
    command = [find_binary(), "exec", "--deny", "all", "--", sys.executable, "-m", "pytest", "-n2"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 5, run.stdout
    assert "2 passed" in run.stdout
    assert "verdict: 3 requests, 2 findings" in run.stderr


def test_unittest_works_with_the_server_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_unit="""
        import unittest
        from client import conversations
        from gptbots_mock import Server

        class Export(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.server = Server().start()
                cls.addClassCleanup(cls.server.stop)

            def setUp(self):
                self.sandbox = self.server.sandbox(self.id())

            def test_export(self):
                self.sandbox.fail_next("status=503")
                self.assertEqual(conversations(self.sandbox)[0], 503)
                self.assertEqual(conversations(self.sandbox)[0], 200)

        class With(unittest.TestCase):
            def test_with(self):
                with Server() as server:
                    self.assertEqual(conversations(server)[0], 200)
        """
    )
    run = pytester.run(sys.executable, "-W", "error", "-m", "unittest", "-v", "test_unit")
    assert run.ret == 0
    run.stderr.fnmatch_lines(["Ran 2 tests in *", "OK"])
    run.stderr.no_fnmatch_line("*Warning*")
    pytester.runpytest("test_unit.py").assert_outcomes(passed=2)
