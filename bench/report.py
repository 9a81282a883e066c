"""The report of compare.py, docs/benchmarks.md, and its pictures beside it."""
import os
import statistics
import textwrap

import pictures
from figures import WHOLE_LOOPS, bound, duration, fastest, least, median, number, peers, ratio, share, speedup

# Asked of every row; the shares and ratios asked of each are in workloads.py.
SPEEDUP, MEMORY, START, EMIT, GCC = 1.8, 10, 20, 0.020, 5.0


def spread(values):
    return f"{duration(statistics.median(values))} ({duration(min(values))} - {duration(max(values))})"


def markdown(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def of(reached, asked, show):
    """`reached of asked`, in bold where it falls short; only what is reached where nothing is asked."""
    if asked is None:
        return show(reached)
    words = f"{show(reached)} of {show(asked)}"
    return words if reached >= asked else f"**{words}**"


def percent(value):
    return f"{100 * value:.0f} %"


def compared(row):
    """The ratios that are asked of a row: the fastest peer of each group, and what is asked."""
    groups = [(peers(row), row["goal_ratio"])]
    if row["goal_scan_ratio"]:
        others = [side for side in peers(row) if side not in WHOLE_LOOPS]
        groups = [(others, row["goal_ratio"]), (WHOLE_LOOPS, row["goal_scan_ratio"])]
    found = [(fastest(row, among), asked) for among, asked in groups]
    return [(side, asked) for side, asked in found if side]


def asked_of(row):
    """Its line of the table of what is asked."""
    ratios = compared(row)
    threads = "-"
    if row["threads"] == 2:
        threads = of(speedup(row), SPEEDUP if row["batch"] >= 64 else None, number)
    memory, start = least(row, "rss"), least(row, "start")
    return [row["title"],
            of(share(row), row["goal"] and row["goal"] / 100, percent),
            "; ".join(f"{of(ratio(row, side)[0], asked, number)} ({side})" for side, asked in ratios) or "-",
            "; ".join(number(bound(row, side)) for side, _ in ratios) or "-",
            threads,
            f"{of(memory[1], MEMORY, number)} ({memory[0]})" if memory else "-",
            f"{of(start[1], START, number)} ({start[0]})" if start else "-"]


def times(row, sides):
    def cell(side):
        if side not in row["sides"]:
            return "-"
        return f"{duration(median(row, side))} ({' - '.join(map(number, ratio(row, side)[1:]))} x)"
    netc = row["sides"]["netc"]
    return [row["title"], spread(netc["seconds"]), duration(statistics.median(netc["one_thread"])), *map(cell, sides)]


def ends(row, sides):
    def cell(side):
        found = row["sides"].get(side)
        if not found:
            return "-"
        return f"{found['rss'] / 1e6:.0f} MB, {duration(found['start'])}" if found["rss"] else "-"
    return [row["title"], cell("netc"), *map(cell, sides)]


def accuracies(row, sides):
    def cell(side):
        found = row["sides"].get(side)
        if not found or not found["accuracy"]:
            return f"- ({found['why']})" if found and "why" in found else "-"
        several = found.get("accuracies")
        spread = f" ({100 * min(several):.2f} - {100 * max(several):.2f})" if several else ""
        return f"{100 * found['accuracy']:.2f} %{spread}"
    return [row["title"], str(row["epochs"]), cell("netc"), *map(cell, sides)]


def models_text(models):
    def cell(seconds, asked):
        return duration(seconds) if seconds < asked else f"**{duration(seconds)}**"
    lines = [[model["model"], cell(model["emit"], EMIT), cell(model["gcc"], GCC)] for model in models]
    return f"""
## Compiling the networks of models/

Asked: less than {duration(EMIT)} in `netc emit`, less than {duration(GCC)} in gcc (`netc build` without the former).

{markdown(["network", "netc emit", "gcc"], lines)}
"""


def curves_text(curves):
    text = """
## Curves

The time of a step beside the fastest form of each framework, and of compiling the network.

![Curves](benchmarks-curves.svg)
"""
    for name, curve in curves.items():
        points = curve["points"]
        sides = list(dict.fromkeys(side for point in points for side in point["seconds"]))
        lines = [[str(point["value"]), *(duration(statistics.median(point["seconds"][side]))
                                         if side in point["seconds"] else "-" for side in sides),
                  duration(point["emit"]), duration(point["gcc"])] for point in points]
        text += f"\n{name[0].upper()}{name[1:]}: {curve['axis']}. {curve['rounds']} rounds of about " \
                f"{curve['round_seconds']:g} s.\n\n{markdown([name, *sides, 'netc emit', 'gcc'], lines)}\n"
    return text


def paragraph(text):
    """Lines of a text that has numbers and names put in."""
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def commits_text(results):
    names = {row["row"]: row["title"] for row in results["rows"]}
    names.update(models="the networks of models/", curves="the curves")
    parts = {}
    for part, commit in results["commits"].items():
        parts.setdefault(commit, []).append(names[part])
    return f"""
## The commits that were measured

{markdown(["netc", "what is of it"], [[commit, "; ".join(of)] for commit, of in parts.items()])}
"""


def text(results):
    rows = results["rows"]
    sides = [side for side in pictures.COLOURS if side != "netc" and any(side in row["sides"] for row in rows)]
    real = [row for row in rows if row["data"] == "mnist"]
    peaks = [row["peak"] / 1e9 for row in rows]
    threads, rounds, seconds = (rows[0][name] for name in ("threads", "rounds", "round_seconds"))
    about = paragraph(f"""
Written by `make bench`. Whole training steps (the batch gathered, forward, backward, update), fp32 at its highest
precision, {threads} threads of {results['cpu']}. {rounds} rounds, in which our program and all peers take turns of
about {seconds:g} s; a time is the median of the rounds, a ratio the median of the rounds' own ratios. The peak,
{min(peaks):.0f} to {max(peaks):.0f} GF/s in the rows, is that of multiply-adds in registers, measured in the same
minutes; the share counts matrix products and convolutions only. Products of MNIST's pictures leave out zeros where
a whole tile is zeros, and convolutions of 3x3 spare some by transforms: the share is that of steps which take all of
them (`bench --all-terms`, `--conv direct`), the times are those of steps which do not. Peers: {results['versions']};
data preloaded, no loader, fused optimizers, warmed up. `Keras` and `Keras jit` are its `fit`, `Keras loop` a training loop in one
graph; `JAX scan` is all steps in one `lax.scan`, `JAX step` a compiled step called from Python (bench/peer_*.py).
With a batch of one our program takes one thread, as it decides by itself.""")
    parts = f"""# Benchmarks

{about}

## What is asked, and what is reached

"At the peak" is the ratio that a program would have that took all products, zeros too, at the whole peak, and whose
rest took no time: where it is less than what is asked, no program that takes all products gets there on this machine.
Where there are two ratios, the second is to the fastest peer that has all steps in one call, and the first to the
fastest of the others. What falls short is bold.

{markdown(["workload", "of peak", "fastest peer / netc", "at the peak", "two threads / one",
           "lightest peer's memory / netc's", "quickest peer's first step / netc's"], list(map(asked_of, rows)))}

## Time of a step

Ours: the median (least - most). Each peer: its median, and the least and greatest ratio to ours of the rounds.

{markdown(["workload", "netc", "one thread", *sides], [times(row, sides) for row in rows])}

![Times of a step](benchmarks-times.svg)

![Roofline](benchmarks-roofline.svg)

The sloping line is the memory's. What lies above it works from the caches; products that are left out because pixels
are 0, and those that transforms spare, are counted.

## Most memory, and time from start to the end of the first step

{markdown(["workload", "netc", *sides], [ends(row, sides) for row in rows])}
"""
    if real:
        parts += f"""
## Accuracy on the test set

After the same epochs, each side from its own first weights; ours of three seeds, the median (least - most).

{markdown(["workload", "epochs", "netc", *sides], [accuracies(row, sides) for row in real])}
"""
    if results.get("models"):
        parts += models_text(results["models"])
    if results.get("curves"):
        parts += curves_text(results["curves"])
    return parts + commits_text(results)


def write(results, folder):
    files = {"benchmarks.md": text, "benchmarks-times.svg": pictures.bars,
             "benchmarks-roofline.svg": pictures.roofline}
    if results.get("curves"):
        files["benchmarks-curves.svg"] = pictures.curves
    for name, make in files.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(make(results))
