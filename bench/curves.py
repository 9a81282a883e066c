"""How the time of a step, and of compiling, grows with the width, the batch and the depth of a network."""
import json
import sys

from sides import Netc, Peer
from workloads import CURVES

SIDES = ("JAX scan", "PyTorch", "Keras loop")  # the fastest of each framework
ROUNDS, SECONDS = 3, 0.2


def measure_point(name, value, work, peers, arguments):
    ours = Netc(f"{name}-{value}", work, arguments.data, emits=5)
    seconds = {"netc": [], **{peer.name: [] for peer in peers}}
    for peer in peers:
        if peer.ask("work " + json.dumps(work._asdict())) is not None:
            peer.round(SECONDS)  # warms up
    for _ in range(ROUNDS):
        found, _ = ours.bench(arguments.threads if work.batch > 1 else 1, SECONDS)  # as it decides by itself
        seconds["netc"].append(found["seconds_mean"])
        for peer in peers:
            answer = peer.round(SECONDS)
            if answer:
                seconds[peer.name].append(answer)
    return {"value": value, "seconds": {side: rounds for side, rounds in seconds.items() if rounds},
            **ours.compile_times}


def measure_curves(arguments):
    """{curve: {"axis": what its numbers are, "points": [...]}}. The peers' processes are the same at all points."""
    first = next(iter(CURVES["width"][1].values()))
    peers = [Peer(side, first, arguments.threads, arguments.data) for side in SIDES]
    curves = {}
    for name, (axis, works) in CURVES.items():
        points = []
        for value, work in works.items():
            print(f"{name} {value}", file=sys.stderr)
            points.append(measure_point(name, value, work, peers, arguments))
        curves[name] = {"axis": axis, "rounds": ROUNDS, "round_seconds": SECONDS, "points": points}
    for peer in peers:
        peer.end()
    return curves
