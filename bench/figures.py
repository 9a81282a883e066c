"""What the report and its pictures compute from a row of the results."""
import statistics

# Many steps for each call, as our program does them; the others are called for each step, or for a hundred.
WHOLE_LOOPS = ("JAX scan", "Keras loop")


def duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= 0.9995 * size:
            break
    return f"{seconds / size:.3g} {unit}"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def median(row, side):
    return statistics.median(row["sides"][side]["seconds"])


def peers(row):
    return [side for side in row["sides"] if side != "netc"]


def fastest(row, among):
    return min((side for side in peers(row) if side in among), key=lambda side: median(row, side), default=None)


def share(row):
    """Of the peak that the same run measured, by the products alone, in steps that take all of them."""
    ours = row["sides"]["netc"]
    return row["products"] / statistics.median(ours.get("all_terms") or ours["seconds"]) / row["peak"]


def ratio(row, side):
    """Its time to ours, by rounds: median, least, most."""
    ratios = [b / a for a, b in zip(row["sides"]["netc"]["seconds"], row["sides"][side]["seconds"])]
    return statistics.median(ratios), min(ratios), max(ratios)


def bound(row, side):
    """Its time to that of the products alone at the peak: no program of the same products has a greater ratio."""
    return median(row, side) * row["peak"] / row["products"]


def speedup(row):
    """Of all threads over one, by rounds."""
    ours = row["sides"]["netc"]
    return statistics.median(one / all for one, all in zip(ours["one_thread"], ours["seconds"]))


def least(row, what):
    """The peer with the least of that, and how often ours goes into it; None where nobody has it."""
    side = min((side for side in peers(row) if row["sides"][side][what]), key=lambda side: row["sides"][side][what],
               default=None)
    ours = row["sides"]["netc"][what]
    return (side, row["sides"][side][what] / ours) if side and ours else None
