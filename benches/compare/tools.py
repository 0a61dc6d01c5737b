"""What has to be there first: the two programs, fixtures, and what the machine is."""

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
# Nothing but the vendor's API
BARE = (*NO_LOG, "--journal", "0", "--no-admin")


def run(*command, timeout=1800, folder=ROOT, env=None):
    """What a command prints. If it fails: a problem with the end of what it said."""
    command = [str(part) for part in command]
    try:
        # In a session of its own, so that its children end with it
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
            raise Problem(f"`{' '.join(command)}` took over {timeout} s") from None
        raise
    if process.returncode != 0:
        raise Problem(f"`{' '.join(command)}` failed: {(err or out).strip()[-400:]}")
    return out


class Tools:
    """The built programs and the work folder; starts the one and the other."""

    def __init__(self, work):
        self.work, self.logs = work, 0
        for folder in ("logs", "bodies", "fixtures", "paths"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        run("cargo", "static")
        run("cargo", "build", "--release", "--locked", "--target-dir", work / "baseline-target",
            folder=CRATE)
        self.baseline_program = work / "baseline-target/release/baseline"

    def log(self, name):
        """A file of its own for each start: several of one name may be up."""
        self.logs += 1
        return self.work / "logs" / f"{name}-{self.logs}.log"

    def emulator(self, *flags, name="emulator", cores=None):
        """An emulator that has not said its first line yet. Its log goes to a file."""
        return Server(name, [EMULATOR, "--port", "0", *flags], self.log(name), cores)

    def baseline(self, body, name="baseline", cores=None):
        """A baseline that has not said its first line yet."""
        return Server(name, [self.baseline_program, "0", body], self.log(name), cores)

    def paths(self, name, paths):
        """A file of paths for wrk to walk."""
        file = self.work / "paths" / f"{name}.txt"
        file.write_text("".join(f"{path}\n" for path in paths))
        return file

    def body(self, size):
        """A file of so many bytes for the baseline."""
        file = self.work / "bodies" / f"{size}"
        file.write_bytes(b"x" * size)
        return file

    def fixture(self, conversations):
        """The seed's records as a fixture of so many conversations."""
        file = self.work / "fixtures" / f"{conversations}.json"
        run(EMULATOR, "generate", "--conversations", conversations, "--out", file)
        return file


def version_of(*command):
    """The first thing like a version that a tool says about itself, on whichever stream."""
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
    """Tool -> version, for those that are there."""
    commit = run("git", "describe", "--always", "--tags").strip()
    # Pages that this program wrote a minute ago do not make another emulator
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
