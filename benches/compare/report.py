"""The figures as Markdown: `peers.md`, `goals.md`, and the block of `docs/performance.md`."""

import textwrap

from load import Spread, short, spread

BEGIN, END = "<!-- compare:begin -->", "<!-- compare:end -->"


def table(columns, rows):
    """A Markdown table. The first column contains words, the others figures."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def micros(figure):
    return f"{figure / 1000:,.3g} ms" if figure >= 1000 else f"{figure:.0f} µs"


def latency(windows):
    return " / ".join(micros(spread(windows, key).median) for key in ("p50", "p99"))


def wrapped(words, indent=""):
    return textwrap.fill(
        words, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) + "\n"


def item(words):
    return wrapped(f"- {words}", "  ")


def header(title, method, about):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"# {title}\n\n"
        f"Written by `benches/compare/run` on {about['date']};\n"
        "[benches/compare](../../benches/compare/README.md) says what each figure means.\n\n"
        + item(f"Machine: {about['machine']}.")
        + item(f"Versions: {versions}.")
        + item(
            f"Method: {method} Rounds: {about['rounds']}, of {about['seconds']} s a window. "
            "Figures are medians; a ratio is taken within a round and given as median (min-max)."
        )
        + item(f"Quiet: {about['quiet']}.")
    )


PEERS_METHOD = (
    "everybody is sent the same request and answers a page of {bytes:,} bytes. Server on one core, "
    "wrk on another, rounds interleaved; {starts} cold starts of each in turn, on all cores."
)


def peers_page(found, about):
    method = PEERS_METHOD.format(bytes=found["bytes"], starts=about["cold_starts"])
    targets = ranked(found)
    page = header("The emulator and its peers", method, about)
    page += "\n![CPU per request of each, against the baseline](peers.svg)\n\n"
    page += table(
        ["server", "version", "answer", "first answer, ms", "× baseline", "memory at rest, MiB",
         "after load, MiB"],
        [
            [bold(name), one["version"], one["body"], median(one["starts"]), one["start_ratio"],
             short(one["before"]), short(one["after"])]
            for name, one in targets
        ],
    )
    page += "\n" + table(
        ["server", "requests/s, 1 connection", "p50 / p99", "requests/s, 64 connections",
         "p50 / p99", "CPU s per 100,000", "× baseline"],
        [
            [bold(name), rate(one["load"][1]), latency(one["load"][1]), rate(one["load"][64]),
             latency(one["load"][64]), short(spread(one["load"][64], "cpu").median),
             one["cpu_ratio"]]
            for name, one in targets
        ],
    )
    notes = [item(f"{name}: {one['note']}.") for name, one in targets if one["note"]]
    notes += [item(f"{name} is not in it: {reason}.") for name, reason in found["skipped"]]
    return page + "\n" + "".join(notes)


def short_block(found, about):
    """The text between the markers of `docs/performance.md`."""
    rows = [
        [bold(name), median(one["starts"]), short(one["after"]), rate(one["load"][64]),
         one["cpu_ratio"]]
        for name, one in ranked(found)
    ]
    return (
        f"{BEGIN}\n"
        + table(["server", "first answer, ms", "memory after load, MiB",
                 "requests/s on one core", "CPU per request, × baseline"], rows)
        + "\n![CPU per request of each, against the baseline](perf/peers.svg)\n\n"
        + wrapped(
            f"Measured on {about['date']} on {about['machine']}, every server with the same page "
            "of 50 conversations. The baseline is an axum server that answers constant bytes and "
            "looks at nothing. Versions, method and more figures are in "
            "[perf/peers.md](perf/peers.md)."
        )
        + END
    )


def replace_block(page, block):
    """Replaces the block between the markers. Returns whether the page has markers."""
    text = page.read_text()
    if BEGIN not in text or END not in text:
        return False
    page.write_text(text[: text.index(BEGIN)] + block + text[text.index(END) + len(END) :])
    return True


def ranked(found):
    return sorted(found["targets"].items(), key=lambda item: item[1]["cpu_ratio"].median)


def bold(name):
    return f"**{name}**" if name.startswith("gptbots-mock") else name


def median(figures):
    return short(sorted(figures)[len(figures) // 2])


def rate(windows):
    return f"{spread(windows, 'rate').median:,.0f}"


GOALS_METHOD = (
    "the emulator against the baseline with bodies of the same mean size, 64 connections, server "
    "on one core, wrk on another, rounds interleaved; starts on all cores."
)


def goals_page(sections, about):
    page = header("What the emulator costs, and its goals", GOALS_METHOD, about)
    page += "\n![Start, memory and CPU from a thousand to ten million](scale.svg)\n"
    for section in sections:
        page += f"\n## {section['title']}\n\n"
        page += wrapped(section["about"]) + "\n" if "about" in section else ""
        page += table(section["columns"], section["rows"])
    return page


# If the rounds of a run differ by more than this, the cause is the machine, not the program
NOISY = 1.25


def verdict(figure, goal):
    """The two last cells of a row: its goal, if it has one, and whether it is met. The figure is a
    number or a Spread, whose rounds may differ too much to tell."""
    if goal is None:
        return ["", ""]
    if isinstance(figure, Spread):
        if figure.low <= goal < figure.high and figure.high > NOISY * figure.low:
            return [f"{goal:g}", "too noisy to tell"]
        figure = figure.median
    return [f"{goal:g}", "met" if figure <= goal else "**missed**"]
