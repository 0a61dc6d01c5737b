"""Times of the first line and the first response, and memory."""

import time

from load import Spread, short, wrk
from pages import deep_qa, random_pages
from report import verdict
from server import REST, Problem, ask

ROW = ["what", "figure", "goal", ""]


def figure_row(what, figure, unit, goal):
    """A row for one number, or for the spread of several."""
    value = getattr(figure, "median", figure)
    shown = figure if isinstance(figure, Spread) else short(figure)
    return [what, f"{shown} {unit}".strip(), *verdict(value, goal)]


def start(tools, flags, path):
    """Milliseconds from exec to the first line, and to the response to a request after it."""
    server = tools.emulator(*flags)
    line = server.first_line()
    status, _ = ask(server.port, path, timeout=120)
    answer = server.since_start()
    if status != 200:
        raise Problem(f"the response to {path} has status {status}")
    server.stop()
    return {"line": line, "answer": answer}


def memory(tools, flags, requests):
    """MiB at rest, after a number of requests of all kinds, and at most. It uses all cores."""
    server = tools.emulator(*flags)
    server.first_line()
    time.sleep(REST)
    rest, peak_at_start = server.memory(), server.peak()
    kinds = random_pages(server)
    files = [tools.paths(kind, paths) for kind, paths in kinds.items()]
    # A limit on the runs, far above what even a busy machine needs
    for turn in range(400):
        if server.sent >= requests:
            break
        wrk(server, files[turn % len(files)], 64, 1 if requests < 100_000 else 5)
    figures = {"rest": rest, "start": peak_at_start, "peak": server.peak()}
    figures.update(load=server.memory(), requests=server.sent)
    server.stop()
    return figures


def built_in_section(tools, quiet, size, say):
    """The emulator with its default flags, compared with the baseline."""
    say("starts of the emulator and the baseline")
    body = tools.body(16_000)
    ours, theirs = [], []
    for turn in range(-1, size.starts):
        quiet.wait()
        for make, lines in ((lambda: tools.baseline(body), theirs), (tools.emulator, ours)):
            server = make()
            took = server.first_line()
            server.stop()
            if turn >= 0:  # the first one reads the program from disk
                lines.append(took)
    found = memory(tools, (), size.requests)
    times = Spread(a / b for a, b in zip(ours, theirs))
    return {
        "title": "Start and memory with the built-in records",
        "about": f"{size.starts} starts of either in turn. The emulator with its default flags.",
        "columns": ROW,
        "rows": [
            ["first line of the baseline", f"{Spread(theirs)} ms", "", ""],
            figure_row("first line of the emulator", Spread(ours), "ms", 10),
            figure_row("first line, ratio", times, "", None),
            figure_row("resident at rest", found["rest"], "MiB", 8),
            figure_row(f"resident after {found['requests']:,} requests", found["load"], "MiB", 12),
        ],
    }


def large_section(tools, quiet, size, say):
    say(f"starts with {size.large:,} conversations")
    flags = ("--conversations", str(size.large))
    server = tools.emulator(*flags)
    server.first_line()
    path = deep_qa(server)
    server.stop()
    starts = []
    for _ in range(size.large_starts):
        quiet.wait()
        starts.append(start(tools, flags, path))
    found = memory(tools, flags, size.requests)
    return {
        "title": f"Start and memory with {size.large:,} conversations",
        "about": f"{size.large_starts} starts; the page of the Q&A list is the one in the middle, "
        "asked for on a new connection as soon as the first line is there.",
        "columns": ROW,
        "rows": [
            figure_row("first line", Spread(one["line"] for one in starts), "ms", 250),
            figure_row("first page of 100 Q&A", Spread(one["answer"] for one in starts), "ms", 500),
            figure_row("resident at rest", found["rest"], "MiB", 128),
            figure_row("most resident, at rest", found["start"], "MiB", None),
            figure_row("most resident, under load", found["peak"], "MiB", None),
            figure_row(f"resident after {found['requests']:,} requests", found["load"], "MiB",
                       None),
        ],
    }
