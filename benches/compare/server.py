"""The servers that are measured: started, asked, watched through /proc, and ended."""

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

# Seconds after its start until a server counts as at rest
REST = 1

RUNNING = []
# Each is given out once
PORTS = iter(range(20000, 30000))


class Problem(Exception):
    """What the reader has to be told, without a traceback."""


@contextmanager
def on_cores(cores):
    """What is started in here inherits the cores, so a server sizes its thread pool by them."""
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


def free_port():
    """Below the ports that the kernel hands to clients: nothing takes it before the server does."""
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return port
            except OSError:
                pass
    raise Problem("no free port from 20000 to 30000")


def ask(port, path, method="GET", body=None, timeout=10):
    """Status and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        headers = dict(HEADERS, **({"Content-Type": "application/json"} if body else {}))
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Server:
    """One server in a session of its own: whatever it starts is counted, and ends, with it."""

    def __init__(self, name, command, log, cores=None, port=None, folder=None):
        """Without a port, its first line on stdout has to say it."""
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
        """Milliseconds from exec to the first line on stdout, which holds the port."""
        stdout = self.process.stdout
        if not select.select([stdout], [], [], timeout)[0]:
            raise Problem(f"{self.name} printed no line in {timeout} s")
        line = stdout.readline().decode()
        took = self.since_start()
        if not line.startswith("listening on http://"):
            raise Problem(f"{self.name} did not start: {line!r} {self.last_words()}")
        self.port = int(line.rsplit(":", 1)[1])
        return took

    def first_answer(self, path, method="GET", body=None, timeout=60):
        """Milliseconds from exec to the first answer with 200, and its bytes."""
        while self.since_start() < timeout * 1e3:
            if self.process.poll() is not None:
                code = self.process.returncode
                raise Problem(f"{self.name} ended with {code}: {self.last_words()}")
            try:
                status, answer = ask(self.port, path, method, body)
                if status == 200:
                    return self.since_start(), answer
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.001)
        raise Problem(f"{self.name} gave no 200 in {timeout} s: {self.last_words()}")

    def last_words(self):
        with open(self.log, "rb") as text:
            return text.read()[-300:].decode(errors="replace").strip().replace("\n", " / ")

    def stats(self):
        """(pid, fields of /proc/PID/stat from the state on) of each process of the session."""
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
        """Resident MiB. From smaps_rollup: the counters in `status` lag behind by some pages."""
        total = 0
        for pid, _ in self.stats():
            with open(f"/proc/{pid}/{file}") as lines:
                total += sum(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))
        return total / 1024

    def peak(self):
        return self.memory("VmHWM", "status")

    def stop(self):
        """Ends the whole session, by force if need be. An access log may be large: it goes too."""
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
