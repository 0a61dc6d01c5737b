"""The charts, as SVG. The colours are readable on white and on black."""

import math
from html import escape

TEXT, GRID = "#768390", "#8b949e33"
OURS, BASE, OTHERS = "#2f81f7", "#2da44e", "#8b949e"
LINES = ("#2f81f7", "#d4782a", "#2da44e")
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


def svg(width, height, title, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="{FONT}" font-size="13">\n'
        f"<title>{escape(title)}</title>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def text(x, y, words, fill=TEXT, anchor="start", size=13, weight="normal"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}" '
        f'font-size="{size}" font-weight="{weight}">{escape(str(words))}</text>'
    )


def line(x1, y1, x2, y2, stroke=GRID, width=1):
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{stroke}" stroke-width="{width}"/>'
    )


def figure(number):
    """At most three digits, without zeros at the end of a fraction."""
    if number >= 1e6:
        return f"{number / 1e6:g}M"
    if number >= 1000:
        return f"{number / 1e3:.3g}k"
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def decades(low, high):
    """The powers of ten in a range, for the grid of a log scale."""
    return [10.0**n for n in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]


def peers(targets):
    """Bars of CPU per request as a multiple of the baseline's, on a log scale."""
    ranked = sorted(targets.items(), key=lambda item: item[1]["cpu_ratio"].median)
    left, right, top, row = 170, 70, 62, 26
    width, height = 760, top + row * len(ranked) + 34
    low, high = 0.5, max(2, max(one["cpu_ratio"].high for _, one in ranked)) * 1.1

    def at(ratio):
        share = math.log(ratio / low) / math.log(high / low)
        return left + share * (width - left - right)

    bottom = top + row * len(ranked)
    parts = [
        text(0, 18, "CPU per request, against a server of constant bytes", size=16, weight=600),
        text(0, 39, "multiple of the baseline's, log scale: less is better; lines: min-max"),
    ]
    for tick in decades(low, high):
        parts.append(line(at(tick), top - 6, at(tick), bottom))
        parts.append(text(at(tick), bottom + 18, f"{figure(tick)}×", TEXT, "middle", 12))
    for number, (name, one) in enumerate(ranked):
        y, ratio = top + row * number, one["cpu_ratio"]
        ours = name.startswith("gptbots-mock")
        colour = OURS if ours else BASE if name == "baseline" else OTHERS
        weight = 600 if ours else "normal"
        parts.append(
            f'<rect x="{left}" y="{y + 4}" width="{at(ratio.median) - left:.1f}" '
            f'height="{row - 8}" rx="3" fill="{colour}" fill-opacity="0.8"/>'
        )
        if ratio.high > ratio.low:
            middle = y + row / 2
            parts.append(line(at(ratio.low), middle, at(ratio.high), middle, TEXT, 1.5))
        parts.append(text(left - 10, y + row / 2 + 4.5, name, TEXT, "end", weight=weight))
        words = f"{figure(ratio.median)}×"
        parts.append(text(at(ratio.high) + 8, y + row / 2 + 4.5, words, TEXT, weight=weight))
    return svg(width, height, "CPU per request of each server, against the baseline", parts)


def scale(points):
    """Three small plots over the number of conversations: start, memory, CPU per request."""
    panel, gap, height = 260, 26, 300
    plots = [
        ("To the first line, ms", {"": [one["start"].median for one in points]}),
        ("Resident memory, MiB", {"": [one["memory"] for one in points]}),
        ("CPU s per 100,000 requests",
         {kind: [one["cpu"][kind].median for one in points] for kind in points[0]["cpu"]}),
    ]
    sizes = [one["conversations"] for one in points]
    title = f"From {figure(sizes[0])} to {figure(sizes[-1])} conversations"
    parts = [text(0, 18, title, size=16, weight=600)]
    for number, (title, series) in enumerate(plots):
        logarithmic = number < 2  # the last plot is linear, because it should be flat
        parts += plot(number * (panel + gap), panel, height, title, sizes, series, logarithmic)
    return svg(3 * panel + 2 * gap, height, "How start, memory and CPU grow with the data", parts)


def plot(x0, panel, height, title, sizes, series, logarithmic):
    """One small plot; the x axis is the logarithm of the number of conversations."""
    left, right, top, bottom = x0 + 38, x0 + panel - 8, 70, height - 52
    everything = [value for values in series.values() for value in values]
    if logarithmic:
        low = 10 ** math.floor(math.log10(min(everything)))
        high = 10 ** math.ceil(math.log10(max(everything) * 1.05))
        ticks = decades(low, high)
    else:
        step = 10 ** math.floor(math.log10(max(everything)))
        step = step / 2 if max(everything) / step < 3 else step
        low, high = 0, step * math.ceil(max(everything) * 1.05 / step)
        ticks = [step * n for n in range(round(high / step) + 1)]

    def x(size):
        share = math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])
        return left + 8 + share * (right - left - 16)

    def y(value):
        share = math.log(value / low) / math.log(high / low) if logarithmic else value / high
        return bottom - share * (bottom - top)

    parts = [text(x0, 48, title, weight=600)]
    for tick in ticks:
        parts.append(line(left, y(tick), right, y(tick)))
        parts.append(text(left - 6, y(tick) + 4, figure(tick), TEXT, "end", 11))
    for size in sizes:
        parts.append(text(x(size), bottom + 17, figure(size), TEXT, "middle", 11))
    where = x0
    for colour, (name, values) in zip(LINES, series.items()):
        spots = [(x(size), y(value)) for size, value in zip(sizes, values)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in spots)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-linejoin="round"/>'
        )
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in spots]
        parts.append(text(where, height - 8, name, colour, size=11))
        where += 6.1 * len(name) + 14  # the approximate width of the text
    return parts
