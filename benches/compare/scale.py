"""How start, memory and CPU per request grow with the number of conversations."""

import time

from load import Spread, in_rounds, short, spread, window
from pages import deep_qa, random_pages
from report import verdict
from server import REST, SERVER_CORE
from startup import start
from tools import BARE

BYTES_GOAL = 100
CONNECTIONS = 64


def measure(tools, quiet, size, say):
    """One point per size; servers of all sizes run at once, so that rounds interleave."""
    points, lanes, servers = [], {}, []
    for conversations in size.scale:
        say(f"{conversations:,} conversations: start and memory")
        flags = ("--conversations", str(conversations), *BARE)
        server = tools.emulator(*flags, cores=SERVER_CORE)
        server.first_line()
        path = deep_qa(server)
        # At rest after the first responses, so that all indexes are built
        time.sleep(REST)
        point = {"conversations": conversations, "memory": server.memory()}
        quiet.wait()
        starts = [start(tools, flags, path) for _ in range(size.large_starts)]
        point["start"] = Spread(one["line"] for one in starts)
        point["answer"] = Spread(one["answer"] for one in starts)
        for kind, paths in random_pages(server, most_messages=2_000).items():
            file = tools.paths(f"{kind} {conversations}", paths)
            lanes[conversations, kind] = lambda server=server, file=file: window(
                quiet, server, file, CONNECTIONS, size.seconds
            )
            lanes[conversations, kind]()  # warms up
        points.append(point)
        servers.append(server)
    results = in_rounds(size.rounds, lanes, say)
    for point, server in zip(points, servers):
        server.stop()
        point["cpu"] = {
            kind: spread(results[conversations, kind], "cpu")
            for conversations, kind in lanes
            if conversations == point["conversations"]
        }
    return points


def sections(points):
    kinds = list(points[0]["cpu"])
    rows = [
        [f"{point['conversations']:,}", point["start"], point["answer"], short(point["memory"]),
         *(point["cpu"][kind] for kind in kinds)]
        for point in points
    ]
    last = points[-1]
    each = last["memory"] * 2**20 / last["conversations"]
    return [
        {
            "title": "Growth with the data",
            "about": "CPU seconds per 100,000 requests, pages in random order; resident after the "
            "first answers.",
            "columns": ["conversations", "first line, ms", "first page of Q&A, ms",
                        "resident, MiB", *(f"CPU, {kind}" for kind in kinds)],
            "rows": rows,
        },
        {
            "title": f"{last['conversations']:,} conversations",
            "columns": ["what", "figure", "goal", ""],
            "rows": [
                ["first line", f"{last['start']} ms", "", ""],
                ["first page of 100 Q&A", f"{last['answer']} ms", "", ""],
                ["resident per conversation", f"{short(each)} bytes",
                 *verdict(each, BYTES_GOAL)],
            ],
        },
    ]
