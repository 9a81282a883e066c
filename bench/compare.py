#!/usr/bin/python3
"""Time of a training step, netc's program beside PyTorch of the same machine.

The two alternate (ours, theirs, ours, theirs), each figure is the median of the rounds with its
spread, and the ratio is taken within each round, so that a machine whose speed drifts harms both.
usage: bench/compare.py [--rounds 7] [--threads 2] [--data data/mnist] [--out docs/benchmarks.md]
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

WORKLOADS = [
    # name of the peer's workload, model, what it is
    ("mlp", "models/mlp.net", "784-300-10, batch 100, adam"),
    ("convolution", "models/lab/convolution.net",
     "conv 32-64-64, batchnorm, dense 520..60, batch 64, rmsprop"),
]


class Peer:
    """PyTorch, kept running and warm; one line to it is one round."""

    def __init__(self, arguments, name):
        steps = "300" if name == "mlp" else "60"
        environment = dict(os.environ)
        with open("/proc/cpuinfo") as cpu:
            if "avx512dq" in cpu.read():  # where OpenBLAS does not know the processor, it is slower
                environment.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "bench/peer_torch.py", name, arguments.data,
             str(arguments.threads), steps], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def round(self):
        self.process.stdin.write("round\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def our_round(binary, folder, arguments):
    lines = subprocess.run(
        [binary, "train", "--json", "--epochs", "1", "--threads", str(arguments.threads), "--data",
         os.path.abspath(arguments.data), "--out", folder + "/run"],
        check=True, capture_output=True, text=True).stdout.splitlines()
    epoch = json.loads(lines[0])
    info = json.loads(subprocess.run([binary, "info", "--json"], check=True, capture_output=True,
                                     text=True).stdout)
    steps = -(-60000 // info["batch"])
    return epoch["seconds"] / steps


def spread(values):
    return f"{statistics.median(values):.3g} ({min(values):.3g}-{max(values):.3g})"


def measure(name, model, about, arguments, folder):
    binary = f"{folder}/{name}"
    subprocess.run(["build/netc", "build", model, "-o", binary], check=True,
                   stderr=subprocess.DEVNULL)
    peer = Peer(arguments, name)
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        ours.append(1000 * our_round(binary, folder, arguments))
        theirs.append(1000 * peer.round())
    peer.close()
    ratios = [b / a for a, b in zip(ours, theirs)]
    return {"workload": about, "model": model, "ours_ms": ours, "torch_ms": theirs,
            "row": f"| {about} | {spread(ours)} | {spread(theirs)} | {spread(ratios)} |"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", default="data/mnist")
    parser.add_argument("--out", default="docs/benchmarks.md")
    arguments = parser.parse_args()
    version = subprocess.run(["/usr/bin/python3", "-c", "import torch; print(torch.__version__)"],
                             check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(*workload, arguments, folder) for workload in WORKLOADS]
    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/compare.json", "w") as file:
        json.dump(rows, file, indent=1)
    text = f"""# Benchmarks

Written by `make bench`: whole training steps (gathering the batch, forward, backward, update), fp32,
{arguments.threads} threads, {arguments.rounds} alternating rounds, each an epoch of ours and tens to hundreds
of steps of theirs. Milliseconds for a step: median (least-most). The ratio is taken round by
round. The peer is PyTorch {version}: data preloaded as tensors, no loader, `foreach` optimizer,
warmed up, its OpenBLAS told to use AVX-512 where there is (bench/peer_torch.py).

| workload | netc, ms | PyTorch, ms | PyTorch / netc |
|---|---|---|---|
""" + "\n".join(row["row"] for row in rows) + "\n"
    with open(arguments.out, "w") as file:
        file.write(text)
    print(text)


main()
