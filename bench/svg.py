"""Pictures as SVG text: words, lines, and a frame with both axes by powers of ten."""
import math

GREY, INK = "#ddd", "#222"


def text_at(x, y, words, anchor="start", size=12, colour=INK):
    words = str(words).replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def line(points, colour=INK, width=2, dashed=False):
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline fill="none" stroke="{colour}" stroke-width="{width}"{dashes} points="{places}"/>'


def dot(x, y, colour, radius=3):
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'


def svg(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif">\n'
            f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def spaced(heights, least):
    """The heights moved down where they are closer than that, in their order."""
    places, last = {}, -math.inf
    for index in sorted(range(len(heights)), key=lambda index: heights[index]):
        last = places[index] = max(heights[index], last + least)
    return [places[index] for index in range(len(heights))]


class Frame:
    """A box of pixels (left, top, width, height) whose axes are powers of ten; y spans whole ones."""

    def __init__(self, box, xs, ys):
        self.left, self.top, self.width, self.height = box
        self.x_low, self.x_high = math.log10(min(xs)), math.log10(max(xs))
        self.y_low, self.y_high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def at(self, x, y):
        across = (math.log10(x) - self.x_low) / (self.x_high - self.x_low)
        up = (math.log10(y) - self.y_low) / (self.y_high - self.y_low)
        return self.left + self.width * across, self.top + self.height * (1 - up)

    def axes(self, ticks, y_label):
        """Lines across at each power of ten with y_label(it), and {x: its words} below."""
        parts = []
        for power in range(self.y_low, self.y_high + 1):
            y = self.at(10 ** self.x_low, 10.0 ** power)[1]
            parts += [line([(self.left, y), (self.left + self.width, y)], GREY, 1),
                      text_at(self.left - 6, y + 4, y_label(10.0 ** power), "end", 11)]
        bottom = self.top + self.height
        for value, words in ticks.items():
            x = self.at(value, 10.0 ** self.y_low)[0]
            parts += [line([(x, self.top), (x, bottom)], GREY, 1), text_at(x, bottom + 15, words, "middle", 11)]
        return parts
