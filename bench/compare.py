#!/usr/bin/python3
"""Whole training steps of netc's programs beside those of the frameworks; writes docs/benchmarks.md and its pictures.

All peers of a row stay running and take turns with our program, so that a machine whose speed drifts harms them alike.
Each figure is the median of the rounds with its least and most; a ratio is taken within each round.
usage: bench/compare.py [--quick] [--rows 50,300,...] [--rounds 7] [--seconds 1] [--threads 2] [--data data/mnist]
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

import report
from workloads import WORKLOADS, net_text

PYTHON = "build/bench-venv/bin/python"
PEERS = {  # name: program, variant
    "Keras": ("peer_keras.py", "plain"),
    "Keras jit": ("peer_keras.py", "jit"),
    "PyTorch": ("peer_torch.py", "eager"),
    "torch.compile": ("peer_torch.py", "compile"),
    "JAX scan": ("peer_jax.py", "scan"),
}


class Peer:
    """A framework's process; dead where it could not do the row."""

    def __init__(self, name, row, arguments):
        program, variant = PEERS[name]
        self.name, self.rounds, self.error = name, [], open(f"build/bench/{name.replace(' ', '-')}.log", "w")
        started = time.clock_gettime(time.CLOCK_MONOTONIC)
        self.process = subprocess.Popen(
            [PYTHON, f"bench/{program}", row, str(arguments.threads), os.path.abspath(arguments.data), variant],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.error, text=True)
        self.start = self.read()
        self.start = self.start and self.start["clock"] - started

    def read(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def ask(self, question):
        if not self.start:
            return None
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        answer = self.read()
        if answer is None:
            self.start = None
        return answer

    def end(self):
        answer = self.ask("end")
        self.process.stdin.close()
        self.process.wait()
        return answer and answer["rss"]


def run(command):
    """Standard output, seconds and the most memory of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"compare: error: {' '.join(command)} ended with status {status}")
    return output, time.perf_counter() - start, usage.ru_maxrss * 1024


class Ours:
    def __init__(self, row, arguments):
        self.work, self.arguments, self.rounds, self.peaks = WORKLOADS[row], arguments, [], []
        net, self.binary, c = f"build/bench/{row}.net", f"build/bench/{row}", f"build/bench/{row}.c"
        with open(net, "w") as file:
            file.write(net_text(self.work))
        self.emit = run(["build/netc", "emit", net, "-o", c])[1]
        self.build = run(["build/netc", "build", net, "-o", self.binary])[1]
        self.data = ["--data", arguments.data] if self.work.data == "mnist" else ["--random"]
        started = time.clock_gettime(time.CLOCK_MONOTONIC)
        first = json.loads(run([self.binary, "bench", "--json", "--steps", "1", *self.data])[0])
        self.start = first["first_step_ended"] - started

    def round(self, seconds):
        self.found = json.loads(run([self.binary, "bench", "--json", "--threads", str(self.arguments.threads),
                                     "--seconds", str(seconds), *self.data])[0])
        self.rounds.append(self.found["seconds_mean"])
        self.peaks.append(self.found["peak"])

    def accuracy(self, epochs):
        lines, _, self.rss = run([self.binary, "train", "--json", "--epochs", str(epochs), "--threads",
                                  str(self.arguments.threads), "--out", self.binary + ".run", *self.data])
        return json.loads(lines.splitlines()[-1])["test_accuracy"]


def measure(row, arguments):
    work = WORKLOADS[row]
    print(f"{work.title}", file=sys.stderr)
    ours = Ours(row, arguments)
    peers = [Peer(name, row, arguments) for name in PEERS]
    for peer in peers:
        peer.ask(f"round {arguments.seconds}")  # the first one finds out how many steps, and warms up
    for _ in range(arguments.rounds):
        ours.round(arguments.seconds)
        for peer in peers:
            answer = peer.ask(f"round {arguments.seconds}")
            if answer:
                peer.rounds.append(answer["seconds"])
    result = {"row": row, "title": work.title, "batch": work.batch, "goal": work.goal, "goal_ratio": work.ratio,
              "peak": max(ours.peaks), "products": ours.found["products_per_second"] * ours.found["seconds"],
              "bytes": sum(layer["bytes"] for layer in ours.found["layers"]), "memory": ours.found["memory"],
              "epochs": work.epochs, "emit_seconds": ours.emit, "build_seconds": ours.build, "sides": {}}
    real = work.data == "mnist"
    result["sides"]["netc"] = {"seconds": ours.rounds, "start": ours.start,
                               "accuracy": ours.accuracy(work.epochs) if real else None,
                               "rss": ours.rss if real else None}
    for peer in peers:
        answer = peer.ask(f"accuracy {work.epochs}") if real and not arguments.quick else None
        start, rss = peer.start, peer.end()
        if peer.rounds:
            result["sides"][peer.name] = {"seconds": peer.rounds, "start": start, "rss": rss,
                                          "accuracy": answer and answer["accuracy"]}
    return result


def versions():
    code = ("import importlib.metadata as m; "
            "print(*(f'{p} {m.version(p)}' for p in ('keras', 'tensorflow-cpu', 'torch', 'jax')), sep=', ')")
    return subprocess.run([PYTHON, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one row, without the peers' accuracy")
    parser.add_argument("--rows", help=", ".join(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1, help="of a round of one side")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", default="data/mnist")
    arguments = parser.parse_args()
    rows = arguments.rows.split(",") if arguments.rows else list(WORKLOADS)
    if arguments.quick:
        rows, arguments.rounds, arguments.seconds = rows[:1], 3, 0.5
    unknown = [row for row in rows if row not in WORKLOADS]
    if unknown:
        parser.error(f"unknown row '{unknown[0]}'; the rows are {', '.join(WORKLOADS)}")
    os.makedirs("build/bench", exist_ok=True)
    with open("/proc/cpuinfo") as file:
        cpu = re.search(r"model name\s*: (.*)", file.read())
    results = {"versions": versions(), "threads": arguments.threads, "rounds": arguments.rounds,
               "seconds": arguments.seconds, "cpu": cpu[1] if cpu else "", "rows": []}
    for row in rows:
        results["rows"].append(measure(row, arguments))
        with open("build/bench/results.json", "w") as file:
            json.dump(results, file, indent=1)
    text = report.table(results)
    print(text)
    if not arguments.quick and not arguments.rows:
        report.write(results, "docs")


main()
