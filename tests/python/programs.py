"""Whether what programs of one network made fits together.

programs.py compare A B BOUND     says where weights differ by more than that
programs.py rounding FILE         the BOUND of a step in float beside one in double
programs.py recount EVAL PREDICT  says where what both print as JSON differs
"""
import json
import re
import sys

import numpy as np

import files


def compare(left, right, bound):
    """Weights agree, relatively to the largest of a tensor, or to 0.01 where all are nearly 0."""
    (a, _), (b, _) = files.safetensors(left), files.safetensors(right)
    if a.keys() != b.keys():
        print(f"expected the tensors {list(a)}, found {list(b)}")
        return
    for name, x in a.items():
        error = np.abs(x.astype(np.float64) - b[name]).max() / max(np.abs(x).max(), 0.01)
        if not error <= float(bound):
            print(f"{name}: expected differences of at most {bound}, found {error:.2g}")


def rounding(path):
    """How far float may be from double: a sum of n terms is off by sqrt(n) roundings, the longest
    go over the pixels of a batch, and what one statement is off by goes through all others."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    batch = int(re.search(r"^batch (\d+)", text, re.MULTILINE)[1])
    print(2.0 ** -24 * (batch * 784) ** 0.5 * len(re.findall("[;\n]", text)))


def recount(evaluated, predicted):
    """What `eval` counts is what `predict` answers for each example of the test."""
    with open(evaluated, encoding="utf-8") as file:
        found = json.load(file)
    with open(predicted, encoding="utf-8") as file:
        answers = json.load(file)
    if "hits" in found:
        hits = sum(answer["label"] == answer["class"] for answer in answers)
        if (hits, len(answers)) != (found["hits"], found["pictures"]):
            print(f"expected {hits} hits of {len(answers)}, found {found}")
    else:
        errors = np.array([answer["outputs"] for answer in answers]) - np.array(
            [answer["targets"] for answer in answers])
        if abs((errors ** 2).mean() - found["mse"]) > 1e-5 * found["mse"]:
            print(f"expected mse {(errors ** 2).mean()}, found {found}")


{"compare": compare, "rounding": rounding, "recount": recount}[sys.argv[1]](*sys.argv[2:])
