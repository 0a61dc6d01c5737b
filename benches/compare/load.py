"""Measurement windows with load by wrk while the machine is idle, and rounds of windows."""

import resource
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from server import CLIENT_CORE, HEADERS, HOST, TICKS, Problem, on_cores

SCRIPT = Path(__file__).with_name("pages.lua")
# If other processes use more than this part of a core, the window is measured again.
DISTURBED = 0.08
TRIES = 3


class Quiet:
    """Waits until the rest of the machine is idle, at most `patience` seconds in the whole run."""

    def __init__(self, patience):
        self.patience, self.kept, self.disturbed, self.repeated = patience, 0, 0, 0

    def wait(self):
        while self.patience > 0:
            before = machine_cpu()
            time.sleep(0.2)
            if machine_cpu() - before < 0.2 * 0.12:
                return
            self.patience -= 0.2

    def said(self):
        return (
            f"{self.kept} windows, {self.repeated} measured again because other processes ran, "
            f"{self.disturbed} kept although disturbed"
        )


def machine_cpu():
    """Seconds of CPU that all processes used since boot, without time stolen by the host."""
    with open("/proc/stat") as file:
        ticks = [int(field) for field in file.readline().split()[1:8]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICKS


def own_cpu():
    """Seconds of CPU of this program and of the load generators that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(who.ru_utime + who.ru_stime for who in used)


def check_tools():
    if not shutil.which("wrk"):
        raise Problem("wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    if not CLIENT_CORE:
        raise Problem("this needs at least two cores: one for the server, one for wrk")


def wrk(server, paths, connections, seconds, body=None):
    """One run against the paths of a file, which goes on where the last one ended."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", str(SCRIPT)]
    for name, value in HEADERS.items():
        command += ["-H", f"{name}: {value}"]
    command += [f"http://{HOST}:{server.port}", "--", str(paths), str(server.sent)]
    command += [str(body)] if body else []
    with on_cores(CLIENT_CORE):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    try:
        out, err = process.communicate(timeout=seconds + 60)
    except BaseException:
        process.kill()
        process.wait()
        raise
    results = [line.split()[1:] for line in out.splitlines() if line.startswith("RESULT ")]
    if not results:
        raise Problem(f"wrk failed on {server.name}: {(err or out).strip()[-300:]}")
    requests, took, size, p50, p99, refused, broken = map(int, results[0])
    if refused or broken or not requests:
        raise Problem(
            f"{server.name}: {requests} responses, {refused} of them with an error status, "
            f"{broken} connections failed; {server.last_words()}"
        )
    server.sent += requests
    return {
        "requests": requests,
        "rate": requests / took * 1e6,
        "bytes": size / requests,
        "p50": p50,
        "p99": p99,
    }


def window(quiet, server, paths, connections, seconds, body=None):
    """One window of load, with the server's CPU seconds per 100,000 requests."""
    for tries in range(1, TRIES + 1):
        quiet.wait()
        machine, own, cpu, began = machine_cpu(), own_cpu(), server.cpu(), time.perf_counter()
        result = wrk(server, paths, connections, seconds, body)
        used = server.cpu() - cpu
        took = time.perf_counter() - began
        result["others"] = (machine_cpu() - machine - used - (own_cpu() - own)) / took
        if result["others"] < DISTURBED or tries == TRIES or quiet.patience <= 0:
            break
        quiet.repeated += 1
    quiet.kept += 1
    quiet.disturbed += result["others"] >= DISTURBED
    result["cpu"] = used / result["requests"] * 1e5
    return result


def in_rounds(rounds, lanes, say):
    """Runs every lane once per round, every second round in reverse. Returns name -> results."""
    results = {name: [] for name in lanes}
    for turn in range(rounds):
        say(f"load, round {turn + 1} of {rounds}")
        for name in list(lanes) if turn % 2 == 0 else reversed(lanes):
            results[name].append(lanes[name]())
    return results


class Spread:
    """Median and range of some figures."""

    def __init__(self, figures):
        figures = list(figures)
        self.median, self.low, self.high = (
            statistics.median(figures), min(figures), max(figures)
        )

    def __str__(self):
        return f"{short(self.median)} ({short(self.low)}-{short(self.high)})"


def spread(results, key):
    return Spread(result[key] for result in results)


def ratio(results, base, key):
    """Ratios of figures of the same round, so that a slow minute affects both figures."""
    return Spread(ours[key] / theirs[key] for ours, theirs in zip(results, base))


def short(figure):
    """Three digits, or all of them before the point."""
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"
