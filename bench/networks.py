#!/usr/bin/env python3
"""Steps of whole networks of the usual kinds (bench/networks/*.net) beside PyTorch's: a Markdown table.

PyTorch's modules are made from the same files: eager, fused Adam, data preloaded, channels first and last, the quicker
of which counts; --compile adds torch.compile of the latter. Rounds alternate. A figure is the median of the rounds, a
ratio the median of the rounds' own ratios. It loads PyTorch: build/bench-venv/bin/python bench/networks.py.
"""
import argparse
import glob
import json
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

from layers import Function
from sides import FOLDER, run

sys.path[:0] = ["tests/parity", "tests/python"]
from reference import ACTIVATIONS, read, size  # the statements of a .net

EPSILON, BATCHES = 1e-3, 8


class Branches(nn.Module):
    def __init__(self, bodies, join):
        super().__init__()
        self.bodies, self.join = nn.ModuleList(bodies), join

    def forward(self, x):
        return self.join([body(x) for body in self.bodies])


class Normalised(nn.Module):
    """Each pixel's channels."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels, EPSILON)

    def forward(self, x):
        return self.norm(x.movedim(1, -1)).movedim(-1, 1)


def scaled(parts):
    """A picture times a number for each of its channels."""
    a, b = parts
    return a * b[:, :, None, None]


def joined(word, bodies, x):
    bodies = [network(body, x) for body in bodies]
    if word == "concat":
        return Branches(bodies, lambda parts: torch.cat(parts, 1))
    bodies = bodies if len(bodies) > 1 else [nn.Identity(), *bodies]
    return Branches(bodies, (lambda parts: parts[0] + parts[1]) if word == "residual" else scaled)


def module(word, values, named, bodies, x):
    """Of a statement whose input is like x."""
    channels, bias = x.shape[1], named.get("bias") != "off"
    if word in ("conv", "depthwise"):
        filters, kernel = (int(values[0]), size(values[1])) if word == "conv" else (channels, size(values[0]))
        padding = [k // 2 for k in kernel] if named.get("pad") == "same" else 0
        groups = channels if word == "depthwise" else int(named.get("groups", 1))
        return nn.Conv2d(channels, filters, kernel, size(named.get("stride", "1")), padding, groups=groups, bias=bias)
    if word == "conv_transpose":
        return nn.ConvTranspose2d(channels, int(values[0]), size(values[1]), size(named["stride"]), bias=bias)
    if word == "dense":
        flatten = [nn.Flatten()] if x.dim() > 2 else []
        return nn.Sequential(*flatten, nn.Linear(x[0].numel(), int(values[0]), bias=bias))
    if word == "batchnorm":
        return (nn.BatchNorm2d if x.dim() > 2 else nn.BatchNorm1d)(channels, EPSILON, 0.01)
    if word == "pool":
        window, stride = size(values[0]), size(named.get("stride", values[0]))
        return nn.MaxPool2d(window, stride, [w // 2 for w in window] if named.get("pad") == "same" else 0)
    if word in ACTIVATIONS:
        return Function(ACTIVATIONS[word])
    if word in ("residual", "concat", "multiply"):
        return joined(word, bodies, x)
    return {"layernorm": lambda: Normalised(channels),
            "groupnorm": lambda: nn.GroupNorm(int(values[0]), channels, EPSILON),
            "avgpool": lambda: nn.AvgPool2d(size(values[0])),
            "globalavgpool": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            "dropout": lambda: nn.Dropout(float(values[0].rstrip("%")) / 100),
            "flatten": nn.Flatten}[word]()


def network(layers, x):
    modules = []
    for word, values, named, activation, bodies in layers:
        modules.append(module(word, values, named, bodies, x))
        with torch.no_grad():
            x = modules[-1](x)
        if activation:
            modules.append(Function(ACTIVATIONS[activation]))
    return nn.Sequential(*modules)


def trainer(path, form, compiled):
    """A function that takes so many seconds of steps, and returns their median."""
    program = read(path)
    settings = {word: values for word, values, *_ in program}
    height, width, channels = (int(n) for n in settings["input"][0].split("x"))
    batch = int(settings["batch"][0])
    layers = [layer for layer in program if layer[0] not in ("data", "input", "loss", "optimizer", "batch")]
    layers[-1] = (*layers[-1][:3], None, [])  # its softmax is the loss's
    torch.manual_seed(1)
    x = torch.rand(BATCHES * batch, channels, height, width).contiguous(memory_format=form)
    y = torch.randint(0, 10, (len(x),))
    net = network(layers, x[:2]).to(memory_format=form).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, eps=1e-7, fused=True)

    def loss(x, y):
        return F.cross_entropy(net(x), y)

    loss = torch.compile(loss) if compiled else loss

    def step(part):
        rows = slice(part * batch, (part + 1) * batch)
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss(x[rows], y[rows]).backward()
        optimizer.step()
        return time.perf_counter() - start

    def steps(seconds):
        end, taken = time.perf_counter() + seconds, []
        while len(taken) < 2 or time.perf_counter() < end:
            taken.append(step(len(taken) % BATCHES))
        return statistics.median(taken)

    steps(0)  # warmed up
    return steps


def ours(program, threads, seconds):
    text, *_ = run([program, "bench", "--random", "--threads", str(threads), "--seconds", str(seconds), "--json"])
    return json.loads(text)["seconds"]


def compare(path, arguments):
    name = os.path.basename(path)[:-len(".net")]
    binary = f"{FOLDER}/network-{name}"
    _, building, _ = run(["build/netc", "build", path, "-o", binary])
    kinds = [(torch.contiguous_format, False), (torch.channels_last, False)]
    peers = [trainer(path, *kind) for kind in kinds + [(torch.channels_last, True)] * arguments.compile]
    found, theirs = [], []
    for _ in range(arguments.rounds):
        found.append(ours(binary, arguments.threads, arguments.seconds))
        theirs.append([peer(arguments.seconds) for peer in peers])
    best = min(range(len(peers)), key=lambda k: statistics.median(times[k] for times in theirs))
    ratio = statistics.median(times[best] / mine for times, mine in zip(theirs, found))
    peer = statistics.median(times[best] for times in theirs)
    print(f"| {name} | {building:.1f} s | {statistics.median(found) * 1e3:.1f} | {peer * 1e3:.1f} | {ratio:.2f} |",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only these files of bench/networks")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--seconds", type=float, default=1, help="of a round of one side (default: 1)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    os.makedirs(FOLDER, exist_ok=True)
    print(f"| network | netc build | netc, ms a step | PyTorch {torch.__version__.split('+')[0]} | ratio |")
    print("|---|---|---|---|---|")
    for path in sorted(glob.glob("bench/networks/*.net")):
        if not arguments.names or os.path.basename(path)[:-len(".net")] in arguments.names:
            compare(path, arguments)


if __name__ == "__main__":
    main()
