"""Networks drawn at random, of everything that tests/parity/reference.py knows.

networks.py SEED [chance]         a .net that compiles; the same seed, the same net. With `chance`
                                  it also has layers and settings that draw random numbers, which
                                  PyTorch would draw otherwise
networks.py data FOLDER           pictures of random bytes. Those of MNIST have a background of one
                                  value, whose pixels come to lie within a rounding of each other
                                  where `pool` chooses among them
networks.py shrink FILE SEED      the least net for which `tests/networks.sh net FILE SEED` still
                                  finds something: statements are left out of FILE, one by one

A net has 28x28x1 for its input and ten outputs, as the sample of MNIST wants it.
"""
import random
import re
import struct
import subprocess
import sys

BUDGET = 2e8  # multiply-adds of all pictures of all steps, forward
COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 20, 24, 31, 32, 33)
SMOOTH = ("elu", "selu", "gelu", "silu", "sigmoid", "tanh", "softplus", "softsign")
BROKEN = ("relu", "leaky_relu", "hard_sigmoid")
SHAPES = ((28, 28, 1), (14, 14, 4), (7, 7, 16), (14, 28, 2), (49, 16, 1), (28, 7, 4), (4, 14, 14),
          (1, 28, 28), (28, 1, 28), (2, 8, 49), (16, 7, 7), (98, 2, 4))


def after(length, kernel, stride, same):
    return -(-length // stride) if same else (length - kernel) // stride + 1


def product(shape):
    result = 1
    for n in shape:
        result *= n
    return result


class Drawn:
    """Statements and the shape behind them: (height, width, channels), or (width,)."""

    def __init__(self, seed, chance):
        self.draw = random.Random(seed)
        self.chance = chance
        self.shape = (28, 28, 1)
        self.work = 0  # multiply-adds of one picture

    # --- what a statement may have

    def likely(self, probability):
        return self.draw.random() < probability

    def activation(self, probability=0.6):
        if not self.likely(probability):
            return ""
        return " " + self.draw.choice(SMOOTH + BROKEN)

    def weighted(self):
        """The options of a layer with weights."""
        text = ""
        if self.likely(0.2):
            text += " bias off"
        if self.likely(0.1):
            text += " l2 0.01"
        if self.likely(0.05):
            text += " l1 0.001"
        return text

    def reach(self, largest):
        return self.draw.choice([n for n in (1, 2, 3, 3, 4, 5, 7) if n <= largest] or [1])

    def window(self, keep):
        """(kernel, stride, options, new height and width) of a window that fits the picture."""
        height, width, _ = self.shape
        same = keep or self.likely(0.4)
        more = 2 if same else 0
        kernel = [self.reach(height + more), self.reach(width + more)]
        if self.likely(0.6):
            kernel = [min(kernel)] * 2
        stride = [1, 1]
        if not keep and self.likely(0.4):
            stride = [self.draw.choice((1, 2, 2, 3)), self.draw.choice((1, 2, 2, 3))]
            if self.likely(0.5):
                stride = [stride[0]] * 2
        size = [after(n, k, s, same) for n, k, s in zip((height, width), kernel, stride)]
        text = f" stride {stride[0]}x{stride[1]}" if stride != [1, 1] else ""
        return kernel, stride, text + (" pad same" if same else ""), size

    # --- layers; each returns its line, or None where it does not fit, and changes the shape

    def conv(self, keep=False, filters=None):
        height, width, channels = self.shape
        kernel, _, options, size = self.window(keep)
        filters = filters or self.draw.choice(COUNTS)
        groups = self.draw.choice([g for g in (1, 1, 1, 2, 3, 4, channels)
                                   if channels % g == 0 and filters % g == 0])
        if groups > 1:
            options += f" groups {groups}"
        if self.likely(0.15) and " stride" not in options:
            step = self.draw.choice((2, 3))
            far = [(k - 1) * step + 1 for k in kernel]
            if " pad same" in options or (far[0] <= height and far[1] <= width):
                options += f" dilation {step}"
                same = " pad same" in options
                size = [after(n, k, 1, same) for n, k in zip((height, width), far)]
        self.work += product(size) * product(kernel) * channels * filters // groups
        self.shape = (*size, filters)
        kernel = f"{kernel[0]}x{kernel[1]}"
        return f"conv {filters} {kernel}{self.activation()}{options}{self.weighted()}"

    def depthwise(self, keep=False):
        channels = self.shape[2]
        kernel, _, options, size = self.window(keep)
        multiplier = 1 if keep else self.draw.choice((1, 1, 2, 3))
        if multiplier > 1:
            options += f" multiplier {multiplier}"
        self.work += product(size) * product(kernel) * channels * multiplier
        self.shape = (*size, channels * multiplier)
        return f"depthwise {kernel[0]}x{kernel[1]}{self.activation()}{options}{self.weighted()}"

    def conv_transpose(self):
        height, width, channels = self.shape
        if height * width > 200:
            return None
        kernel = [self.draw.choice((1, 2, 3, 4)), self.draw.choice((1, 2, 3, 4))]
        stride = [self.draw.choice((1, 2, 3)), self.draw.choice((1, 2))]
        same = self.likely(0.5)
        filters = self.draw.choice(COUNTS)
        size = [n * s + (0 if same else max(k - s, 0))
                for n, k, s in zip((height, width), kernel, stride)]
        self.work += height * width * product(kernel) * channels * filters
        self.shape = (*size, filters)
        return (f"conv_transpose {filters} {kernel[0]}x{kernel[1]}{self.activation()}"
                f" stride {stride[0]}x{stride[1]}{' pad same' if same else ''}{self.weighted()}")

    def pool(self, keep=False):
        word = self.draw.choice(("pool", "avgpool"))
        kernel, stride, options, size = self.window(keep)
        if " stride" not in options:
            options = f" stride {stride[0]}x{stride[1]}{options}"
        self.shape = (*size, self.shape[2])
        return f"{word} {kernel[0]}x{kernel[1]}{options}"

    def border(self):
        height, width, channels = self.shape
        if self.likely(0.5):
            sides = [self.draw.choice((0, 0, 1, 2)) for _ in range(4)]
            self.shape = (height + 2 + sides[0] + sides[1], width + sides[2] + sides[3], channels)
            return f"zeropad 1x0 top {sides[0]} bottom {sides[1]} left {sides[2]} right {sides[3]}"
        if height < 6 or width < 6:
            return None
        self.shape = (height - 3, width - 3, channels)
        return "crop 1 " + self.draw.choice(("top", "bottom")) + " 1 " + self.draw.choice(
            ("left", "right")) + " 1"

    def upsample(self):
        height, width, channels = self.shape
        if height * width > 100:
            return None
        factor = self.draw.choice(((2, 2), (1, 2), (3, 2), (3, 3)))
        self.shape = (height * factor[0], width * factor[1], channels)
        way = self.draw.choice(("", " interpolation bilinear"))
        return f"upsample {factor[0]}x{factor[1]}{way}"

    def norm(self):
        channels = self.shape[-1]
        if len(self.shape) == 3 and self.likely(0.4):
            groups = self.draw.choice([g for g in (1, 2, 3, 4, channels) if channels % g == 0])
            if product(self.shape) // groups > 4:
                return f"groupnorm {groups}"
        if self.likely(0.4) and channels > 2:
            return "layernorm"
        return "batchnorm"

    def alone(self):
        """An activation by itself."""
        word = self.draw.choice(SMOOTH + BROKEN + ("softmax",))
        if word == "leaky_relu":
            return "leaky_relu slope 0.1"
        if word == "elu":
            return "elu alpha 0.7"
        return word

    def lost(self):
        if not self.chance:
            return None
        if len(self.shape) == 3 and self.likely(0.3):
            return "spatial_dropout 20%"
        return self.draw.choice(("dropout 30%", "noise 0.1"))

    def dense(self, width=None):
        width = width or self.draw.choice(COUNTS + (50, 61, 64, 70, 100))
        self.work += product(self.shape) * width
        self.shape = (width,)
        return f"dense {width}{self.activation()}{self.weighted()}"

    # --- structure

    def body(self, layers):
        """Lines of a body of so many layers that keeps rows and columns; the shape behind it."""
        before = self.shape
        lines = [self.keeping() for _ in range(layers)]
        behind, self.shape = self.shape, before
        return lines, behind

    def keeping(self):
        if len(self.shape) == 1:
            return self.draw.choice((self.dense, self.dense, self.norm, self.alone))()
        ways = [lambda: self.conv(keep=True)] * 3 + [
            lambda: self.depthwise(keep=True), lambda: self.pool(keep=True), self.norm, self.alone]
        return self.draw.choice(ways)()

    def structure(self):
        before = self.shape
        if self.likely(0.4):
            bodies = [self.body(self.draw.choice((1, 1, 2)))
                      for _ in range(self.draw.choice((2, 3)))]
            self.shape = (*before[:-1], sum(behind[-1] for _, behind in bodies))
            return "concat " + " ".join("{ " + "; ".join(lines) + " }" for lines, _ in bodies)
        lines, behind = self.body(self.draw.choice((1, 2)))
        self.shape = behind
        if self.likely(0.5):  # back to what it began with
            lines.append(self.conv(True, before[2]) if len(before) == 3 else self.dense(before[0]))
            return "residual { " + "; ".join(lines) + " }"
        self.shape = before
        other = self.conv(True, behind[2]) if len(before) == 3 else self.dense(behind[0])
        self.shape = behind
        return "residual { " + "; ".join(lines) + " } { " + other + " }"

    def layer(self):
        if len(self.shape) == 1:
            ways = [self.dense] * 4 + [
                self.norm, self.alone, self.structure, self.lost, self.unfold]
        else:
            ways = [self.conv] * 4 + [
                self.depthwise, self.conv_transpose, self.pool, self.pool, self.border,
                self.upsample, self.norm, self.norm, self.alone, self.structure, self.structure,
                self.lost, self.whole]
        return self.draw.choice(ways)()

    def whole(self):
        """A picture becomes a row."""
        if product(self.shape[:2]) > 60:
            return None
        word = self.draw.choice(("flatten", "globalavgpool"))
        self.shape = (product(self.shape),) if word == "flatten" else self.shape[2:]
        return word

    def unfold(self):
        """A row becomes a picture."""
        width = self.shape[0]
        height = self.draw.choice([n for n in (1, 2, 3, 4, 5) if width % n == 0])
        self.shape = (height, width // height, 1)
        return f"reshape {height}x{width // height}x1"

    # --- the net

    def layers(self, count):
        lines = []
        self.shape = self.draw.choice(SHAPES)
        if self.shape != (28, 28, 1):
            lines.append("reshape " + "x".join(str(n) for n in self.shape))
        while len(lines) < count:
            before, work = self.shape, self.work
            line = self.layer()
            # before all weights a byte may be the mean of its neighbours, where relu has a kink
            early = not work and "norm" in (line or "")
            if not line or early or product(self.shape) > 20000 or self.work > 1500000:
                self.shape, self.work = before, work
            else:
                lines.append(line)
        return lines

    def end(self):
        loss = self.draw.choice(("cross_entropy",) * 4 + (
            "cross_entropy smoothing 0.1", "binary_cross_entropy", "mse", "mae", "huber",
            "poisson"))
        self.work += product(self.shape) * 10
        last = {"c": " softmax", "b": " sigmoid", "p": " softplus"}.get(loss[0], "")
        return [f"dense 10{last}{self.weighted()}", f"loss {loss}"]

    def training(self, least):
        # a gradient that is 0 but for rounding must not count as one: hence the large eps
        lines = ["optimizer " + self.draw.choice((
            "sgd lr 0.001", "sgd lr 0.001 momentum 0.9", "sgd lr 0.001 momentum 0.8 nesterov on",
            "adam lr 0.002 eps 0.01", "adamw lr 0.002 eps 0.01", "rmsprop lr 0.001 eps 0.01",
            "adagrad lr 0.01 eps 0.01"))]
        if self.likely(0.15):
            lines.append(self.draw.choice(("clip norm 0.5", "clip value 0.01")))
        if self.likely(0.15):
            lines.append("ema 0.9")
        pictures = min(1500, int(BUDGET / (self.work + 1)))
        batches = [n for n in (1, 2, 3, 5, 8, 16, 25, 31, 32, 33, 50, 64, 65, 100, 129, 300)
                   if n * 4 <= pictures and n >= least]
        lines.append(f"batch {self.draw.choice(batches)}")
        if self.chance and self.likely(0.5):
            lines.append("augment shift 2 px rotate 10 deg noise 0.1")
        return lines


def network(seed, chance):
    drawn = Drawn(seed, chance)
    lines = drawn.layers(drawn.draw.choice((2, 3, 4, 5, 6, 8))) + drawn.end()
    # the variance of two numbers may be nearly 0, and every rounding is large beside it
    least = 5 if any("batchnorm" in line for line in lines) else 1
    return ["input 28x28x1", *lines, *drawn.training(least)]


def write_data(folder):
    draw = random.Random(1)
    for part, count in (("train", 1500), ("t10k", 300)):
        for kind, shape, below in (("images-idx3", (count, 28, 28), 256),
                                   ("labels-idx1", (count,), 10)):
            with open(f"{folder}/{part}-{kind}-ubyte", "wb") as file:
                file.write(struct.pack(f">{len(shape) + 1}I", 0x800 + len(shape), *shape))
                file.write(bytes(draw.randrange(below) for _ in range(product(shape))))


# --- the least net that still fails ---------------------------------------------------------------

def differs(path, lines, seed):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    found = subprocess.run(["tests/networks.sh", "net", path, seed], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False).stdout
    return "expected" in found and not re.search(r"error: |Traceback", found)


def shorter(line):
    """The same statement with less in it: a body fewer statements, an option fewer."""
    inner = [m.span() for m in re.finditer(r"[^{};]+;|;[^{};]+(?= })", line)]
    options = [m.span() for m in re.finditer(
        r" (stride|groups|dilation|multiplier|pad|bias|l1|l2|top|bottom|left|right|interpolation|"
        r"alpha|slope|smoothing|momentum|nesterov|eps) \S+|" + "|".join(
            f" {word}(?= |$)" for word in SMOOTH + BROKEN), line)]
    for first, last in inner + options:
        yield line[:first] + line[last:]


def shrink(path, seed):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    going = True
    while going:
        going = False
        tries = [lines[:i] + lines[i + 1:] for i, line in enumerate(lines)
                 if line.split()[0] not in ("input", "loss", "optimizer", "batch")]
        tries += [lines[:i] + [less] + lines[i + 1:]
                  for i, line in enumerate(lines) for less in shorter(line)]
        for tried in tries:
            if differs(path, tried, seed):
                lines, going = tried, True
                break
    print("\n".join(lines))


if sys.argv[1] == "shrink":
    shrink(*sys.argv[2:])
elif sys.argv[1] == "data":
    write_data(sys.argv[2])
else:
    print("\n".join(network(sys.argv[1], "chance" in sys.argv[2:])))
