#!/usr/bin/env python3
"""Layers one by one beside PyTorch's, in one thread: a Markdown table of the microseconds of each forward pass and its
gradients, for a batch of 32 pictures of 28x28.

In netc a layer stands behind a convolution of 1x1 that makes its channels, and its time is that of its own functions.
PyTorch's is alone, eager, with channels first and last: the quicker counts. Rounds alternate. A figure is the least of
the rounds', each of which has PyTorch's median and our mean. Layers whose arithmetic runs in another one's loop (most
activations, dropout) have no function to be timed. It loads PyTorch: build/bench-venv/bin/python bench/layers.py.
"""
import argparse
import json
import os
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

from sides import FOLDER, run

BATCH, SIZE = 32, 28


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.forward = function


def conv(channels, filters, kernel, **options):
    return lambda: nn.Conv2d(channels, filters, kernel, bias=False, **options)


def transposed(filters, kernel, stride):
    return lambda: nn.ConvTranspose2d(32, filters, kernel, stride, bias=False)


LAYERS = [  # channels that it reads, its statement, PyTorch's module
    (32, "conv 64 3x3 pad same bias off", conv(32, 64, 3, padding=1)),
    (32, "conv 64 3x3 stride 2 pad same bias off", conv(32, 64, 3, stride=2, padding=1)),
    (64, "conv 128 1x1 bias off", conv(64, 128, 1)),
    (16, "conv 32 5x5 bias off", conv(16, 32, 5)),
    (3, "conv 32 3x3 pad same bias off", conv(3, 32, 3, padding=1)),
    (32, "conv 3 3x3 pad same bias off", conv(32, 3, 3, padding=1)),
    (32, "conv 32 3x3 dilation 2 bias off", conv(32, 32, 3, dilation=2)),
    (64, "conv 64 3x3 groups 2 stride 2 pad same bias off", conv(64, 64, 3, groups=2, stride=2, padding=1)),
    (64, "conv 64 3x3 groups 4 pad same bias off", conv(64, 64, 3, groups=4, padding=1)),
    (64, "conv 64 3x3 groups 8 pad same bias off", conv(64, 64, 3, groups=8, padding=1)),
    (64, "conv 64 3x3 groups 16 pad same bias off", conv(64, 64, 3, groups=16, padding=1)),
    (128, "conv 128 1x1 groups 8 bias off", conv(128, 128, 1, groups=8)),
    (32, "depthwise 3x3 pad same bias off", conv(32, 32, 3, groups=32, padding=1)),
    (32, "depthwise 3x3 stride 2 pad same bias off", conv(32, 32, 3, groups=32, stride=2, padding=1)),
    (32, "depthwise 3x3 multiplier 2 pad same bias off", conv(32, 64, 3, groups=32, padding=1)),
    (32, "conv_transpose 32 2x2 stride 2 bias off", transposed(32, 2, 2)),
    (32, "conv_transpose 32 3x3 bias off", transposed(32, 3, 1)),
    (32, "conv_transpose 16 4x4 stride 2 bias off", transposed(16, 4, 2)),
    (32, "pool 2", lambda: nn.MaxPool2d(2)),
    (32, "pool 3 stride 2", lambda: nn.MaxPool2d(3, 2)),
    (32, "pool 3 stride 2 pad same", lambda: nn.MaxPool2d(3, 2, 1)),
    (32, "avgpool 2", lambda: nn.AvgPool2d(2)),
    (32, "avgpool 3 stride 1", lambda: nn.AvgPool2d(3, 1)),
    (32, "avgpool 3 stride 1 pad same", lambda: nn.AvgPool2d(3, 1, 1)),
    (32, "globalpool", lambda: nn.AdaptiveMaxPool2d(1)),
    (32, "globalavgpool", lambda: nn.AdaptiveAvgPool2d(1)),
    (32, "zeropad 2", lambda: nn.ZeroPad2d(2)),
    (32, "upsample 2", lambda: nn.Upsample(scale_factor=2)),
    (32, "upsample 2 interpolation bilinear", lambda: nn.Upsample(scale_factor=2, mode="bilinear")),
    (32, "batchnorm", lambda: nn.BatchNorm2d(32)),
    (32, "layernorm", lambda: Function(lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (32,)))),
    (32, "groupnorm 4", lambda: nn.GroupNorm(4, 32)),
    (32, "softmax", lambda: nn.Softmax(1)),
]


def build(channels, statement, name):
    """The program, and the name of the layer in it."""
    path = f"{FOLDER}/layer-{name}"
    with open(f"{path}.net", "w") as file:
        file.write(f"data mnist\ninput {SIZE}x{SIZE}x1\nconv {channels} 1x1 bias off\n{statement} as layer\n"
                   f"flatten\ndense 10 softmax\nloss cross_entropy\noptimizer sgd lr 0.01\nbatch {BATCH}\n")
    run(["build/netc", "build", f"{path}.net", "-o", path])
    return path


def ours(program, seconds):
    """Seconds of the layer's forward pass and of its gradients."""
    text, *_ = run([program, "bench", "--data", "data/mnist", "--threads", "1", "--seconds", str(seconds), "--json"])
    return [sum(row["seconds"] for row in json.loads(text)["layers"]
                if row["layer"] == "layer" and row["phase"] == phase) for phase in ("forward", "backward")]


def side(module, channels, form):
    """A function that takes PyTorch's two times of one pass."""
    module = module().to(memory_format=form)
    x = torch.randn(BATCH, channels, SIZE, SIZE).contiguous(memory_format=form).requires_grad_()
    dy = torch.randn_like(module(x))

    def once():
        start = time.perf_counter()
        y = module(x)
        between = time.perf_counter()
        y.backward(dy)
        return between - start, time.perf_counter() - between

    return once


def theirs(once, seconds):
    passes, end = [once()], time.perf_counter() + seconds
    while time.perf_counter() < end:
        passes.append(once())
    return [statistics.median(times) for times in zip(*passes)]


def compare(channels, statement, module, arguments):
    program = build(channels, statement, str(os.getpid()))
    sides = [side(module, channels, form) for form in (torch.contiguous_format, torch.channels_last)]
    found, peer = [], []
    for _ in range(arguments.rounds):
        found.append(ours(program, arguments.seconds))
        peer += [theirs(once, arguments.seconds) for once in sides]
    (forward, backward), (peer_forward, peer_backward) = map(min, zip(*found)), map(min, zip(*peer))
    print(f"| `{statement}`, {channels} channels | {forward * 1e6:.0f} | {peer_forward * 1e6:.0f} | "
          f"{peer_forward / forward:.2f} | {backward * 1e6:.0f} | {peer_backward * 1e6:.0f} | "
          f"{peer_backward / backward:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only layers whose statement has one of these words")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--seconds", type=float, default=0.5, help="of a round of one side (default: 0.5)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(FOLDER, exist_ok=True)
    print(f"| layer | netc forward | PyTorch {torch.__version__.split('+')[0]} | ratio | netc gradients | PyTorch | ratio |")
    print("|---|---|---|---|---|---|---|")
    for channels, statement, module in LAYERS:
        if not arguments.words or set(arguments.words) & set(statement.split()):
            compare(channels, statement, module, arguments)


if __name__ == "__main__":
    main()
