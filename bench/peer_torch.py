#!/usr/bin/python3
"""One workload of bench/compare as a PyTorch user writes it at its best: data preloaded as tensors,
no loader, two threads, warmed up. Prints seconds per training step, one line for each round asked
for on standard input, so that the caller can alternate it with netc's program."""
import sys
import time

import numpy
import torch
from torch import nn

WORKLOADS = {
    "mlp": dict(
        batch=100,
        net=lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 10)),
        optimizer=lambda p: torch.optim.Adam(p, lr=0.001, foreach=True),
    ),
    "convolution": dict(
        batch=64,
        net=lambda: nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2),
            nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2),
            nn.Conv2d(64, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.Dropout(0.3),
            nn.Flatten(), nn.Linear(1024, 520), nn.ReLU(), nn.Linear(520, 300), nn.ReLU(),
            nn.Linear(300, 250), nn.ReLU(), nn.Linear(250, 130), nn.ReLU(), nn.Linear(130, 60),
            nn.ReLU(), nn.Linear(60, 10)),
        optimizer=lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.9, eps=1e-7, foreach=True),
    ),
}


def read_idx(path, header):
    with open(path, "rb") as file:
        return numpy.frombuffer(file.read(), dtype=numpy.uint8, offset=header)


def main():
    name, folder, threads, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    work = WORKLOADS[name]
    x = torch.from_numpy(read_idx(folder + "/train-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
                         .astype(numpy.float32) / 255)
    y = torch.from_numpy(read_idx(folder + "/train-labels-idx1-ubyte", 8).astype(numpy.int64))
    net, batch = work["net"](), work["batch"]
    if len(sys.argv) > 5 and sys.argv[5] == "channels_last":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer, loss_of = work["optimizer"](net.parameters()), nn.CrossEntropyLoss()
    net.train()

    def run(count, order):
        for step in range(count):
            index = order[step * batch:(step + 1) * batch]
            optimizer.zero_grad(set_to_none=True)
            loss_of(net(x[index]), y[index]).backward()
            optimizer.step()

    run(20, torch.randperm(len(x)))
    for _ in sys.stdin:
        order = torch.randperm(len(x))
        start = time.perf_counter()
        run(steps, order)
        print((time.perf_counter() - start) / steps, flush=True)


main()
