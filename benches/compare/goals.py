"""`run goals`: compares the emulator with the baseline, and with itself with less data."""

import extras
import queries
import scale
import startup
from load import in_rounds, ratio, short, spread, window
from pages import CONVERSATIONS, MESSAGES, QA, mean_size, random_pages
from report import micros, verdict
from server import SERVER_CORE
from tools import BARE

KINDS = (CONVERSATIONS, MESSAGES, QA)
CONNECTIONS = 64
FIXTURE_GOAL = 1.25  # of the CPU of a generated page with as many rows


def measure(tools, quiet, size, say):
    """The sections of the page, and the points of the plot."""
    bench = (tools, quiet, size, say)
    sections = [*load_sections(*bench), startup.built_in_section(*bench)]
    sections += [startup.large_section(*bench), queries.section(*bench), extras.section(*bench)]
    points = scale.measure(*bench)
    return sections + scale.sections(points), points


def setups(tools, size):
    """(what is served, flags, goals of the CPU of each kind of page, goal of their p99)."""
    large = ("--conversations", str(size.large), "--journal", "0", "--no-admin")
    found = [
        (f"{size.large:,} generated, no log", (*large, "--log-format", "off"), (1.4, 1.8, 2.3), 1.5),
        (f"{size.large:,} generated, log to a file", large, (1.7, 2.1, 2.6), None),
    ]
    for conversations in size.fixtures:
        flags = ("--fixtures", str(tools.fixture(conversations)), *BARE)
        found.append((f"fixture of {conversations:,}, no log", flags, (None,) * 3, None))
    return found


def load_sections(tools, quiet, size, say):
    cpu, latency, fixtures, generated = [], [], [], {}
    for what, flags, goals, latency_goal in setups(tools, size):
        say(what)
        found = against_baseline(tools, quiet, size, say, flags)
        for kind, goal in zip(KINDS, goals):
            ours, theirs, pages = found[kind]
            times = ratio(ours, theirs, "cpu")
            cpu.append([
                what, kind, f"{pages:,}", f"{spread(ours, 'bytes').median:,.0f}",
                short(spread(ours, "cpu").median), short(spread(theirs, "cpu").median), times,
                *verdict(times, goal),
            ])
            # It is measured in turn with the baseline, so a slow minute affects both figures.
            against = generated.setdefault(kind, times.median)
            if what.startswith("fixture"):
                share = times.median / against
                fixtures.append([what, kind, short(share), *verdict(share, FIXTURE_GOAL)])
            times = ratio(ours, theirs, "p99")
            latency.append([
                what, kind, *(micros(spread(side, "p99").median) for side in (ours, theirs)),
                times, *verdict(times, latency_goal),
            ])
    return [
        {
            "title": "CPU of a page",
            "about": "CPU seconds per 100,000 requests. Full pages in random order, none twice "
            "before all were asked for. Bytes are of the whole answer.",
            "columns": ["conversations", "page", "different pages", "bytes", "emulator",
                        "baseline", "ratio", "goal", ""],
            "rows": cpu,
        },
        {
            "title": "A page of a fixture",
            "about": "CPU against a page of the generated records above, with as many rows and no log: one "
            "ratio to the baseline divided by the other.",
            "columns": ["conversations", "page", "ratio", "goal", ""],
            "rows": fixtures,
        },
        {
            "title": "Latency of a page",
            "about": f"p99 with {CONNECTIONS} connections that never pause, in the same windows: "
            "the server is busy all the time, and an answer waits for the others' turns.",
            "columns": ["conversations", "page", "emulator", "baseline", "ratio", "goal", ""],
            "rows": latency,
        },
    ]


def against_baseline(tools, quiet, size, say, flags):
    """Kind -> (windows of the emulator, of a baseline with equal body size, different pages)."""
    emulator = tools.emulator(*flags, cores=SERVER_CORE)
    emulator.first_line()
    pages = random_pages(emulator)
    servers, lanes = [emulator], {}

    def lane(server, paths):
        return lambda: window(quiet, server, paths, CONNECTIONS, size.seconds)

    for kind in KINDS:
        body = tools.body(mean_size(emulator, pages[kind]))
        baseline = tools.baseline(body, cores=SERVER_CORE)
        baseline.first_line()
        servers.append(baseline)
        paths = tools.paths(kind, pages[kind])
        lanes[kind, "theirs"], lanes[kind, "ours"] = lane(baseline, paths), lane(emulator, paths)
        for name in ("theirs", "ours"):
            lanes[kind, name]()  # warms up
    results = in_rounds(size.rounds, lanes, say)
    for server in servers:
        server.stop()
    return {
        kind: (results[kind, "ours"], results[kind, "theirs"], len(pages[kind])) for kind in KINDS
    }
