"""The cost of the control API and the journal for each page, if they are not used."""

from load import in_rounds, ratio, short, spread, window
from pages import CONVERSATIONS, MESSAGES, QA, random_pages
from report import verdict
from server import SERVER_CORE
from tools import BARE, NO_LOG

KINDS = (CONVERSATIONS, MESSAGES, QA)
CONNECTIONS = 64
LANES = {
    "bare": (BARE, None, None),
    "control API": ((*NO_LOG, "--journal", "0"), "bare", 1.05),
    "control API and journal": (NO_LOG, "control API", 1.10),
}


def section(tools, quiet, size, say):
    say("control API and journal, not used")
    servers, lanes = {}, {}
    for name, (flags, *_) in LANES.items():
        servers[name] = tools.emulator("--conversations", str(size.small), *flags,
                                       cores=SERVER_CORE)
        servers[name].first_line()
    pages = random_pages(servers["bare"])
    for kind in KINDS:
        paths = tools.paths(f"extras {kind}", pages[kind])
        for name, server in servers.items():
            lanes[kind, name] = lambda server=server, paths=paths: window(
                quiet, server, paths, CONNECTIONS, size.seconds
            )
            lanes[kind, name]()  # warms up
    results = in_rounds(size.rounds, lanes, say)
    for server in servers.values():
        server.stop()
    rows = []
    for kind in KINDS:
        for name, (_, base, goal) in LANES.items():
            if base is None:
                continue
            ours, theirs = results[kind, name], results[kind, base]
            times = ratio(ours, theirs, "cpu")
            cpu = [short(spread(side, "cpu").median) for side in (ours, theirs)]
            rows.append([kind, name, base, *cpu, times, *verdict(times, goal)])
    return {
        "title": "Control API and journal",
        "about": f"CPU seconds per 100,000 requests, {size.small:,} conversations. Bare is "
        f"`{' '.join(BARE)}`; each is held against the one without it, in the same rounds.",
        "columns": ["page", "with", "against", "with it", "without", "ratio", "goal", ""],
        "rows": rows,
    }
