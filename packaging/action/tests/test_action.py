"""Runs the two actions as GitHub does, from their action.yml.

The variable TEST_BINARY is the binary, and TEST_NPM_PACKAGE, if set, the npm package with the binary. The
tests use no registry.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import yaml

ACTION = Path(__file__).resolve().parent.parent
ROOT = ACTION.parent.parent
BINARY = os.environ["TEST_BINARY"]
NPM_PACKAGE = os.environ.get("TEST_NPM_PACKAGE")

FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
WINDOW = {"start_time": 0, "end_time": 9999999999999}
INPUT = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")
OUTPUT = re.compile(r"\$\{\{ steps\.([a-z-]+)\.outputs\.([a-z-]+) \}\}")


def unescape(text, more=()):
    for code, char in (*more, ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def commands(text):
    """The workflow commands of a step's output, as the runner reads them: (name, title, message)."""
    found, stopped = [], None
    for line in text.splitlines():
        match = re.match(r"\s*::([^ :]+)(?: ([^:]*))?::(.*)", line)
        if match is None:
            continue
        name, properties, message = match.groups()
        if stopped is not None:
            stopped = None if name == stopped else stopped
        elif name == "stop-commands":
            stopped = message
        else:
            title = (properties or "").removeprefix("title=")
            colons = (("%3A", ":"), ("%2C", ","))
            found.append((name, unescape(title, colons), unescape(message)))
    assert stopped is None, f"commands stay stopped:\n{text}"
    return found


def values(text):
    """The values in a file of names and values, such as GITHUB_ENV."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, end = re.fullmatch(r"([A-Za-z_-]+)<<(\S+)", line).groups()
        value = []
        for line in lines:
            if line == end:
                break
            value.append(line)
        found[name] = "\n".join(value)
    return found


class Result:
    """The result of an action."""

    def __init__(self):
        self.code, self.stdout, self.summary, self.outputs = 0, "", "", {}

    def annotations(self, level):
        found = commands(self.stdout)
        return [(title, text) for name, title, text in found if name == level]


class Job:
    """A job of a workflow on a runner."""

    def __init__(self, folder):
        self.temp = folder / "runner temp"  # The space shows whether paths are quoted.
        self.workspace = folder / "workspace"
        self.temp.mkdir()
        self.workspace.mkdir()
        kept = ("PATH", "HOME", "LANG")
        self.env = {name: os.environ[name] for name in kept if name in os.environ}
        self.env |= {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            "npm_config_offline": "true",
            "npm_config_cache": str(folder / "npm"),
            "npm_config_update_notifier": "false",
        }

    def use(self, action, **inputs):
        """Runs the steps of a composite action."""
        file = action / "action.yml"
        definition = yaml.safe_load(file.read_text(encoding="utf-8"))
        given = {name: it.get("default", "") for name, it in definition["inputs"].items()}
        for name, value in inputs.items():
            name = name.replace("_", "-")
            assert name in given, f"{file} has no input {name}"
            given[name] = value
        assert definition["runs"]["using"] == "composite"
        result, of_steps = Result(), {}
        for step in definition["runs"]["steps"]:
            assert set(step) <= {"id", "shell", "env", "run"}, f"this test knows no {set(step)}"
            assert step["shell"] == "bash"
            assert "${{" not in step["run"], f"{file}: an expression in the text of a script"
            env = {
                name: INPUT.sub(lambda match: given[match[1]], value)
                for name, value in step.get("env", {}).items()
            }
            self.run_step(step["run"], env | {"GITHUB_ACTION_PATH": str(action)}, result)
            of_steps[step.get("id")] = result.outputs
            if result.code != 0:
                break
        result.outputs = {
            name: OUTPUT.sub(lambda match: of_steps[match[1]].get(match[2], ""), it["value"])
            for name, it in definition.get("outputs", {}).items()
        }
        return result

    def run_step(self, script, env, result):
        with tempfile.TemporaryDirectory() as folder:
            files = {name: Path(folder) / name for name in FILES}
            for file in files.values():
                file.touch()
            (Path(folder) / "script.sh").write_text(script, encoding="utf-8")
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", f"{folder}/script.sh"],
                cwd=self.workspace,
                env=self.env | env | {name: str(file) for name, file in files.items()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=60,
                encoding="utf-8",
            )
            text = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
        result.code = done.returncode
        result.stdout += done.stdout
        result.summary += text["GITHUB_STEP_SUMMARY"]
        result.outputs = values(text["GITHUB_OUTPUT"])
        self.env |= values(text["GITHUB_ENV"])
        for folder in text["GITHUB_PATH"].splitlines():
            self.env["PATH"] = f"{folder}{os.pathsep}{self.env['PATH']}"

    def start(self, **inputs):
        if "package" not in inputs:
            inputs.setdefault("binary", BINARY)
        return self.use(ACTION, **inputs)

    def verdict(self, **inputs):
        return self.use(ACTION / "verdict", **inputs)

    @property
    def state(self):
        file = self.temp / "gptbots-mock" / "state.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def get(self, path, key=None, **query):
        """Sends a request as a test does; returns the status."""
        url = f"{self.env['GPTBOTS_MOCK_URL']}{path}?{urllib.parse.urlencode(query)}"
        key = self.env["GPTBOTS_MOCK_KEY"] if key is None else key
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10) as answer:
                answer.read()
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def run_good_client(self):
        for page in (1, 2):
            status = self.get(
                "/v1/bot/conversation/page",
                conversation_type="ALL", page=page, page_size=100, **WINDOW,
            )
            assert status == 200

    def run_bad_client(self):
        client = ROOT / "examples" / "bad_client.py"
        env = {name: it for name, it in self.env.items() if "proxy" not in name.lower()}
        subprocess.run([sys.executable, client], env=env, check=True, timeout=60)


def lives(pid):
    """Whether a process runs. A zombie process does not."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(command, stdout=subprocess.PIPE, encoding="ascii").stdout.strip()
    return state != "" and not state.startswith("Z")


class ActionTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.job = Job(self.folder)
        self.addCleanup(self.end)

    def end(self):
        state = self.job.state
        if state is not None and lives(state["pid"]):
            os.kill(state["pid"], signal.SIGKILL)

    def assert_fails(self, result, *texts):
        self.assertNotEqual(result.code, 0, result.stdout)
        errors = result.annotations("error")
        self.assertEqual(len(errors), 1, result.stdout)
        for text in texts:
            self.assertIn(text, errors[0][1])

    def assert_runs(self, result):
        self.assertEqual(result.code, 0, result.stdout)

    def started(self, **inputs):
        self.assert_runs(self.job.start(**inputs))
        return self.job.state["pid"]

    # The start.

    def test_start_tells_outputs_and_variables(self):
        result = self.job.start()
        self.assert_runs(result)
        port, env = result.outputs["port"], self.job.env
        self.assertEqual(result.outputs["url"], f"http://127.0.0.1:{port}")
        self.assertEqual(result.outputs["api-key"], "app-demo")
        self.assertEqual(env["GPTBOTS_MOCK_URL"], result.outputs["url"])
        self.assertEqual(env["GPTBOTS_BASE_URL"], result.outputs["url"])
        self.assertEqual(env["GPTBOTS_MOCK_KEY"], "app-demo")
        self.job.run_good_client()

    def test_arguments_reach_the_program_as_they_are(self):
        keys = ["it's", 'a"b', "$(touch${IFS}pwned)", "`touch${IFS}pwned`", "${{github.token}}", "c;d|e&f"]
        self.started(args="".join(f"  --api-key={key}\r\n" for key in keys) + "\n--seed=7\n")
        for key in keys:
            status = self.job.get("/v1/messages", key=key, conversation_id="x", page=1, page_size=10)
            self.assertEqual(status, 400, f"{key}: the conversation is unknown, the key is not")
        self.assertEqual(list(self.job.workspace.iterdir()), [])

    def test_inputs_are_no_code(self):
        evil = "$(touch pwned)\"; touch pwned; \"`touch pwned`\n::warning::injected"
        for name in ("binary", "package"):
            with self.subTest(name):
                result = self.job.start(**{name: evil})
                self.assert_fails(result, "$(touch pwned)")
                self.assertEqual(result.annotations("warning"), [])
        self.assertEqual(list(self.job.workspace.iterdir()), [])

    def test_wrong_flag_shows_the_log(self):
        result = self.job.start(args="--nonsense")
        self.assert_fails(result, "ended with exit code 2 during the start")
        self.assertIn("unexpected argument '--nonsense'", result.stdout)
        self.assertIsNone(self.job.state)
        self.assertNotIn("GPTBOTS_MOCK_URL", self.job.env)

    def test_two_arguments_on_a_line_are_explained(self):
        self.assert_fails(self.job.start(args="--seed 7"), 'write "--seed 7" as --seed=7')

    def test_no_port_file_ends_the_wait_and_the_process(self):
        program = self.folder / "never"
        program.write_text('#!/bin/sh\necho $$ >"$0.pid"\necho "::error::x"; exec sleep 600\n')
        program.chmod(0o755)
        self.job.env["START_TIMEOUT_MS"] = "500"
        result = self.job.start(binary=str(program))
        self.assert_fails(result, "did not write its port to", "within 0.5 s")
        self.assertFalse(lives(int((self.folder / "never.pid").read_text())))

    def test_missing_program_is_named(self):
        self.assert_fails(self.job.start(binary="./no/such"), "cannot run ./no/such")

    def test_program_is_found_on_path(self):
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "gptbots-mock").symlink_to(BINARY)
        self.job.env["PATH"] += f"{os.pathsep}{folder}"
        self.assert_runs(self.job.start(binary="gptbots-mock"))

    def test_second_start_is_refused(self):
        self.started()
        self.assert_fails(self.job.start(), "this job already has an emulator")

    def test_secret_keys_of_fixtures_are_not_guessed(self):
        fixture = {"agents": [{"name": "mine", "keys": ["secret-key"], "conversations": []}]}
        (self.job.workspace / "mine.json").write_text(json.dumps(fixture))
        result = self.job.start(args="--fixtures=mine.json")
        self.assert_runs(result)
        self.assertEqual(result.outputs["api-key"], "")
        self.assertIn("Set GPTBOTS_MOCK_KEY", result.annotations("notice")[0][1])
        self.assertNotIn("secret-key", result.stdout)

    def test_package_is_installed(self):
        if NPM_PACKAGE is None:
            self.skipTest("no npm package was given")
        name = "it's a package.tgz"
        shutil.copy(NPM_PACKAGE, self.job.workspace / name)
        self.assert_runs(self.job.start(package=name))
        program = shutil.which("gptbots-mock", path=self.job.env["PATH"])
        self.assertIn("@gptbots-mock", program)
        self.job.run_good_client()
        self.assert_runs(self.job.verdict(deny="all"))

    def test_package_that_cannot_be_installed_says_what_to_give(self):
        self.assert_fails(self.job.start(package=""), "npm cannot install gptbots-mock@", "Before the first release")

    # The verdict.

    def test_good_client_passes(self):
        pid = self.started()
        self.job.run_good_client()
        result = self.job.verdict(deny="all", min_coverage="3")
        self.assert_runs(result)
        self.assertEqual(commands(result.stdout), [])
        self.assertIn("nothing found", result.summary)
        self.assertIn("Coverage: ", result.summary)
        self.assertFalse(lives(pid))
        self.assertIsNone(self.job.state)
        # The program removes this file when it stops normally, but not when it is killed.
        self.assertEqual(list(self.job.temp.glob("gptbots-mock/run-*/port")), [])

    def test_bad_client_fails(self):
        pid = self.started()
        self.job.run_bad_client()
        reports = {kind: f"reports/verdict.{kind}" for kind in ("json", "txt", "xml")}
        result = self.job.verdict(deny="all", report="\n".join(reports.values()))
        self.assertEqual(result.code, 1)
        errors = dict(result.annotations("error"))
        rules = {"unknown-parameter", "key-in-url", "skipped-page", "past-the-end", "repeated-refusal"}
        self.assertEqual(set(errors), rules | {"gptbots-mock"})
        self.assertEqual(result.annotations("warning"), [])
        self.assertIn("page 3 was fetched, but page 2 was not\nThe rows of", errors["skipped-page"])
        self.assertIn("(2 times)", errors["past-the-end"])
        self.assertIn("12 requests, 5 findings, coverage 13%; 5 findings denied", errors["gptbots-mock"])
        rows = [line for line in result.summary.splitlines() if "(**denied**)" in line]
        self.assertEqual(len(rows), 5)
        self.assertIn("page 3 was fetched, but page 2 was not", result.stdout)
        self.assertFalse(lives(pid))
        read = {kind: (self.job.workspace / file).read_text() for kind, file in reports.items()}
        self.assertEqual(json.loads(read["json"])["requests"], 12)
        self.assertIn("5 findings", read["txt"])
        self.assertEqual(len(ElementTree.fromstring(read["xml"]).findall(".//failure")), 5)

    def test_what_is_not_denied_is_a_warning(self):
        self.started()
        self.job.run_bad_client()
        result = self.job.verdict(deny="no-pause, body-on-get", mute="key-in-url")
        self.assert_runs(result)
        self.assertEqual(result.annotations("error"), [])
        self.assertEqual(len(result.annotations("warning")), 4)
        self.assertNotIn("denied", result.summary)

    def test_one_denied_finding_fails(self):
        self.started()
        self.job.run_bad_client()
        result = self.job.verdict(deny="skipped-page")
        self.assertEqual(result.code, 1)
        titles = [title for title, _ in result.annotations("error")]
        self.assertEqual(titles, ["skipped-page", "gptbots-mock"])
        self.assertEqual(len(result.annotations("warning")), 4)

    def test_low_coverage_fails(self):
        self.started()
        self.job.run_good_client()
        result = self.job.verdict(min_coverage="60")
        self.assert_fails(result, "%, below min-coverage 60")
        self.assertIn("Not covered by any request", result.summary)

    def test_no_request_is_denied(self):
        self.started()
        result = self.job.verdict(deny="all")
        self.assertEqual(result.code, 1)
        self.assertIn("no-request", dict(result.annotations("error")))

    def test_hostile_request_breaks_neither_commands_nor_table(self):
        self.started()
        name = "a|b\n::warning::injected\r<img src=x>`%25`"
        query = {"page": 1, "page_size": 10, "user_feedback": "ALL", **WINDOW, name: "x"}
        self.assertEqual(self.job.get("/v1/message/qa/record/page", **query), 200)
        result = self.job.verdict(deny="all")
        self.assertEqual(result.code, 1)
        [(rule, text), _] = result.annotations("error")
        self.assertEqual(rule, "unknown-parameter")
        self.assertRegex(text, r"has no `a\|b.*::warning::injected.*`%25``\n")
        self.assertEqual(result.annotations("warning"), [])
        table = [line for line in result.summary.splitlines() if line.startswith("|")]
        self.assertEqual(len(table), 3)
        for row in table:
            self.assertEqual(len(re.findall(r"(?<!\\)\|", row)), 5, row)
        self.assertNotRegex(result.summary, r"(?<!\\)<(?!br>|/?details>|/?summary>)")

    def test_wrong_inputs_are_named(self):
        cases = [
            ({"deny": "skiped-page"}, "deny: ", "did you mean skipped-page?"),
            ({"mute": "all"}, "mute: ", 'no rule "all"'),
            ({"min_coverage": "60%"}, "min-coverage: ", "0 to 100"),
            ({"report": "verdict.html"}, "report: ", ".json, .txt, .xml"),
            ({"deny": "x\n::warning::injected"}, "deny: "),
        ]
        for inputs, *texts in cases:
            with self.subTest(inputs):
                pid = self.started()
                result = self.job.verdict(**inputs)
                self.assert_fails(result, "no verdict: ", *texts)
                self.assertEqual(result.annotations("warning"), [])
                self.assertIn("no verdict", result.summary)
                self.assertFalse(lives(pid))

    def test_dead_emulator_is_no_success(self):
        pid = self.started()
        self.job.run_good_client()
        os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 10
        while lives(pid):
            self.assertLess(time.monotonic(), end, "it lives on after SIGKILL")
        result = self.job.verdict()
        self.assert_fails(result, "no verdict: ", "does not respond")
        self.assertIn("Last lines of ", result.stdout)
        self.assertIn("no verdict", result.summary)

    def test_verdict_without_a_start_fails(self):
        self.assert_fails(self.job.verdict(), "this job has no emulator")

    def test_no_journal_is_no_success(self):
        self.started(args="--journal=0")
        self.assert_fails(self.job.verdict(), "there is no journal")

    def test_control_api_with_a_token(self):
        self.job.env["GPTBOTS_MOCK_ADMIN_TOKEN"] = "a-token"
        self.started()
        self.job.run_good_client()
        self.assert_runs(self.job.verdict(deny="all"))

    def test_start_after_a_verdict(self):
        self.started()
        self.job.verdict()
        self.started()
        self.job.run_good_client()
        self.assert_runs(self.job.verdict(deny="all"))


if __name__ == "__main__":
    unittest.main()
