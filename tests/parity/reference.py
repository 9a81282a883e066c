"""The same training in PyTorch: reference.py NET DATA BEFORE LOSSES AFTER OUTPUTS BOUND [adam|few]

Reads the layers and the optimizer from the .net itself, starts from the weights in BEFORE, takes
the same batches, and compares the losses of all steps, the weights and running statistics AFTER,
and the outputs of inference. Prints what differs by more than BOUND, relatively, and nothing else.

PyTorch computes in double, for a net in float too: so a difference is netc's own.

`adam` asks for torch.optim.Adam, for a net whose eps is too small to count; `few` are steps in
which nothing need be learned.

reference.py --serve does so for each line of its input, PLACE NET DATA ... with tabs between, in a
process of its own: to load PyTorch takes longer than a comparison. What is printed goes to
PLACE.found, and then 0, or 1 for an exception, into the pipe PLACE.status.
"""
import contextlib
import math
import os
import re
import signal
import sys
import traceback

import numpy as np
import torch
import torch.nn.functional as F

import files
import optimizers

REAL = torch.float64


def hard_sigmoid(x):
    """PyTorch's own takes 1/6 in float for its gradient."""
    return torch.clamp(x / 6 + 0.5, 0, 1)


ACTIVATIONS = {"relu": torch.relu, "elu": F.elu, "selu": F.selu, "gelu": F.gelu, "silu": F.silu,
               "sigmoid": torch.sigmoid, "hard_sigmoid": hard_sigmoid, "tanh": torch.tanh,
               "softplus": F.softplus, "softsign": F.softsign,
               "relu6": F.relu6, "hard_silu": F.hardswish, "mish": F.mish,
               "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
               "softmax": lambda x: torch.softmax(x, 1)}  # dimension 1 holds the channels


def size(text):
    """(3, 2) of "3x2" and (3, 3) of "3"."""
    parts = [int(part) for part in text.split("x")]
    return tuple(parts * 2 if len(parts) == 1 else parts)


OPTIONS = set("""
    stride pad groups dilation multiplier l2 bias slope alpha top bottom left right interpolation
    lr momentum nesterov rho eps beta1 beta2 smoothing delta l1 max_norm weight_decay decays centered
    amsgrad initial labels targets init
""".split())


def statement(words, bodies):
    """(word, positional values, named values, activation or None, bodies)."""
    values, named, activation = [], {}, None
    rest = iter(words[1:])
    for word in rest:
        if word in ACTIVATIONS:
            activation = word
        elif word in OPTIONS:
            named[word] = next(rest)
        elif word == "class_weights":
            named[word] = []
            while not word.endswith("]"):
                word = next(rest)
                named["class_weights"].append(float(word.strip("[]")))
        else:
            values.append(word)
    return words[0], values, named, activation, bodies


def statements(tokens):
    """The statements up to the end of the body; repeats are written out."""
    result, words, bodies = [], [], []
    for token in tokens:
        if token == "{":
            bodies.append(statements(tokens))
        elif token in ("}", ";", "\n"):
            if words and words[0] == "repeat":
                result += bodies[0] * int(words[1])
            elif words:
                result.append(statement(words, bodies))
            words, bodies = [], []
            if token == "}":
                break
        else:
            words.append(token)
    return result


def read(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read()) + "\n"
    return statements(iter(re.findall(r"[{};\n]|[^\s{};]+", text)))


def pad_same(x, kernel, stride, dilation=(1, 1), value=0):
    """Keras' padding: what is odd goes to the bottom and to the right."""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    total = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(x.shape[2:], reach, stride)]
    before = [t // 2 for t in total]
    return F.pad(x, (before[1], total[1] - before[1], before[0], total[0] - before[0]), value=value)


def pool_same(word, x, window, stride):
    """Keras': what lies outside is no candidate for the largest, and no part of the mean."""
    if word == "pool":
        return F.max_pool2d(pad_same(x, window, stride, value=-math.inf), window, stride)
    inside = F.avg_pool2d(pad_same(torch.ones_like(x), window, stride), window, stride)
    return F.avg_pool2d(pad_same(x, window, stride), window, stride) / inside


def conv_transpose(x, w, stride, pad):
    """Of Keras' size: as many rows as the stride says, and what overlaps where nothing is cut."""
    y = F.conv_transpose2d(x, w.permute(3, 2, 0, 1), None, stride)
    edges = []
    for n, k, s, have in zip(x.shape[2:], w.shape[:2], stride, y.shape[2:]):
        before = max(k - s, 0) // 2 if pad == "same" else 0
        want = n * s + (0 if pad == "same" else max(k - s, 0))
        edges = [-before, want + before - have] + edges
    return F.pad(y, edges)


def times(a, b):
    """The product, of pictures and rows of one number for each channel too."""
    if a.dim() < b.dim():
        a, b = b, a
    return a * (b[:, :, None, None] if a.dim() > b.dim() else b)


class Network:
    """x is kept as [pictures, channels, height, width], or [pictures, width] behind a dense."""

    def __init__(self, path, tensors):
        self.training, self.counts = {}, {}
        program = read(path)
        training = ("loss", "optimizer", "batch", "data", "input", "clip", "ema", "scale", "test")
        for word, values, named, _, _ in program:
            if word in training:
                self.training[word] = (values, named)
        self.layers = self.named(layer for layer in program if layer[0] not in training)
        self.tensors = {name: torch.tensor(array, dtype=REAL) for name, array in tensors.items()}
        self.trained = [name for name in tensors
                        if re.fullmatch(r"[a-z_]+\d+_(w|b|gamma|beta)", name)]
        for name in self.trained:
            self.tensors[name].requires_grad_(True)

    def named(self, layers):
        """Each with its name in front, those of its bodies too: its word and an ordinal."""
        result = []
        for word, values, named, activation, bodies in layers:
            self.counts[word] = self.counts.get(word, 0) + 1
            name = f"{word}{self.counts[word]}"
            result.append((name, word, values, named, activation,
                           [self.named(body) for body in bodies]))
        return result

    def options(self, layers):
        """(name, named values) of each layer, those of bodies too."""
        for name, _, _, named, _, bodies in layers:
            yield name, named
            for body in bodies:
                yield from self.options(body)

    @staticmethod
    def flat(x):
        """In netc's order: height, width, channels."""
        return x.permute(0, 2, 3, 1).flatten(1) if x.dim() > 2 else x

    def normalise_within(self, name, x, groups, eps):
        """Each example by itself: a pixel's channels, or a group of channels over all pixels."""
        gamma, beta = self.tensors[f"{name}_gamma"], self.tensors[f"{name}_beta"]
        if groups:
            return F.group_norm(x, groups, gamma, beta, eps)
        return F.layer_norm(x.movedim(1, -1), gamma.shape, gamma, beta, eps).movedim(-1, 1)

    def normalise(self, name, x, momentum, eps, training):
        """Batch normalisation; both variances are of N numbers."""
        t = self.tensors
        dims = [d for d in range(x.dim()) if d != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        mean, variance = t[f"{name}_mean"], t[f"{name}_variance"]
        if training:
            batch_mean = x.mean(dims)
            batch_variance = x.var(dims, unbiased=False)
            for kept, now in (("mean", batch_mean), ("variance", batch_variance)):
                kept = f"{name}_{kept}"
                t[kept] = momentum * t[kept] + (1 - momentum) * now.detach()
            mean, variance = batch_mean, batch_variance
        x = (x - mean.view(shape)) / torch.sqrt(variance.view(shape) + eps)
        return x * t[f"{name}_gamma"].view(shape) + t[f"{name}_beta"].view(shape)

    def forward(self, x, training):
        """(the last layer before its softmax or its sigmoid, the penalty)."""
        return self.apply(self.layers, x, training)

    def apply(self, layers, x, training):
        penalty = 0
        for name, word, values, named, activation, bodies in layers:
            w, b = self.tensors.get(f"{name}_w"), self.tensors.get(f"{name}_b")
            stride = size(named.get("stride", "1"))
            eps = float(named.get("eps", 0.001))
            if word in ("conv", "depthwise"):
                dilation = size(named.get("dilation", "1"))
                if named.get("pad") == "same":
                    x = pad_same(x, w.shape[:2], stride, dilation)
                if word == "conv":
                    filters, groups = w.permute(3, 2, 0, 1), int(named.get("groups", 1))
                else:
                    filters, groups = w.permute(2, 3, 0, 1).flatten(0, 1)[:, None], w.shape[2]
                x = F.conv2d(x, filters.contiguous(), b, stride, 0, dilation, groups)
            elif word == "conv_transpose":
                x = conv_transpose(x, w, stride, named.get("pad"))
                x = x if b is None else x + b[:, None, None]
            elif word == "dense":
                x = self.flat(x)
                x = x @ w if b is None else x @ w + b
            elif word == "batchnorm":
                x = self.normalise(name, x, float(named.get("momentum", 0.99)), eps, training)
            elif word in ("layernorm", "groupnorm"):
                groups = int(values[0]) if values else 0
                x = self.normalise_within(name, x, groups, eps)
            elif word in ("pool", "avgpool"):
                pool = F.max_pool2d if word == "pool" else F.avg_pool2d
                window, stride = size(values[0]), size(named.get("stride", values[0]))
                if named.get("pad") == "same":
                    x = pool_same(word, x, window, stride)
                else:
                    x = pool(x, window, stride)
            elif word == "flatten":
                x = self.flat(x)
            elif word in ("residual", "multiply", "concat"):
                branches, penalties = zip(*(self.apply(body, x, training) for body in bodies))
                penalty = penalty + sum(penalties)
                if word == "concat":
                    x = torch.cat(branches, 1)
                else:
                    first, second = (x, *branches)[-2:]
                    x = first + second if word == "residual" else times(first, second)
            elif word == "reshape":
                height, width, channels = (int(n) for n in values[0].split("x"))
                x = self.flat(x).reshape(len(x), height, width, channels).permute(0, 3, 1, 2)
            elif word in ("zeropad", "crop"):
                (rows, columns), sign = size(values[0]), 1 if word == "zeropad" else -1
                more = [int(named.get(side, 0)) for side in ("left", "right", "top", "bottom")]
                edges = [columns, columns, rows, rows]
                x = F.pad(x, [sign * (a + b) for a, b in zip(edges, more)])
            elif word == "upsample":
                mode = named.get("interpolation", "nearest")
                x = F.interpolate(x, scale_factor=size(values[0]), mode=mode)
            elif word == "globalpool":
                x = x.amax((2, 3))
            elif word == "globalavgpool":
                x = x.mean((2, 3))
            elif word == "leaky_relu":
                x = F.leaky_relu(x, float(named.get("slope", 0.2)))
            elif word == "elu":
                x = F.elu(x, float(named.get("alpha", 1)))
            elif word in ACTIVATIONS:
                x = ACTIVATIONS[word](x)
            else:
                raise ValueError(f"no statement {word}")
            if "l1" in named:
                penalty = penalty + float(named["l1"]) * w.abs().sum()
            if "l2" in named:
                penalty = penalty + float(named["l2"]) * (w * w).sum()
            last = name == self.layers[-1][0]
            kept = last and self.training["loss"][0][0] in ("cross_entropy", "binary_cross_entropy")
            if activation and not kept:
                x = ACTIVATIONS[activation](x)
        return x, penalty

    def loss(self, x, answers):
        """PyTorch's losses where it has them, otherwise Keras 3's formulas; as in Keras, weights of
        classes do not change what the mean divides by. Answers are labels or numbers to learn."""
        (kind,), named = self.training["loss"]
        smoothing = float(named.get("smoothing", 0))
        x = self.flat(x)
        if answers.dim() > 1:
            target = answers
        else:
            target = F.one_hot(answers, x.shape[1]) if x.shape[1] > 1 else answers[:, None]
            target = target.to(x.dtype)
        sign = 2 * target - 1
        rival = (x * (1 - target)).max(1).values
        losses = {
            "cross_entropy": lambda: F.cross_entropy(
                x, answers, label_smoothing=smoothing, reduction="none"),
            "binary_cross_entropy": lambda: F.binary_cross_entropy_with_logits(
                x, target * (1 - smoothing) + smoothing / 2, reduction="none"),
            "mse": lambda: F.mse_loss(x, target, reduction="none"),
            "mae": lambda: F.l1_loss(x, target, reduction="none"),
            "huber": lambda: F.huber_loss(
                x, target, delta=float(named.get("delta", 1)), reduction="none"),
            "hinge": lambda: torch.clamp(1 - sign * x, min=0),
            "categorical_hinge": lambda: torch.clamp(1 + rival - (x * target).sum(1), min=0),
            "poisson": lambda: F.poisson_nll_loss(
                x, target, log_input=False, eps=1e-7, reduction="none"),
        }[kind]()
        if losses.dim() > 1:
            losses = losses.mean(1)
        if "class_weights" in named:
            losses = losses * torch.tensor(named["class_weights"], dtype=REAL)[answers]
        return losses.mean()

    def examples(self, folder, part):
        """Inputs, and labels or numbers to learn; the arrays of `npy` are for all parts."""
        names, named = self.training.get("data", (["mnist"], {}))
        if names[0] == "npy":
            paths = [names[1], named.get("labels") or named["targets"]]
            x, answers = (np.load(folder + "/" + path.strip('"')) for path in paths)
            scale = 1
        else:
            x, answers = files.data_set(folder, part)
            x, scale = x[..., None], 1 / 255
        scale = float(self.training.get("scale", ([scale],))[0][0])
        x = torch.tensor(x, dtype=REAL).permute(0, 3, 1, 2) * scale
        if "targets" in named:
            return x, torch.tensor(answers, dtype=REAL).flatten(1)
        return x, torch.tensor(answers, dtype=torch.int64)

    def outputs(self, x):
        kind = self.training["loss"][0][0]
        x = self.flat(self.forward(x, False)[0])
        last = {"cross_entropy": lambda: torch.softmax(x, 1),
                "binary_cross_entropy": lambda: torch.sigmoid(x)}
        return last.get(kind, lambda: x)()


def make_optimizer(network, use_torch_adam):
    limits = {network.trained.index(f"{name}_w"): float(named["max_norm"])
              for name, named in network.options(network.layers) if "max_norm" in named}
    return optimizers.Optimizer([network.tensors[name] for name in network.trained],
                                network.training, limits, use_torch_adam)


def report(what, bound, expected, found):
    """Compares, relatively to the largest expected number, or to 0.01 where all are nearly 0."""
    expected, found = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    if expected.shape != found.shape:
        print(f"{what}: expected shape {expected.shape}, found {found.shape}")
        return
    error = np.nan_to_num(np.abs(expected - found) / max(np.abs(expected).max(), 0.01), nan=np.inf)
    if not error.max() <= bound:
        place = np.unravel_index(np.argmax(error), error.shape)
        print(f"{what}{list(place)}: expected {expected[place]:.12g}, found {found[place]:.12g}, "
              f"relative error {error.max():.2g} above {bound:g}")


def compare(net, data, before, losses, after, outputs, bound, how=None):
    bound, use_torch_adam = float(bound), how == "adam"
    first, _ = files.safetensors(before)
    last, _ = files.safetensors(after)
    double = next(iter(first.values())).dtype == np.float64
    network = Network(net, first)
    optimizer = make_optimizer(network, use_torch_adam)
    batch = int(network.training["batch"][0][0])

    x, answers = network.examples(data, "train")
    least = min(3, len(x) // batch) if how == "few" else 50
    found, taken = np.loadtxt(losses, ndmin=2).T
    steps = len(found)
    if steps < least or taken.sum() > len(x) or any(taken[:-1] != batch):
        print(f"losses: expected at least {least}, of {batch} pictures each, found {taken}")
    expected = []
    for step in range(len(found)):
        rows = slice(step * batch, step * batch + int(taken[step]))
        optimizer.zero_grad()
        result, penalty = network.forward(x[rows], True)
        loss = network.loss(result, answers[rows]) + penalty
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    expected = np.array(expected)
    least_loss = np.finfo(np.float64).tiny  # of examples whose class has no weight it is 0
    errors = np.nan_to_num(np.abs(found - expected) / np.maximum(np.abs(expected), least_loss),
                           nan=np.inf)
    if not errors.max() <= bound:
        step = int(np.argmax(errors))
        print(f"loss of step {step + 1}: expected {expected[step]:.12g}, found {found[step]:.12g}, "
              f"relative error {errors[step]:.2g} above {bound:g}")
    if how != "few" and not expected[-steps // 5:].mean() < 0.9 * expected[:steps // 10].mean():
        print(f"PyTorch learns nothing here: {expected[:steps // 10]} to {expected[-steps // 5:]}")

    # Rounding in float adds up in the weights: each step moves them a little off.
    for name, tensor in network.tensors.items():
        if name in network.trained or name.endswith(("_mean", "_variance")):
            report(name, bound if double else 10 * bound, tensor.detach().numpy(), last[name])

    for name, average in zip(network.trained, optimizer.averages):
        if f"{name}_trained" in last: # where the average lies while a step has the weights
            report(f"average of {name}", bound if double else 10 * bound, average.numpy(),
                   last[f"{name}_trained"])

    # Inference from the weights that netc ended with: the forward pass alone is compared.
    network = Network(net, last)
    x, _ = network.examples(data, "t10k")
    wanted = network.outputs(x[:batch]).detach().numpy()
    there = np.fromfile(outputs, np.float64 if double else np.float32).reshape(wanted.shape)
    report("output", 1e-12 if double else 1e-5, wanted, there)


def answer(place, *arguments):
    status = 0
    with open(f"{place}.found", "w") as out, contextlib.redirect_stdout(out):
        try:
            compare(*arguments)
        except Exception:
            status = 1
            traceback.print_exc(file=out)
    with open(f"{place}.status", "w") as out:
        print(status, file=out)


def serve():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a process
    for line in sys.stdin:
        if os.fork() == 0:
            answer(*line.rstrip("\n").split("\t"))
            os._exit(0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        compare(*sys.argv[1:])
