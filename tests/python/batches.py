"""What batches must add up to, worked out in NumPy.

batches.py cut FROM TO TRAIN TEST        a smaller data set: the first pictures of both parts
batches.py epochs BEFORE AFTER DATA BATCH RATE ORDER... HISTORY
    plain gradient descent of `dense 20 tanh, dense 10 softmax` in double, through whole epochs of
    the given orders: the weights AFTER, and loss and accuracy in HISTORY (run.json)
batches.py evaluate WEIGHTS DATA EVAL RUN
    the same net's test set, from the weights: EVAL (eval --json) and RUN (run.json) must agree
"""
import json
import sys

import numpy as np

import files


def forward(t, x):
    hidden = np.tanh(x @ t["dense1_w"] + t["dense1_b"])
    z = hidden @ t["dense2_w"] + t["dense2_b"]
    z = z - z.max(1, keepdims=True)
    p = np.exp(z)
    return hidden, p / p.sum(1, keepdims=True)


def double(path):
    return {name: array.astype(np.float64) for name, array in files.safetensors(path)[0].items()}


def pictures(folder, part):
    x, labels = files.data_set(folder, part)
    return x.reshape(len(x), -1) / 255.0, labels


def near(what, expected, found, bound):
    error = np.abs(np.asarray(expected) - np.asarray(found)).max()
    if not error <= bound:
        print(f"{what}: expected {expected}, found {found}: they differ by {error:.2g}")


def cut(source, target, *counts):
    for part, count in zip(("train", "t10k"), counts):
        x, labels = files.data_set(source, part)
        files.write_data_set(target, part, x[: int(count)], labels[: int(count)])


def epochs(before, after, data, batch, rate, *rest):
    *orders, history = rest
    batch, rate = int(batch), float(rate)
    t, wanted = double(before), double(after)
    x, labels = pictures(data, "train")
    with open(history, encoding="utf-8") as file:
        run = json.load(file)
    if len(run["history"]) != len(orders):
        print(f"history: expected {len(orders)} epochs, found {len(run['history'])}")
    steps = 0
    for path, record in zip(orders, run["history"]):
        order = np.loadtxt(path, dtype=np.int64, ndmin=1)
        if sorted(order) != list(range(len(x))):
            print(f"{path}: no picture may be there twice, and none be missing")
        loss = hits = 0
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]  # the last of them may be fewer
            hidden, p = forward(t, x[rows])
            loss -= np.log(p[np.arange(len(rows)), labels[rows]]).sum()
            hits += (p.argmax(1) == labels[rows]).sum()
            dz = (p - np.eye(10)[labels[rows]]) / len(rows)
            dh = dz @ t["dense2_w"].T * (1 - hidden**2)
            t["dense2_w"] -= rate * hidden.T @ dz
            t["dense2_b"] -= rate * dz.sum(0)
            t["dense1_w"] -= rate * x[rows].T @ dh
            t["dense1_b"] -= rate * dh.sum(0)
            steps += 1
        near(f"loss of {path}", loss / len(x), record["loss"], 1e-9)
        if round(record["accuracy"] * len(x), 6) != hits:
            print(f"hits of {path}: expected {hits}, found {record['accuracy'] * len(x)}")
    if run["steps"] != steps:
        print(f"steps: expected {steps}, found {run['steps']}")
    if run["configuration"]["training_pictures"] != len(x):
        print(f"pictures: expected {len(x)}, found {run['configuration']['training_pictures']}")
    for name in t:
        error = np.abs(t[name] - wanted[name]).max()
        if not error <= 1e-9:
            print(f"{name}: differs by {error:.2g} from plain gradient descent")


def evaluate(weights, data, evaluation, run):
    x, labels = pictures(data, "t10k")
    _, p = forward(double(weights), x)
    guess = p.argmax(1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, guess), 1)
    with open(evaluation, encoding="utf-8") as file:
        found = json.load(file)
    with open(run, encoding="utf-8") as file:
        test = json.load(file)["test"]
    loss = -np.log(p[np.arange(len(x)), labels]).mean()
    for what, there in (("eval", found), ("run.json", test)):
        if there["confusion"] != confusion.tolist():
            print(f"{what}: expected confusion {confusion.tolist()}, found {there['confusion']}")
        if np.sum(there["confusion"]) != len(x) or there["pictures"] != len(x):
            print(f"{what}: expected {len(x)} pictures, found {there['pictures']}, "
                  f"{np.sum(there['confusion'])} in the confusion matrix")
        near(f"{what}: accuracy", (guess == labels).mean(), there["accuracy"], 0)
        near(f"{what}: loss", loss, there["loss"], 1e-9)
    if found["hits"] != (guess == labels).sum():
        print(f"eval: expected {(guess == labels).sum()} hits, found {found['hits']}")
    for row in found["classes"]:
        i = row["class"]
        if row["pictures"] != (labels == i).sum():
            print(f"class {i}: expected {(labels == i).sum()} pictures, found {row['pictures']}")
        for name, share in (("recall", (labels == i).sum()), ("precision", (guess == i).sum())):
            if share and abs(row[name] - confusion[i, i] / share) > 1e-15:
                print(f"class {i}: expected {name} {confusion[i, i] / share}, found {row[name]}")
            if not share and row[name] is not None:
                print(f"class {i}: expected no {name}, found {row[name]}")


{"cut": cut, "epochs": epochs, "evaluate": evaluate}[sys.argv[1]](*sys.argv[2:])
