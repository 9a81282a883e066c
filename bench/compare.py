#!/usr/bin/python3
"""Whole training steps of netc's programs beside those of the frameworks; writes docs/benchmarks.md and its pictures.

All peers of a row stay running and take turns with our program, so that a machine whose speed drifts harms them alike.
Each figure is the median of the rounds with its least and most; a ratio is taken within each round.
What is measured goes to docs/benchmarks.json, row by row, each with the commit that it is of. Without --only and --rows
that is begun anew; with one of them its other parts stay as they are, and the report is of the old and the new.
"""
import argparse
import glob
import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys
import time

import report
from curves import measure_curves
from figures import duration
from sides import FOLDER, PEERS, Netc, Peer, compile_times, run
from workloads import WORKLOADS

PATIENCE = 30  # seconds of a side's training, beyond which its accuracy isn't asked for


def take_turns(ours, direct, peers, arguments):
    """Our rounds: what bench found with all threads, the seconds of a step with one, what it found where all products
    are taken, and the most memory. `direct` is our program with direct convolutions; None: ours is that."""
    found, single, whole, memory = [], [], [], []
    for peer in peers:
        peer.round(arguments.seconds)  # the first one finds out how many steps, and warms up
    for index in range(arguments.rounds):
        several, rss = ours.bench(arguments.threads, arguments.seconds)
        found.append(several)
        memory.append(rss)
        single.append(ours.bench(1, arguments.seconds)[0]["seconds_mean"])
        if direct or several["leaves_out_zeros"]:
            whole.append((direct or ours).bench(arguments.threads, arguments.seconds, "--all-terms")[0])
        for peer in peers:
            if index >= 3 and statistics.median(peer.rounds or [0]) > 3 * arguments.seconds:
                continue  # a step of so long varies little
            seconds = peer.round(arguments.seconds)
            if seconds:
                peer.rounds.append(seconds)
    return found, single, whole, max(memory)


def with_direct_convolutions(row, work, arguments):
    """Our program with them; None where it is the same."""
    if "winograd_" not in run(["build/netc", "emit", f"{FOLDER}/{row}.net"])[0]:
        return None
    return Netc(row + "-direct", work, arguments.data, options=("--conv", "direct"))


def accuracy(peer, work, quick):
    """Its accuracy, or why it has none."""
    if quick:
        return {"accuracy": None, "why": "not asked for"}
    steps = work.epochs * (60000 // work.batch)
    seconds = steps * statistics.median(peer.rounds)
    if seconds > PATIENCE:
        return {"accuracy": None, "why": f"would take {seconds:.0f} s"}
    answer = peer.ask("accuracy")
    return answer or {"accuracy": None, "why": "failed"}


def measure_row(row, arguments):
    work = WORKLOADS[row]
    began = time.monotonic()
    print(work.title, file=sys.stderr)
    ours = Netc(row, work, arguments.data)
    direct = with_direct_convolutions(row, work, arguments)
    start = ours.start()
    peers = [Peer(name, work, arguments.threads, arguments.data)
             for name in PEERS if name not in work.without]
    found, single, whole, memory = take_turns(ours, direct, peers, arguments)
    # one picture leaves nothing to share out: there our program takes one thread by itself
    threads = arguments.threads if work.batch > 1 else 1
    last, all_taken = found[-1], (whole or found)[-1]
    netc = [each["seconds_mean"] for each in found] if threads > 1 else single
    sides = {"netc": {"seconds": netc, "one_thread": single,
                      "all_terms": [each["seconds_mean"] for each in whole], "start": start, "rss": memory,
                      "accuracy": None}}
    if work.data == "mnist":
        accuracies, memory = zip(*(ours.train(arguments.threads, seed) for seed in (1, 2, 3)))
        sides["netc"].update(accuracy=statistics.median(accuracies), accuracies=accuracies, rss=max(memory))
    for peer in peers:
        facts = accuracy(peer, work, arguments.quick) if peer.rounds and work.data == "mnist" else {"accuracy": None}
        peer.end()
        if peer.rounds:
            sides[peer.name] = {"seconds": peer.rounds, "start": peer.start, "rss": peer.rss, **facts}
        taken = duration(statistics.median(peer.rounds)) if peer.rounds else "none"
        print(f"    {peer.name}: {taken}", file=sys.stderr)
    print(f"    netc: {duration(statistics.median(netc))}; the row took {time.monotonic() - began:.0f} s",
          file=sys.stderr)
    return {"row": row, "title": work.title, "batch": work.batch, "goal": work.goal, "goal_ratio": work.ratio,
            "goal_scan_ratio": work.scan_ratio, "data": work.data, "epochs": work.epochs,
            "threads": threads, "rounds": arguments.rounds, "round_seconds": arguments.seconds,
            "peak": max(each["peak"] for each in found), "memory": last["memory"],
            "products": all_taken["products_per_second"] * all_taken["seconds"],
            "bytes": sum(layer["bytes"] for layer in last["layers"]), "sides": sides}


def measure_models():
    """netc's and gcc's time for every network of models/."""
    models = []
    for net in sorted(glob.glob("models/*.net") + glob.glob("models/lab/*.net")):
        print(net, file=sys.stderr)
        models.append({"model": net, **compile_times(net, f"{FOLDER}/model", emits=9, builds=3)})
    return models


def machine():
    def version(package):
        try:
            return f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            return None
    sys.path[:0] = glob.glob("build/bench-venv/lib/python*/site-packages")
    found = filter(None, map(version, ("keras", "tensorflow-cpu", "torch", "jax")))
    with open("/proc/cpuinfo") as file:
        cpu = re.search(r"model name\s*: (.*)", file.read())
    return {"versions": ", ".join(found), "cpu": cpu[1] if cpu else ""}


def commit():
    """Of what is measured; the report that grows in docs/ is no change of it."""
    def git(*words):
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    name = git("rev-parse", "--short", "HEAD").stdout.strip() or "unknown"
    changed = git("diff", "--quiet", "HEAD", "--", ".", ":!docs").returncode
    return f"{name} and changes" if changed else name


def save(results, path):
    with open(path + ".new", "w") as file:
        json.dump(results, file, indent=1)
    os.replace(path + ".new", path)


def measure(rows, parts, results, arguments):
    """Replaces those rows and parts of the results, and saves them after each."""
    here, commits = machine(), results.setdefault("commits", {})
    if results.get("cpu", here["cpu"]) != here["cpu"]:
        sys.exit(f"compare: error: '{arguments.results}' is of '{results['cpu']}', and this is '{here['cpu']}': "
                 "measure all anew, or give another --docs")
    results.update(here)
    for row in rows if "rows" in parts else ():
        measured = {old["row"]: old for old in results.get("rows", [])}
        measured[row] = measure_row(row, arguments)
        results["rows"] = [measured[name] for name in WORKLOADS if name in measured]
        commits[row] = commit()
        save(results, arguments.results)
    for part, measure_part in {"models": measure_models, "curves": lambda: measure_curves(arguments)}.items():
        if part in parts:
            results[part] = measure_part()
            commits[part] = commit()
            save(results, arguments.results)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="the first row without the peers' accuracies; prints the report and keeps nothing")
    parser.add_argument("--rows", help="only these, with commas between: " + ", ".join(WORKLOADS))
    parser.add_argument("--only", choices=("rows", "models", "curves"), help="only this part of the report")
    parser.add_argument("--report", action="store_true", help="measure nothing, write the report of earlier results")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--seconds", type=float, default=1, help="of a round of one side (default: 1)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", default="data/mnist", help="folder of MNIST")
    parser.add_argument("--results", help="file of what was measured (default: benchmarks.json in --docs)")
    parser.add_argument("--docs", default="docs", help="folder of the report (default: docs)")
    arguments = parser.parse_args()
    arguments.results = arguments.results or os.path.join(arguments.docs, "benchmarks.json")
    rows = arguments.rows.split(",") if arguments.rows else list(WORKLOADS)
    for row in rows:
        if row not in WORKLOADS:
            parser.error(f"unknown row '{row}'; the rows are {', '.join(WORKLOADS)}")
    if arguments.rows and arguments.only not in (None, "rows"):
        parser.error(f"--rows contradicts --only {arguments.only}")
    parts = ["rows"] if arguments.rows else [arguments.only] if arguments.only else ["rows", "models", "curves"]
    return arguments, rows, parts


def main():
    arguments, rows, parts = parse()
    os.makedirs(FOLDER, exist_ok=True)
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.results = 3, 0.5, f"{FOLDER}/quick.json"
        results = {}
        measure(rows[:1], ["rows"], results, arguments)
        print(report.text(results))
        return
    results, written = {}, os.path.join(arguments.docs, "benchmarks.md")
    if arguments.report or arguments.rows or arguments.only:
        if os.path.exists(arguments.results):
            with open(arguments.results) as file:
                results = json.load(file)
        elif os.path.exists(written):
            sys.exit(f"compare: error: no '{arguments.results}', without which '{written}' would lose its other parts: "
                     "measure all, or give another --docs")
    os.makedirs(arguments.docs, exist_ok=True)
    if not arguments.report:
        measure(rows, parts, results, arguments)
    if not results.get("rows"):
        if arguments.report:
            sys.exit(f"compare: error: no rows in '{arguments.results}': run bench/compare.py without --report")
        print(f"compare: kept in '{arguments.results}'; a report needs rows, too: --only rows", file=sys.stderr)
        return
    report.write(results, arguments.docs)


main()
