"""Compares each query on many conversations with the same on few; the cost should be equal."""

from load import in_rounds, ratio, short, spread, window
from pages import query_pages
from report import verdict
from server import SERVER_CORE
from tools import BARE

GOAL = 1.3
CONNECTIONS = 64


def section(tools, quiet, size, say):
    say(f"queries with {size.large:,} and with {size.small:,} conversations")
    servers = []
    for conversations in (size.small, size.large):
        server = tools.emulator("--conversations", str(conversations), *BARE, cores=SERVER_CORE)
        server.first_line()
        servers.append(server)
    queries = query_pages(*servers)
    lanes = {}
    for query, pages in queries.items():
        for server, paths, which in zip(servers, pages, ("small", "large")):
            file = tools.paths(f"{query} {which}", paths)
            lanes[query, which] = lambda server=server, file=file: window(
                quiet, server, file, CONNECTIONS, size.seconds
            )
    lanes["first pages", "small"](), lanes["first pages", "large"]()  # warm up
    results = in_rounds(size.rounds, lanes, say)
    for server in servers:
        server.stop()
    rows = []
    for query, pages in queries.items():
        small, large = results[query, "small"], results[query, "large"]
        times = ratio(large, small, "cpu")
        bytes_of = [f"{spread(side, 'bytes').median:,.0f}" for side in (small, large)]
        cpu_of = [short(spread(side, "cpu").median) for side in (small, large)]
        rows.append([query, " / ".join(str(len(paths)) for paths in pages), " / ".join(bytes_of),
                     *cpu_of, times, *verdict(times, GOAL)])
    return {
        "title": f"Queries with {size.large:,} conversations against {size.small:,}",
        "about": "CPU seconds per 100,000 requests. Either server is asked for a few full pages "
        "in turn, of as many rows; texts differ, so bytes do a little.",
        "columns": ["query", "pages", "bytes", f"{size.small:,}", f"{size.large:,}", "ratio",
                    "goal", ""],
        "rows": rows,
    }
