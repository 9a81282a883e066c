"""What the peers share: the data, and the conversation with compare.py.

A peer stays running, so that its rounds can alternate with others' and none pays for starting. It answers one line of
JSON to each line it is given:
    (start)          {"clock": when its first training step had ended, by the clock that never runs backward}
    round SECONDS    {"seconds": of a training step, "steps": how many it took}
    accuracy EPOCHS  {"accuracy": on the test set, of a net trained anew}
    end              {"rss": most bytes of memory that it has had}
"""
import json
import os
import resource
import sys
import time

import numpy

from workloads import WORKLOADS

EXAMPLES = 20000  # of random pictures, where there is no data set


def read_idx(path, header):
    with open(path, "rb") as file:
        return numpy.frombuffer(file.read(), dtype=numpy.uint8, offset=header)


def load(work, folder, part):
    """Pictures as float32 [count][height][width][channels] in 0..1, and labels as int32."""
    if work.data != "mnist":
        random = numpy.random.default_rng(1)
        return (random.random((EXAMPLES, *work.shape), dtype=numpy.float32),
                random.integers(0, 10, EXAMPLES, dtype=numpy.int32))
    pictures = read_idx(f"{folder}/{part}-images-idx3-ubyte", 16).reshape(-1, *work.shape)
    return pictures.astype(numpy.float32) / 255, read_idx(f"{folder}/{part}-labels-idx1-ubyte", 8).astype(numpy.int32)


def serve(make):
    """make(work, threads, variant, x, y) is a trainer with steps(count), restart() and accuracy(x, y)."""
    name, threads, folder, variant = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer

    def answer(**facts):
        print(json.dumps(facts), file=answers, flush=True)

    work = WORKLOADS[name]
    x, y = load(work, folder, "train")
    trainer = make(work, threads, variant, x, y)
    trainer.steps(1)
    answer(clock=time.clock_gettime(time.CLOCK_MONOTONIC))
    count, seconds = 1, 0.0

    def timed(steps):
        start = time.perf_counter()
        trainer.steps(steps)
        return time.perf_counter() - start

    most = len(x) // work.batch
    for line in sys.stdin:
        command, *words = line.split()
        if command == "round":
            wanted = float(words[0])
            if count == 1:  # how many steps last so long; some peers compile for each count, so each is run twice
                count = min(2, most)
                while (timed(count), seconds := timed(count))[1] < wanted / 8 and count < most:
                    count = min(most, 8 * count)
                count = max(1, min(most, int(count * wanted / seconds)))
                timed(count)
            rounds = 1
            took = timed(count)
            while took < wanted / 2:
                took += timed(count)
                rounds += 1
            answer(seconds=took / count / rounds, steps=count * rounds)
        elif command == "accuracy":
            trainer.restart()
            for _ in range(int(words[0])):
                trainer.steps(most)
            answer(accuracy=float(trainer.accuracy(*load(work, folder, "t10k"))))
        elif command == "end":
            answer(rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
            return
