"""The two kinds of sides: a program that netc built, and a framework's process."""
import json
import os
import statistics
import subprocess
import sys
import time

from workloads import net_text

PYTHON = "build/bench-venv/bin/python"
FOLDER = "build/bench"
PEERS = {  # name: program, variant
    "Keras": ("peer_keras.py", "plain"),
    "Keras jit": ("peer_keras.py", "jit"),
    "Keras loop": ("peer_keras.py", "loop"),
    "PyTorch": ("peer_torch.py", "eager"),
    "torch.compile": ("peer_torch.py", "compile"),
    "JAX scan": ("peer_jax.py", "scan"),
    "JAX step": ("peer_jax.py", "step"),
}


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def run(command):
    """Standard output, seconds and the most bytes of memory of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        sys.exit(f"{errors}compare: error: {' '.join(command)} ended with status {status}")
    return output, time.perf_counter() - start, usage.ru_maxrss * 1024


class Peer:
    """A framework's process; `alive` until it could not do what was asked."""

    def __init__(self, name, work, threads, data):
        program, variant = PEERS[name]
        self.name, self.rounds, self.rss = name, [], None
        self.errors = open(f"{FOLDER}/{name.replace(' ', '-')}.log", "w")
        environment = dict(os.environ)
        environment.pop("OPENBLAS_CORETYPE", None)  # each peer's libraries choose for themselves
        started = now()
        self.process = subprocess.Popen(
            [PYTHON, f"bench/{program}", json.dumps(work._asdict()), str(threads), os.path.abspath(data), variant],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env=environment)
        self.alive = True
        answer = self.read()
        self.start = answer and answer["clock"] - started

    def read(self):
        line = self.process.stdout.readline()
        self.alive = bool(line)
        return json.loads(line) if line else None

    def ask(self, question):
        """Its answer; None if it has died, now or before."""
        if not self.alive:
            return None
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.read()

    def round(self, seconds):
        answer = self.ask(f"round {seconds}")
        return answer and answer["seconds"]

    def end(self):
        answer = self.ask("end")
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()
        self.rss = answer and answer["rss"]


def compile_times(net, binary, emits, builds, options=()):
    """Seconds of `netc emit`, and of `netc build` without them, which are gcc's: each the median."""
    emit = statistics.median(run(["build/netc", "emit", net, *options, "-o", binary + ".c"])[1] for _ in range(emits))
    build = statistics.median(run(["build/netc", "build", net, *options, "-o", binary])[1] for _ in range(builds))
    return {"emit": emit, "gcc": build - emit}


class Netc:
    """A workload's program, built."""

    def __init__(self, name, work, data, emits=1, builds=1, options=()):
        self.work, self.net, self.binary = work, f"{FOLDER}/{name}.net", f"{FOLDER}/{name}"
        with open(self.net, "w") as file:
            file.write(net_text(work))
        self.compile_times = compile_times(self.net, self.binary, emits, builds, options)
        self.data = ["--data", data] if work.data == "mnist" else ["--random"]

    def start(self):
        """Seconds to the end of the first step: the median of three."""
        def once():
            started = now()
            found = json.loads(run([self.binary, "bench", "--json", "--steps", "1", *self.data])[0])
            return found["first_step_ended"] - started
        return statistics.median(once() for _ in range(3))

    def bench(self, threads, seconds, *options):
        """What its command bench found, and the most memory that it had."""
        output, _, rss = run([self.binary, "bench", "--json", "--threads", str(threads), "--seconds", str(seconds),
                              *options, *self.data])
        return json.loads(output), rss

    def train(self, threads, seed):
        """Accuracy on the test set, and the most memory."""
        lines, _, rss = run([self.binary, "train", "--json", "--threads", str(threads), "--seed", str(seed),
                             "--out", self.binary + ".run", *self.data])
        return json.loads(lines.splitlines()[-1])["test_accuracy"], rss
