"""The measured servers: start, requests, CPU and memory from /proc, and stop."""

import http.client
import os
import select
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

HOST = "127.0.0.1"
KEY = "app-demo"
HEADERS = {"Authorization": f"Bearer {KEY}"}
TICKS = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = set(CORES[:1]), set(CORES[1:2])

# A server is at rest this many seconds after its start
REST = 1

RUNNING = []
# Each port is used once
PORTS = iter(range(20000, 30000))


class Problem(Exception):
    """An error that is printed without a traceback."""


@contextmanager
def on_cores(cores):
    """A process started in this block is limited to these cores, as is its thread pool."""
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


def free_port():
    """A port below those that the kernel gives to clients, so that no client takes it first."""
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return port
            except OSError:
                pass
    raise Problem("there is no free port from 20000 to 30000")


def ask(port, path, method="GET", body=None, timeout=10):
    """Sends a request on a new connection; returns the status and the body of the response."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        headers = dict(HEADERS, **({"Content-Type": "application/json"} if body else {}))
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Server:
    """A server in its own session. Its child processes are measured and stopped with it."""

    def __init__(self, name, command, log, cores=None, port=None, folder=None):
        """Without `port`, the first line on stdout must contain the port."""
        self.name, self.log, self.port, self.sent = name, log, port, 0
        with open(log, "wb") as text, on_cores(cores or CORES):
            self.began = time.perf_counter()
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=text if port else subprocess.PIPE,
                stderr=text,
                cwd=folder,
                start_new_session=True,
            )
        self.pid = self.process.pid
        RUNNING.append(self)

    def since_start(self):
        return (time.perf_counter() - self.began) * 1e3

    def first_line(self, timeout=120):
        """Milliseconds from exec to the first line on stdout, which contains the port."""
        stdout = self.process.stdout
        if not select.select([stdout], [], [], timeout)[0]:
            raise Problem(f"{self.name} printed nothing within {timeout} s")
        line = stdout.readline().decode()
        took = self.since_start()
        if not line.startswith("listening on http://"):
            raise Problem(f"{self.name} did not start, and printed {line!r} {self.last_words()}")
        self.port = int(line.rsplit(":", 1)[1])
        return took

    def first_answer(self, path, method="GET", body=None, timeout=60):
        """Milliseconds from exec to the first response with status 200, and its body."""
        while self.since_start() < timeout * 1e3:
            if self.process.poll() is not None:
                code = self.process.returncode
                raise Problem(f"{self.name} ended with exit code {code}: {self.last_words()}")
            try:
                status, answer = ask(self.port, path, method, body)
                if status == 200:
                    return self.since_start(), answer
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.001)
        raise Problem(f"{self.name} sent no response with status 200 within {timeout} s: {self.last_words()}")

    def last_words(self):
        with open(self.log, "rb") as text:
            return text.read()[-300:].decode(errors="replace").strip().replace("\n", " / ")

    def stats(self):
        """(pid, fields of /proc/PID/stat, starting with the state) of each process of the session."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.pid and fields[0] != "Z":
                found.append((int(pid), fields))
        return found

    def cpu(self):
        """Seconds of CPU used so far, user and system."""
        return sum(int(fields[11]) + int(fields[12]) for _, fields in self.stats()) / TICKS

    def memory(self, key="Rss", file="smaps_rollup"):
        """Resident MiB, from smaps_rollup, because the counters in `status` are less exact."""
        total = 0
        for pid, _ in self.stats():
            with open(f"/proc/{pid}/{file}") as lines:
                total += sum(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))
        return total / 1024

    def peak(self):
        return self.memory("VmHWM", "status")

    def stop(self):
        """Stops the whole session, if necessary with SIGKILL, and deletes its log."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for pid, _ in self.stats():
                try:
                    os.kill(pid, sign)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + 5
            while self.stats() and time.monotonic() < end:
                self.process.poll()
                time.sleep(0.002)
            if not self.stats():
                break
        self.process.wait(5)
        if self.process.stdout:
            self.process.stdout.close()
        RUNNING.remove(self)
        os.remove(self.log)


def stop_all():
    for server in list(RUNNING):
        server.stop()
