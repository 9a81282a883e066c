"""The report's pictures: bars of the times, the roofline, and the curves."""
import math
import statistics

from figures import duration, median, number
from svg import Frame, dot, line, spaced, svg, text_at

COLOURS = {"netc": "#1b6ca8", "Keras": "#d9a441", "Keras jit": "#b5792a", "Keras loop": "#8a5a12",
           "PyTorch": "#c8553d", "torch.compile": "#8f3b2b", "JAX scan": "#5b8c5a", "JAX step": "#35643f"}


def bars(results):
    """Times relative to ours, on a scale of powers of two."""
    greatest = max(median(row, side) / median(row, "netc") for row in results["rows"] for side in row["sides"])
    left, scale, parts, y = 130, 630 / (1 + math.log2(greatest)), [], 20
    for row in results["rows"]:
        parts.append(text_at(8, y + 12, row["title"], size=13))
        y += 22
        for side in row["sides"]:
            times = median(row, side) / median(row, "netc")
            length = max(2, scale * (1 + math.log2(max(times, 0.51))))
            parts.append(text_at(left - 8, y + 11, side, "end", 11))
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="13" fill="{COLOURS[side]}"/>')
            parts.append(text_at(left + length + 6, y + 11, f"{duration(median(row, side))}, {number(times)} x", size=11))
            y += 17
        y += 12
    return svg(900, y + 10, parts)


def power_below(value):
    return 10 ** math.floor(math.log10(value))


def named_dots(named):
    """Dots with their names beside them, above or below: the first place that touches no dot and no other name."""
    taken = [(x - 5, y - 5, x + 5, y + 5) for _, x, y in named]
    parts = []
    for name, x, y in named:
        wide = 6 * len(name) + 2
        corners = [(x + 7, y - 6), (x - 7 - wide, y - 6), (x - wide / 2, y - 18), (x - wide / 2, y + 7)]
        boxes = [(left, top, left + wide, top + 12) for left, top in corners]
        free = [box for box in boxes
                if all(box[2] < other[0] or other[2] < box[0] or box[3] < other[1] or other[3] < box[1]
                       for other in taken)]
        box = (free or boxes)[0]
        taken.append(box)
        parts += [dot(x, y, COLOURS["netc"], 4), text_at((box[0] + box[2]) / 2, box[3] - 2, name, "middle", 11)]
    return parts


def roofline(results):
    """GF/s over operations for each byte."""
    rows = results["rows"]
    peak = max(row["peak"] for row in rows)
    slowest = min(row["memory"][-1]["bytes_per_second"] for row in rows)
    found = [(row["row"], row["products"] / row["bytes"], row["products"] / median(row, "netc")) for row in rows]
    low = power_below(min(intensity for _, intensity, _ in found))
    high = 10 * power_below(max(intensity for _, intensity, _ in found))
    least = power_below(min(min(rate for _, _, rate in found), slowest * low))
    frame = Frame((60, 40, 690, 360), (low, high), (least, peak))
    powers = [low * 10 ** power for power in range(round(math.log10(high / low)) + 1)]
    parts = frame.axes({power: f"{power:g}" for power in powers}, lambda rate: f"{rate / 1e9:g}")
    corner = frame.at(peak / slowest, peak)
    parts += [line([frame.at(low, slowest * low), corner, frame.at(high, peak)]),
              text_at(frame.left + frame.width, corner[1] - 8, f"{peak / 1e9:.0f} GF/s", "end"),
              text_at(frame.left + 24, frame.at(low, slowest * low)[1] + 8, f"{slowest / 1e9:.0f} GB/s"),
              text_at(405, 445, "operations in products, for each byte read or written", "middle"),
              text_at(30, 25, "GF/s")]
    parts += named_dots([(name, *frame.at(intensity, rate)) for name, intensity, rate in found])
    return svg(800, 460, parts)


def lines(box, title, axis, values, series, least):
    """A chart of {name: ({value: seconds}, colour, dashed)}; each line ends in its name. Seconds from least on."""
    frame = Frame(box, values, [least] + [y for points, _, _ in series.values() for y in points.values()])
    left, top, width, height = box
    parts = [text_at(left, top - 10, title, size=13), text_at(left + width / 2, top + height + 32, axis, "middle", 11)]
    parts += frame.axes({value: value for value in values}, duration)
    ends = []
    for points, colour, dashed in series.values():
        places = [frame.at(*point) for point in points.items()]
        parts += [line(places, colour, dashed=dashed), *(dot(*place, colour) for place in places)]
        ends.append(places[-1])
    for name, (x, _), y in zip(series, ends, spaced([y for _, y in ends], 13)):
        parts.append(text_at(x + 8, y + 4, name, size=11, colour=series[name][1]))
    return parts


def curves(results):
    """A row of two charts for each curve: a step of each side, and the two compilers' time."""
    parts, top = [], 40
    for curve in results["curves"].values():
        points = curve["points"]
        values = [point["value"] for point in points]
        steps = {}
        for point in points:
            for side, seconds in point["seconds"].items():
                steps.setdefault(side, ({}, COLOURS[side], False))[0][point["value"]] = statistics.median(seconds)
        parts += lines((60, top, 420, 230), "a step", curve["axis"], values, steps, 1)
        compilers = {name: ({point["value"]: point[key] for point in points}, COLOURS["netc"], key == "gcc")
                     for name, key in (("netc", "emit"), ("gcc", "gcc"))}
        parts += lines((640, top, 300, 230), "compiling", curve["axis"], values, compilers, 1)
        top += 330
    return svg(1010, top - 10, parts)
