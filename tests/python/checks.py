"""Checks of what a program leaves behind, and files that are wrong in one way.

checks.py weights FILE MODEL.c      a strict reading, and the tensors that the generated C declares
checks.py report RUN EVAL           run.json and what eval --json printed agree
checks.py predictions FILE...       the same answers but for the name of the picture
checks.py index DATA PICTURE        where the picture (PNG or PGM) is among the test pictures
checks.py tamper WHAT FILE TO       a weights file with one thing wrong
"""
import json
import re
import struct
import sys
import zlib

import numpy as np

import files


def strict_json(text):
    """NaN and Infinity are Python's own and no JSON."""
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")
    return json.loads(text, parse_constant=refuse)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return strict_json(file.read())


def weights(path, source):
    tensors, metadata = files.safetensors(path)
    with open(source, encoding="utf-8") as file:
        text = file.read()
    declared = {
        name: tuple(int(n) for n in dims.split(", "))
        for name, dims in re.findall(r'^    \{"(\w+)", NN_\w+, \{([0-9, ]+)\},', text, re.M)
    }
    if len(declared) < 4 or {name: t.shape for name, t in tensors.items()} != declared:
        print(f"tensors: expected {declared}, found { {n: t.shape for n, t in tensors.items()} }")
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            print(f"{name} is not finite")
        if name.endswith("_w") and not 1e-4 < np.abs(tensor).mean() < 10:
            print(f"{name}: are these weights? mean {np.abs(tensor).mean()}")
    for name in ("format", "name", "fingerprint", "source", "epoch", "step", "seed", "rate"):
        if name not in metadata:
            print(f"metadata: no {name}")
    strict_json(metadata["history"])
    hashed = 0xCBF29CE484222325  # FNV-1a, as documented: names and bytes but for the optimizer's
    optimizer = set(re.findall(r'^    \{"(\w+)", NN_OPTIMIZER', text, re.M))
    for name in declared:
        if name in optimizer:
            continue
        for byte in name.encode() + tensors[name].tobytes():
            hashed = (hashed ^ byte) * 0x100000001B3 % 2**64
    print(f"{hashed:016x}", file=sys.stderr)


def report(run, evaluation):
    run, found = read_json(run), read_json(evaluation)
    test = run["test"]
    for name in ("loss", "accuracy", "confusion", "pictures"):
        if test[name] != found[name]:
            print(f"{name}: run.json has {test[name]}, eval prints {found[name]}")
    if run["status"] != "finished" or run["epochs_completed"] != len(run["history"]):
        print(f"run.json: {run['status']}, "
              f"{run['epochs_completed']} of {len(run['history'])} epochs")
    total = np.array(found["confusion"])
    if total.sum() != found["pictures"] or np.trace(total) != found["hits"]:
        print(f"confusion: {total.sum()} pictures and {np.trace(total)} hits, "
              f"eval prints {found['pictures']} and {found['hits']}")


def predictions(*paths):
    answers = []
    for path in paths:
        answers.append(read_json(path))
        for answer in answers[-1]:
            answer.pop("picture")
            answer.pop("label", None)
    for answer, path in zip(answers, paths):
        if answer != answers[0]:
            print(f"{path}: expected {answers[0]}, found {answer}")


def picture(path):
    with open(path, "rb") as file:
        content = file.read()
    if content[:2] == b"P5":
        return np.frombuffer(content[-784:], np.uint8).reshape(28, 28)
    place, data = 8, b""
    while place < len(content):
        (length,) = struct.unpack_from(">I", content, place)
        if content[place + 4 : place + 8] == b"IDAT":
            data += content[place + 8 : place + 8 + length]
        place += 12 + length
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(28, 29)
    if rows[:, 0].any():
        raise SystemExit(f"{path}: a PNG with filters")
    return rows[:, 1:]


def index(data, path):
    pictures, _ = files.data_set(data, "t10k")
    (found,) = np.nonzero((pictures == picture(path)).all((1, 2)))[0][:1]
    print(found)


def tamper(what, source, target):
    with open(source, "rb") as file:
        content = bytearray(file.read())
    (length,) = struct.unpack_from("<Q", content)
    header = content[8 : 8 + length]
    if what == "nan":
        content[8 + length : 12 + length] = struct.pack("<f", float("nan"))
    elif what == "offset":  # two tensors over each other
        changed = re.sub(rb'"data_offsets":\[(\d+),(\d+)\]', shift, bytes(header), 2)
        content[8 : 8 + length] = changed
    elif what == "length":
        struct.pack_into("<Q", content, 0, 2**40)
    elif what == "json":
        content[8 : 8 + length] = header.replace(b"{", b"(", 1)
    elif what == "longer":
        content += b"more"
    with open(target, "wb") as file:
        file.write(content)


def shift(found):
    begin, end = (int(found.group(i)) for i in (1, 2))
    text = b'"data_offsets":[%d,%d]' % (begin + 4, end + 4)
    return text if len(text) == len(found.group(0)) else found.group(0)


{f.__name__: f for f in (weights, report, predictions, index, tamper)}[sys.argv[1]](*sys.argv[2:])
