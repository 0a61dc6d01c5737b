"""Preparation: builds the two programs, generates fixtures, and describes the machine."""

import datetime
import os
import platform
import re
import signal
import subprocess
from pathlib import Path

from server import CORES, Problem, Server

ROOT = Path(__file__).resolve().parents[2]
# The binary that is published, which CI builds as well
EMULATOR = ROOT / "target/x86_64-unknown-linux-gnu/release/gptbots-mock"
CRATE = Path(__file__).with_name("baseline")
NO_LOG = ("--log-format", "off")
# Only the vendor's API
BARE = (*NO_LOG, "--journal", "0", "--no-admin")


def run(*command, timeout=1800, folder=ROOT, env=None):
    """Runs a command; returns its output. Raises Problem with the end of its output if it fails."""
    command = [str(part) for part in command]
    try:
        # In its own session, so that its child processes can be killed with it
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(env or {})}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
    except FileNotFoundError:
        raise Problem(f"{command[0]} is not installed") from None
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Problem(f"`{' '.join(command)}` did not end within {timeout} s") from None
        raise
    if process.returncode != 0:
        raise Problem(f"`{' '.join(command)}` failed: {(err or out).strip()[-400:]}")
    return out


class Tools:
    """The built programs and the work folder."""

    def __init__(self, work):
        self.work, self.logs = work, 0
        for folder in ("logs", "bodies", "fixtures", "paths"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        run("cargo", "static")
        run("cargo", "build", "--release", "--locked", "--target-dir", work / "baseline-target",
            folder=CRATE)
        self.baseline_program = work / "baseline-target/release/baseline"

    def log(self, name):
        """A new log file for each start, because several servers of one name may run at once."""
        self.logs += 1
        return self.work / "logs" / f"{name}-{self.logs}.log"

    def emulator(self, *flags, name="emulator", cores=None):
        """Starts an emulator, without waiting for its first line. Its log goes to a file."""
        return Server(name, [EMULATOR, "--port", "0", *flags], self.log(name), cores)

    def baseline(self, body, name="baseline", cores=None):
        """Starts a baseline, without waiting for its first line."""
        return Server(name, [self.baseline_program, "0", body], self.log(name), cores)

    def paths(self, name, paths):
        """Writes a file of paths for wrk."""
        file = self.work / "paths" / f"{name}.txt"
        file.write_text("".join(f"{path}\n" for path in paths))
        return file

    def body(self, size):
        """Writes a file of `size` bytes for the baseline."""
        file = self.work / "bodies" / f"{size}"
        file.write_bytes(b"x" * size)
        return file

    def fixture(self, conversations):
        """Writes a fixture with a number of generated conversations."""
        file = self.work / "fixtures" / f"{conversations}.json"
        run(EMULATOR, "generate", "--conversations", conversations, "--out", file)
        return file


def version_of(*command):
    """The version of a tool: the first version number that it prints."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
    return found and found[0]


def describe_machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = models[0] if models else platform.machine()
    return f"{model}, {len(CORES)} cores, {memory:.0f} GiB, Linux {platform.release()}"


def describe_versions():
    """Tool -> version, for the tools that are installed."""
    commit = run("git", "describe", "--always", "--tags").strip()
    # Only changes in these paths change the emulator; the pages that this program writes do not
    if run("git", "status", "--porcelain", "--", "src", "fixtures", "Cargo.toml", "Cargo.lock"):
        commit += ", changed"
    found = {
        "gptbots-mock": f"{version_of(EMULATOR, '--version')} ({commit})",
        "rustc": version_of("rustc", "--version"),
        "wrk": version_of("wrk", "-v"),
        "node": version_of("node", "--version"),
        "java": version_of("java", "-version"),
    }
    return {name: version for name, version in found.items() if version}


def today():
    return datetime.date.today().isoformat()
