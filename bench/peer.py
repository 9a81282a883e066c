"""What the peers share: the data, and the conversation with their starter, in sides.py.

A peer stays running, so that its rounds can alternate with others' and none pays for starting. It begins with the
workload of its first argument, and answers one line of JSON to each line it is given:
    (start)          {"clock": when its first training step had ended, by the clock that never runs backward}
    work JSON        {}, once a step of another workload has been done
    round SECONDS    {"seconds": of a training step, "steps": how many it took}
    accuracy         {"accuracy": on the test set, of a net trained anew for the workload's epochs}
    end              {"rss": most bytes of memory that it has had}
"""
import json
import os
import resource
import sys
import time

import numpy

from workloads import Workload

RANDOM = 10000  # pictures, where there is no data set


def read_idx(path, header):
    with open(path, "rb") as file:
        return numpy.frombuffer(file.read(), dtype=numpy.uint8, offset=header)


def load(work, folder, part):
    """Pictures as float32 [count][height][width][channels] in 0..1, and labels as int32."""
    if work.data != "mnist":
        random = numpy.random.default_rng(1)
        return (random.random((RANDOM, *work.shape), dtype=numpy.float32),
                random.integers(0, 10, RANDOM, dtype=numpy.int32))
    pictures = read_idx(f"{folder}/{part}-images-idx3-ubyte", 16).reshape(-1, *work.shape)
    return pictures.astype(numpy.float32) / 255, read_idx(f"{folder}/{part}-labels-idx1-ubyte", 8).astype(numpy.int32)


def timed(trainer, count):
    start = time.perf_counter()
    trainer.steps(count)
    return time.perf_counter() - start


def how_many(trainer, most, wanted):
    """Steps that last so many seconds. Some peers compile for each count, so each is run twice; what a call costs
    beside its steps (a tenth of a second in Keras' fit) is to be small in what is scaled."""
    count, seconds = 1, timed(trainer, 1)
    while seconds < wanted / 2 and count < most:
        count = min(most, 8 * count)
        trainer.steps(count)
        seconds = timed(trainer, count)
    found = max(1, min(most, int(count * wanted / seconds)))
    if found != count:
        trainer.steps(found)
    return found


def serve(make):
    """make(work, threads, variant, x, y) is a trainer with steps(count) and accuracy(x, y)."""
    threads, folder, variant = int(sys.argv[2]), sys.argv[3], sys.argv[4]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer

    def answer(**facts):
        print(json.dumps(facts), file=answers, flush=True)

    def begin(text):
        work = Workload(**json.loads(text))
        x, y = load(work, folder, "train")
        trainer = make(work, threads, variant, x, y)
        trainer.steps(1)
        return work, x, y, trainer

    work, x, y, trainer = begin(sys.argv[1])
    answer(clock=time.clock_gettime(time.CLOCK_MONOTONIC))
    count = None
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "work":
            trainer = None
            work, x, y, trainer = begin(rest)
            count = None
            answer()
        elif command == "round":
            count = count or how_many(trainer, len(x) // work.batch, float(rest))
            rounds, took = 1, timed(trainer, count)
            while took < float(rest) / 2:
                took += timed(trainer, count)
                rounds += 1
            answer(seconds=took / count / rounds, steps=count * rounds)
        elif command == "accuracy":
            trainer = make(work, threads, variant, x, y)
            for _ in range(work.epochs):
                trainer.steps(len(x) // work.batch)
            answer(accuracy=float(trainer.accuracy(*load(work, folder, "t10k"))))
        elif command == "end":
            answer(rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
            return
