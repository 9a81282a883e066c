"""Networks drawn at random, of everything that tests/parity/reference.py knows.

networks.py SEED [chance]         a .net that compiles; the same seed, the same net. With `chance`
                                  it also has layers and settings that draw random numbers, which
                                  PyTorch would draw otherwise
networks.py data FOLDER [COUNT]   pictures of random bytes. Those of MNIST have a background of one
                                  value, whose pixels come to lie within a rounding of each other
                                  where `pool` chooses among them

A net has 28x28x1 for its input, as the sample of MNIST and the arrays of `data` have it.
"""
import os
import random
import sys

import numpy as np

import files

BUDGET = 2e8  # multiply-adds of all pictures of all steps, forward
COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 20, 24, 31, 32, 33)
SMOOTH = ("elu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh", "softplus", "softsign")
BROKEN = ("relu", "relu6", "leaky_relu", "hard_sigmoid", "hard_silu")
SHAPES = ((28, 28, 1), (14, 14, 4), (7, 7, 16), (14, 28, 2), (49, 16, 1), (28, 7, 4), (4, 14, 14),
          (1, 28, 28), (28, 1, 28), (2, 8, 49), (16, 7, 7), (98, 2, 4))


def after(length, kernel, stride, same):
    return -(-length // stride) if same else (length - kernel) // stride + 1


def product(shape):
    result = 1
    for n in shape:
        result *= n
    return result


def braces(lines):
    return "{ " + "; ".join(lines) + " }" if lines else "{ }"


class Drawn:
    """Statements and the shape behind them: (height, width, channels), or (width,)."""

    def __init__(self, seed, chance):
        self.draw = random.Random(seed)
        self.chance = chance
        self.shape = (28, 28, 1)
        self.width = None  # of the last dense; layers of one size share functions
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
        if self.likely(0.05):
            text += " max_norm 0.8"
        if self.likely(0.1):
            text += " init " + self.draw.choice(("he", "he_uniform", "lecun", "glorot_normal"))
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
                return f"groupnorm {groups}" + self.draw.choice(("", "", " eps 0.01"))
        if self.likely(0.4) and channels > 2:
            return "layernorm" + self.draw.choice(("", "", " eps 0.1"))
        return "batchnorm" + self.draw.choice(("", "", " momentum 0.8", " eps 0.1"))

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
        if not width and self.width and self.likely(0.3):
            width = self.width
        width = self.width = width or self.draw.choice(COUNTS + (50, 61, 64, 64, 70, 100, 128))
        self.work += product(self.shape) * width
        self.shape = (width,)
        return f"dense {width}{self.activation()}{self.weighted()}"

    # --- structure

    def bodies(self, count, depth, way=None):
        """Bodies that all read what is there now, and the shapes behind them. They keep rows and
        columns, but for a first statement that `way` may draw."""
        before, result = self.shape, []
        for _ in range(count):
            self.shape = before
            lines = [way()] if way else []
            lines += [self.keeping(depth) for _ in range(self.draw.choice((1, 1, 2, 3)))]
            result.append((lines, self.shape))
        return result

    def halving(self):
        """A statement that takes half of the rows and columns, whatever its window."""
        self.shape = (-(-self.shape[0] // 2), -(-self.shape[1] // 2), self.shape[2])
        kernel = f"{self.reach(5)}x{self.reach(5)}"
        if self.likely(0.3):
            return self.draw.choice(("pool ", "avgpool ")) + kernel + " stride 2 pad same"
        filters = self.draw.choice(COUNTS)
        self.work += product(self.shape) * 25 * filters
        self.shape = (*self.shape[:2], filters)
        return f"conv {filters} {kernel}{self.activation()} stride 2 pad same{self.weighted()}"

    def keeping(self, depth):
        if depth < 3 and self.likely(0.25):
            return self.draw.choice((self.concat, self.residual, self.multiply, self.repeat))(
                depth + 1, True)
        if self.chance and self.likely(0.1):
            return self.lost()
        if len(self.shape) == 1:
            return self.draw.choice((self.dense, self.dense, self.norm, self.alone))()
        ways = [lambda: self.conv(keep=True)] * 3 + [
            lambda: self.depthwise(keep=True), lambda: self.pool(keep=True), self.norm, self.alone]
        return self.draw.choice(ways)()

    def back_to(self, shape):
        """A statement that brings what has the rows and columns of a shape to its last number."""
        return self.conv(True, shape[2]) if len(shape) == 3 else self.dense(shape[0])

    def concat(self, depth=0, keep=False):
        before = self.shape
        flat = len(before) == 3 and not keep and product(before) < 2000 and self.likely(0.2)
        way = self.halving if len(before) == 3 and not keep and self.likely(0.3) else None
        drawn = self.bodies(self.draw.choice((2, 2, 3)), depth, way)
        if flat:  # rows of values, of pictures too
            for i, (lines, shape) in enumerate(drawn):
                self.shape = shape
                lines.append(self.draw.choice((self.dense, self.whole_row))())
                drawn[i] = lines, self.shape
        elif not way and self.likely(0.2):
            drawn.insert(self.draw.randrange(3), ([], before))
        self.shape = (*drawn[0][1][:-1], sum(shape[-1] for _, shape in drawn))
        return "concat " + " ".join(braces(lines) for lines, _ in drawn)

    def residual(self, depth=0, keep=False):
        before = self.shape
        way = self.halving if len(before) == 3 and not keep and self.likely(0.3) else None
        if not way and self.likely(0.5):
            (lines, shape), = self.bodies(1, depth)
            lines.append(self.back_to(before))
            self.shape = before
            return f"residual {braces(lines)}" + self.draw.choice(("", "", " { }"))
        (lines, shape), (others, _) = self.bodies(2, depth, way)
        others.append(self.back_to(shape))
        self.shape = shape
        return f"residual {braces(lines)} {braces(others)}"

    def multiply(self, depth=0, _=True):
        """One of two bodies may end in a number for each channel, or for each pixel."""
        before = self.shape
        kind = self.draw.choice(("each", "channels", "pixels")) if len(before) == 3 else "each"
        if kind == "each" and self.likely(0.4):
            (lines, _), = self.bodies(1, depth)
            lines += [self.back_to(before), "sigmoid"]
            self.shape = before
            return f"multiply {braces(lines)}" + self.draw.choice(("", " { }"))
        (lines, shape), (others, _) = self.bodies(2, depth)
        if kind == "channels":
            if product(self.shape) > 300 or self.likely(0.5):
                others.append("globalavgpool")
                self.shape = self.shape[2:]
            others.append(self.dense(shape[2]))
        else:
            others.append(self.conv(True, 1) if kind == "pixels" else self.back_to(shape))
        self.shape = shape
        drawn = [lines, others + ["sigmoid"]]
        self.draw.shuffle(drawn)
        return "multiply " + " ".join(braces(lines) for lines in drawn)

    def repeat(self, depth=0, _=True):
        before, work = self.shape, self.work
        (lines, self.shape), = self.bodies(1, depth)
        lines.append(self.back_to(before))
        self.shape = before
        rounds = self.draw.choice((1, 2, 2, 3))
        self.work = work + (self.work - work) * rounds
        return f"repeat {rounds} {braces(lines)}"

    def layer(self):
        if len(self.shape) == 1:
            ways = [self.dense] * 4 + [
                self.norm, self.alone, self.concat, self.residual, self.multiply, self.repeat,
                self.lost, self.unfold]
        else:
            ways = [self.conv] * 4 + [
                self.depthwise, self.conv_transpose, self.pool, self.pool, self.border,
                self.upsample, self.norm, self.norm, self.alone, self.concat, self.residual,
                self.multiply, self.repeat, self.lost, self.whole]
        return self.draw.choice(ways)()

    def whole(self):
        """A picture becomes a row."""
        if product(self.shape[:2]) > 60:
            return None
        word = self.draw.choice(("flatten", "globalavgpool", "globalpool"))
        self.shape = (product(self.shape),) if word == "flatten" else self.shape[2:]
        return word

    def whole_row(self):
        self.shape = (product(self.shape),)
        return "flatten"

    def unfold(self):
        """A row becomes a picture."""
        width = self.shape[0]
        height = self.draw.choice([n for n in (1, 2, 3, 4, 5) if width % n == 0])
        width //= height
        channels = self.draw.choice([n for n in (1, 1, 2, 3, 5, 16) if width % n == 0])
        self.shape = (height, width // channels, channels)
        return f"reshape {height}x{width // channels}x{channels}"

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
        """The last layers, the loss, and the data: MNIST's or those of write_arrays()."""
        form = self.draw.choice(("classes",) * 6 + ("two", "numbers", "numbers", "picture"))
        losses = ["binary_cross_entropy", "binary_cross_entropy smoothing 0.2", "mse", "mae",
                  "huber", "huber delta 0.3", "poisson"]
        if form == "classes":
            losses += ["cross_entropy"] * 5 + ["cross_entropy smoothing 0.1", "categorical_hinge"]
        if form in ("classes", "two"):
            losses += ["hinge"]
        loss = self.draw.choice(losses)
        last = {"cr": " softmax", "bi": " sigmoid", "po": " softplus"}.get(loss[:2], "")
        if form == "classes" and self.likely(0.2):
            loss += " class_weights [1 2 3 0.5 1 1 0 1 1 0.1]"
        self.work += product(self.shape) * 49
        if form == "picture":
            lines = [f"dense 49{self.activation()}", "reshape 7x7x1",
                     f"conv_transpose 1 4x5{last} stride 4 pad same{self.weighted()}"]
        else:
            lines = [f"dense {1 if form == 'two' else 10}{last}{self.weighted()}"]
        answers = {"two": 'labels "two.npy"', "numbers": 'targets "y.npy"',
                   "picture": 'targets "x.npy"'}.get(form)
        if answers:
            lines.append(f'data npy "x.npy" {answers}')
            lines.append('test "x.npy" ' + answers.split()[1])
        return lines + [f"loss {loss}"]

    def optimizer(self, lines):
        # a gradient that is 0 but for rounding must not count as one: hence the large eps
        kinds = ["sgd lr 0.001", "sgd lr 0.001 momentum 0.9",
                 "sgd lr 0.001 momentum 0.8 nesterov on", "adam lr 0.002 eps 0.01",
                 "adam lr 0.002 eps 0.01 amsgrad on", "adamw lr 0.002 eps 0.01",
                 "nadam lr 0.002 eps 0.01", "rmsprop lr 0.001 eps 0.01",
                 "rmsprop lr 0.001 eps 0.01 centered on momentum 0.5", "adagrad lr 0.01 eps 0.01",
                 "adadelta lr 0.1"]
        # lion's steps tell no rounding from a gradient, and slopes of 1 and -1 add up to it
        if not any(word in line for line in lines for word in ("norm", "softmax", "mae", "hinge")):
            kinds.append("lion lr 0.0005")
        return self.draw.choice(kinds) + self.draw.choice(
            ("", "", "", "", " weight_decay 0.1", " weight_decay 0.1 decays weights"))

    def training(self, lines):
        # the variance of two numbers may be nearly 0, and every rounding is large beside it
        least = 5 if any("batchnorm" in line for line in lines) else 1
        result = ["optimizer " + self.optimizer(lines)]
        if self.likely(0.15):
            result.append(self.draw.choice(("clip norm 0.5", "clip value 0.01")))
        if self.likely(0.15):
            result.append("ema 0.9")
        if self.likely(0.1):
            result.append("scale 0.7" if "data npy" in str(lines) else "scale 0.01")
        pictures = min(1500, int(BUDGET / (self.work + 1)))
        batches = [n for n in (1, 2, 3, 5, 8, 16, 25, 31, 32, 33, 50, 64, 65, 100, 129, 200, 300)
                   if n * 4 <= pictures and n >= least]
        batches += [n for n in (513, 700) if n * 2 <= pictures]  # worked on in chunks
        result.append(f"batch {self.draw.choice(batches)}")
        if self.chance:
            result += self.by_chance(lines)
        return result

    def by_chance(self, lines):
        """What PyTorch would draw otherwise, or what has no part in a step by itself."""
        result = []
        if self.likely(0.5) and "data npy" not in str(lines):
            result.append("augment shift 2 px rotate 10 deg noise 0.1")
        if self.likely(0.3):
            result.append("standardize")
        schedules = ["step every 2 steps factor 0.5", "step at [1 epochs 2 epochs] factor 0.3",
                     "exponential every 3 steps factor 0.9 warmup 1 epochs", "cosine over 5 steps",
                     "cosine restart 2 steps m_mul 0.9", "polynomial over 2 epochs power 2",
                     "constant warmup 4 steps"]
        if self.likely(0.4):
            result.append("validation 11 samples")
            watch = "loss" if " targets " in str(lines) else "accuracy"
            schedules.append(f"plateau patience 1 epochs watch {watch} warmup 1 epochs")
            if self.likely(0.5):
                result.append("patience 1 epochs")
        if self.likely(0.6):
            result.append("schedule " + self.draw.choice(schedules))
        return result


def network(seed, chance):
    drawn = Drawn(seed, chance)
    lines = drawn.layers(drawn.draw.choice((2, 3, 4, 5, 6, 8))) + drawn.end()
    return ["input 28x28x1", *lines, *drawn.training(lines)]


def write_data(folder, examples=1500):
    """The files of MNIST, and arrays of as many examples with each kind of answers. No pixel is 0:
    where a bias has no part in what follows, it is all that relu reads there, and only rounding."""
    os.mkdir(folder)
    draw, examples = np.random.default_rng(1), int(examples)
    for part, count in (("train", examples), ("t10k", 300)):
        files.write_data_set(folder, part, draw.integers(1, 256, (count, 28, 28)),
                             draw.integers(10, size=count))
    np.save(f"{folder}/x.npy", draw.random((examples, 28, 28, 1), np.float32))
    np.save(f"{folder}/y.npy", draw.random((examples, 10), np.float32))
    np.save(f"{folder}/two.npy", draw.integers(2, size=examples).astype(np.uint8))


if __name__ == "__main__":
    if sys.argv[1] == "data":
        write_data(*sys.argv[2:])
    else:
        print("\n".join(network(sys.argv[1], "chance" in sys.argv[2:])))
