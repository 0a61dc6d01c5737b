"""If pytest is killed, no process keeps running."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from client import answers, ends_within

TEST = """
def test(gptbots_mock_server):
    with open("tell", "w") as tell:
        tell.write(gptbots_mock_server.url)
    open("wait")  # Nothing writes to this pipe, so the test waits here until pytest is killed.
"""


def servers_of(pid: int) -> list[int]:
    """The emulators that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = path.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            command = path.joinpath("cmdline").read_bytes()
            if parent == str(pid) and b"--until-stdin-closes" in command:
                found.append(int(path.name))
    return found


@pytest.mark.parametrize(
    ("how", "workers"),
    [
        (signal.SIGKILL, []),
        (signal.SIGTERM, []),
        (signal.SIGINT, []),
        (signal.SIGKILL, ["-n2"]),
    ],
)
def test_nothing_lives_on(tmp_path: Path, how: signal.Signals, workers: list[str]) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    os.mkfifo(tmp_path / "tell")
    os.mkfifo(tmp_path / "wait")
    told = os.open(tmp_path / "tell", os.O_RDONLY | os.O_NONBLOCK)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *workers]
    run = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    try:
        assert select.select([told], [], [], 60)[0], "the test did not begin"
        url = os.read(told, 100).decode()
        (server,) = servers_of(run.pid)
        assert answers(url)
        if how == signal.SIGINT:
            # As a terminal does for Ctrl-C. pytest stops, but still prints the verdict.
            os.killpg(run.pid, how)
            output, _ = run.communicate(timeout=30)
            assert "verdict: 0 requests, " in output
        else:
            run.send_signal(how)
            run.wait(timeout=30)
        assert ends_within(server, 1)
        assert not answers(url)
    finally:
        # A worker in the middle of the test now reaches the end of its file.
        with suppress(OSError):
            os.close(os.open(tmp_path / "wait", os.O_WRONLY | os.O_NONBLOCK))
        run.kill()
        run.communicate()
        os.close(told)
