"""The report of compare.py: a Markdown table, bars of the times and the roofline as SVG.

usage: bench/report.py [RESULTS.json]: writes the report of earlier results anew
"""
import json
import math
import os
import statistics
import sys

COLOURS = {"netc": "#1b6ca8", "Keras": "#d9a441", "Keras jit": "#b5792a", "PyTorch": "#c8553d",
           "torch.compile": "#8f3b2b", "JAX scan": "#5b8c5a"}


def median(row, side):
    return statistics.median(row["sides"][side]["seconds"])


def peers(row):
    return [side for side in row["sides"] if side != "netc"]


def fastest(row):
    return min(peers(row), key=lambda side: median(row, side), default=None)


def share(row):
    """Of the peak that the same run measured, by the products alone."""
    return row["products"] / median(row, "netc") / row["peak"]


def ratio(row, side):
    """By rounds: median, least, most."""
    ratios = [b / a for a, b in zip(row["sides"]["netc"]["seconds"], row["sides"][side]["seconds"])]
    return statistics.median(ratios), min(ratios), max(ratios)


def duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            break
    return f"{seconds / size:.3g} {unit}"


def spread(values):
    return f"{duration(statistics.median(values))} ({duration(min(values))} - {duration(max(values))})"


def markdown(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def table(results):
    rows = results["rows"]
    sides = list(COLOURS)[1:]
    times, others, ends = [], [], []
    for row in rows:
        best = fastest(row)
        times.append([row["title"], spread(row["sides"]["netc"]["seconds"]), f"{100 * share(row):.0f} %",
                      f"{row['goal']} %" if row["goal"] else "-",
                      *(f"{ratio(row, best)[i]:.3g}" for i in range(1) if best),
                      *(["-"] if not best else []), f"{row['goal_ratio']}", best or "-"])
        others.append([row["title"], *(duration(median(row, side)) + f" ({ratio(row, side)[0]:.3g} x)"
                                       if side in row["sides"] else "-" for side in sides)])
        found = row["sides"]
        ends.append([row["title"], *("-" if side not in found else "; ".join([
            f"{100 * found[side]['accuracy']:.2f} %" if found[side]["accuracy"] else "-",
            f"{found[side]['rss'] / 1e6:.0f} MB" if found[side]["rss"] else "-",
            duration(found[side]["start"]) if found[side]["start"] else "-"]) for side in COLOURS)])
    peak = max(row["peak"] for row in rows)
    return f"""# Benchmarks

Written by `make bench`. Whole training steps (the batch gathered, forward, backward, update), fp32 at its highest
precision, {results['threads']} threads of {results['cpu']}. {results['rounds']} rounds, in which our program and all peers take
turns of about {results['seconds']:g} s; a time is the median of the rounds (least - most), a ratio the median of the rounds' own
ratios. The peak, {peak / 1e9:.0f} GF/s, is that of multiply-adds in registers, measured in the same minutes; the share counts
matrix products and convolutions only. Peers: {results['versions']}; data preloaded, no loader, fused optimizers, warmed up;
JAX with all steps in one `lax.scan` (bench/peer_*.py).

## Time of a step

{markdown(["workload", "netc", "of peak", "goal", "fastest peer / netc", "goal", "fastest peer"], times)}

![Times of a step](benchmarks-times.svg)

## Each peer, and its ratio to netc

{markdown(["workload", *sides], others)}

## Accuracy on the test set, most memory, time from start to the end of the first step

After the row's epochs ({', '.join(sorted({str(row['epochs']) for row in rows}))}), each side from its own first weights.

{markdown(["workload", *COLOURS], ends)}

## Roofline

![Roofline](benchmarks-roofline.svg)
"""


def text_at(x, y, words, anchor="start", size=12, colour="#222"):
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def svg(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif">\n'
            f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def bars(results):
    """Times relative to ours, on a scale of powers of two."""
    left, scale, parts, y = 130, 70, [], 20
    for row in results["rows"]:
        parts.append(text_at(8, y + 12, row["title"], size=13))
        y += 22
        for side in row["sides"]:
            times = median(row, side) / median(row, "netc")
            length = max(2, scale * (1 + math.log2(max(times, 0.51))))
            parts.append(text_at(left - 8, y + 11, side, "end", 11))
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="13" fill="{COLOURS[side]}"/>')
            parts.append(text_at(left + length + 6, y + 11, f"{duration(median(row, side))}, {times:.3g} x", size=11))
            y += 17
        y += 12
    return svg(900, y + 10, parts)


def roofline(results):
    """GF/s over operations for each byte, both by powers of ten."""
    rows = results["rows"]
    peak = max(row["peak"] for row in rows)
    slowest = rows[0]["memory"][-1]["bytes_per_second"]
    for row in rows:
        slowest = min(slowest, row["memory"][-1]["bytes_per_second"])
    low, high = 1, 1000
    top, bottom = 10 ** math.ceil(math.log10(peak / 1e9)), 1

    def x(intensity):
        return 70 + 680 * math.log10(intensity / low) / math.log10(high / low)

    def y(rate):
        return 400 - 360 * math.log10(rate / bottom) / math.log10(top / bottom)
    corner = peak / slowest
    line = [(low, slowest * low / 1e9), (corner, peak / 1e9), (high, peak / 1e9)]
    parts = ['<polyline fill="none" stroke="#222" stroke-width="2" points="' +
             " ".join(f"{x(a):.1f},{y(max(b, bottom)):.1f}" for a, b in line) + '"/>',
             text_at(x(high), y(peak / 1e9) - 8, f"{peak / 1e9:.0f} GF/s", "end"),
             text_at(x(low) + 6, y(slowest * low / 1e9) - 10, f"{slowest / 1e9:.0f} GB/s")]
    for power in range(0, 4):
        parts.append(text_at(x(10 ** power), 420, f"{10 ** power}", "middle"))
        parts.append(text_at(60, y(10 ** power) + 4, f"{10 ** power}", "end"))
    parts.append(text_at(410, 445, "operations in products, for each byte read or written", "middle"))
    parts.append(text_at(70, 25, "GF/s"))
    for index, row in enumerate(rows):
        intensity, rate = row["products"] / row["bytes"], row["products"] / median(row, "netc") / 1e9
        parts.append(f'<circle cx="{x(intensity):.1f}" cy="{y(rate):.1f}" r="4" fill="{COLOURS["netc"]}"/>')
        parts.append(text_at(x(intensity) + 6, y(rate) + 4 + 12 * (index % 2), row["row"], size=11))
    return svg(800, 460, parts)


def write(results, folder):
    for name, content in (("benchmarks.md", table(results)), ("benchmarks-times.svg", bars(results)),
                          ("benchmarks-roofline.svg", roofline(results))):
        with open(os.path.join(folder, name), "w") as file:
            file.write(content)


if __name__ == "__main__":
    with open(sys.argv[1] if len(sys.argv) > 1 else "build/bench/results.json") as file:
        write(json.load(file), "docs")
