#!/usr/bin/python3
"""How much of the generated C changes with the network.

    tests/stability.py check    every mutation of every model, and every pair of models: what may
                                differ does, nothing else; and netc diff shows what is there
    tests/stability.py write    the counts in docs/generated-code.md, anew
"""
import glob
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile

NETC = os.path.realpath(os.environ.get("NETC", "build/netc"))
TARGET = ["--target", "x86-64-v4"]
failures = 0
tests = 0


def test(name, problem):
    global failures, tests
    tests += 1
    if problem:
        failures += 1
        print(f"FAIL stability: {name}\n    " + "\n    ".join(problem))


def netc(*arguments):
    return subprocess.run([NETC, *arguments], capture_output=True, text=True, timeout=60)


def write(name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def compared(left, right):
    """What netc diff finds between two .net files, as its JSON says it."""
    result = netc("diff", left, right, *TARGET, "--json")
    assert result.returncode in (0, 1), result.stderr
    return json.loads(result.stdout)


# --- mutations ----------------------------------------------------------------------------------

LAYERS = {"conv", "pool", "avgpool", "dense", "dropout", "batchnorm", "relu", "sigmoid", "tanh"}
ADDED = ["dropout 10%", "dense 24 relu", "conv 8 3x3 relu pad same", "batchnorm"]
OTHER = {"relu": "tanh", "sigmoid": "relu", "tanh": "relu"}


def mutations(text):
    """Yields a kind, what was done, and the mutated text; not all of them are networks."""
    lines = text.splitlines()
    places = [i for i, line in enumerate(lines) if line.split() and line.split()[0] in LAYERS]
    for i in places:
        before, line, behind = lines[:i], lines[i], lines[i + 1:]
        statement = re.sub(r"\s*#.*", "", line).strip()

        def changed(*new):
            return "\n".join([*before, *new, *behind]) + "\n"
        word = statement.split()[0]
        if i != places[-1]:
            yield "removed", statement, changed()
            for added in ADDED:
                yield "added", f"{added} behind {statement}", changed(line, added)
            wide = re.sub(r"^(\s*\w+ )(\d+)", lambda m: m[1] + str(int(m[2]) + 16), statement)
            if word in ("dense", "conv"):
                yield "widened", f"{statement} by 16", changed(wide)
            for old, new in OTHER.items():
                if re.search(rf"\b{old}\b", statement):
                    yield ("activation", f"{statement} with {new}",
                           changed(re.sub(rf"\b{old}\b", new, statement)))
    single = re.search(r"(?m)^batch +1$", text)  # one row has a form of its own by plain sgd
    for optimizer in ("sgd lr 0.01 momentum 0.9", "rmsprop", "adam lr 0.002") if not single else ():
        new = re.sub(r"(?m)^optimizer.*", "optimizer " + optimizer, text)
        yield "optimizer", optimizer, new
    yield "rate", "half the rate", re.sub(
        r"\b(lr |param rate = )([\d.]+)", lambda m: f"{m[1]}{float(m[2]) / 2:g}", text)


# --- what may differ ----------------------------------------------------------------------------

TABLES = {"card", "sizes", "tensors that outlive a step", "the arena", "matrix products",
          "the whole network", "what the runtime is told"}


# The others' arithmetic goes into the loops of these: of what stands before them or, backward,
# behind them.
LOOPS = {"input", "conv", "pool", "avgpool", "dense"}


def neighbours(chain, i, step):
    """The next layer, and those behind it as long as they share its neighbour's loop."""
    i += step
    while 0 <= i < len(chain):
        yield chain[i]["name"]
        if chain[i]["statement"].split()[0] in LOOPS:
            return
        i += step


def end_of_branch(chain, i):
    """Where the branch that a layer may be in is joined with what else there is."""
    joins = [layer["name"] for layer in chain[i:]
             if layer["statement"].split()[0] in ("residual", "concat")]
    return joins[:1]


def touched(difference):
    """The layers that differ as networks, and their neighbours."""
    allowed = set()
    for side in ("left", "right"):
        pairs = [pair for pair in difference["layers"] if pair[side]]
        chain = [pair[side] for pair in pairs]
        for i, pair in enumerate(pairs):
            if not pair["same"]:
                allowed |= {chain[i]["name"], *neighbours(chain, i, -1), *neighbours(chain, i, 1),
                            *end_of_branch(chain, i)}
    return allowed


def penalised(difference):
    """Whether a layer that differs has an l2, which loss_total adds up."""
    return any(" l2 " in pair[side]["statement"] for pair in difference["layers"]
               for side in ("left", "right") if pair[side] and not pair["same"])


def strays(difference, layers=True, updates=False, loss=False):
    """Definitions that differ and have no reason to: none is a change of layers, of the optimizer
    or of the loss."""
    allowed = touched(difference) if layers else set()
    for item in difference["code"]["different"]:
        one = item["right"] or item["left"]
        layer = one["section"].split(":")[0]
        if (one["section"] in TABLES or layer in allowed
                or updates and one["name"].endswith("_update")
                or loss and one["section"].startswith("loss ")
                or one["name"] == "loss_total" and penalised(difference)):
            continue
        yield f"{one['name']}: {item['removed']} lines only left, {item['added']} only right"


BRANCHES = """data mnist
input 28x28x1
conv 8 3x3 relu
pool 2
conv 8 3x3 relu pad same
residual {
    conv 16 3x3 relu pad same
    conv 8 3x3 pad same
}
relu
concat {
    conv 4 1x1 relu
} {
    conv 6 3x3 relu pad same
}
avgpool 13
dense 20 tanh
dense 10 softmax
loss cross_entropy
optimizer adam lr 0.001
"""


def networks(model):
    """Yields the mutations of a model that are networks, and what differs."""
    with open(model) as file:
        text = file.read()
    left = write("model.net", text)
    for kind, what, mutated in mutations(text):
        right = write("mutated.net", mutated)
        if mutated != text and netc("check", right).returncode == 0:
            yield kind, what, compared(left, right)


def check_mutations(model):
    for kind, what, difference in networks(model):
        layers = kind not in ("optimizer", "rate")
        test(f"{os.path.basename(model)}: {kind}: {what}", list(strays(difference, layers, kind == "optimizer")))


# --- pairs of models ----------------------------------------------------------------------------

def hunks(text):
    """The numbers of the first lines of both sides, and the lines with their marks."""
    found = []
    inside = False
    for line in text.splitlines():
        place = re.match(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@", line)
        inside = bool(place) or inside and not line.startswith("   ... ")
        if place:
            left, left_count, right, right_count = map(int, place.groups())
            found.append((left + (left_count == 0), right + (right_count == 0), []))
        elif inside:
            found[-1][2].append(line)
    return found


NAMED = re.compile(r"compiled by netc|^.?    \.name = ")  # the network's name, its file's


def shown_lines(left, right):
    """Checks each line of netc diff --code against both files; the lines that it leaves out must
    be the same in both, but for the network's name."""
    texts = [netc("emit", path, *TARGET).stdout.splitlines() for path in (left, right)]
    seen = [set(), set()]
    result = netc("diff", left, right, *TARGET, "--code", "-U", "1000000")
    for left_at, right_at, lines in hunks(result.stdout):
        at = [left_at, right_at]
        for line in lines:
            for side, marks in enumerate((" -", " +")):
                if line[0] not in marks:
                    continue
                real = texts[side][at[side] - 1:at[side]]
                if real != [line[1:]] and not NAMED.search(line):
                    yield f"line {at[side]} is not {line!r}"
                seen[side].add(at[side])
                at[side] += 1
    rest = [[line for number, line in enumerate(text, 1)
             if number not in seen[side] and line and not NAMED.search(line)]
            for side, text in enumerate(texts)]
    for one, other in zip(*rest):
        if one != other:
            yield f"not shown: {one!r} became {other!r}"
            return
    if len(rest[0]) != len(rest[1]):
        yield f"not shown: {len(rest[0])} lines became {len(rest[1])}"


def check_pair(left, right):
    difference = compared(left, right)
    settings = {fact["name"].split()[0] for fact in difference["differences"]}
    bad = list(strays(difference, True, "optimizer" in settings, "loss" in settings))
    if all(pair["left"]["name"] == pair["right"]["name"]
           for pair in difference["layers"] if pair["left"] and pair["right"]):
        bad += shown_lines(left, right)
    test(f"{left} and {right}", bad)


# --- the table ----------------------------------------------------------------------------------

DOCUMENT = "docs/generated-code.md"
START, END = "<!-- counts: make gen -->\n", "<!-- end -->\n"


def counted(difference, tables):
    """Lines that differ, in tables or in layers' functions."""
    return sum(item["removed"] + item["added"] for item in difference["code"]["different"]
               if ((item["right"] or item["left"])["section"] in TABLES) == tables)


def table():
    rows = ["| change of `models/mnist.net` | definitions | lines of layers' functions "
            "| lines of tables and steps |", "|---|---|---|---|"]
    for kind, what, difference in networks("models/mnist.net"):
        code = difference["code"]
        rows.append(f"| {kind}: `{what}` | {len(code['different'])} of {code['definitions']} "
                    f"| {counted(difference, False)} | {counted(difference, True)} |")
    return "\n".join(rows) + "\n"


def split_document():
    with open(DOCUMENT) as file:
        text = file.read()
    head, rest = text.split(START)
    old, tail = rest.split(END)
    return head + START, old, END + tail


def write_table():
    head, _, tail = split_document()
    with open(DOCUMENT, "w") as file:
        file.write(head + table() + tail)


def check():
    models = sorted(glob.glob("models/**/*.net", recursive=True))
    for model in [*models, write("branches.net", BRANCHES)]:
        check_mutations(model)
    for left, right in itertools.combinations(models, 2):
        check_pair(left, right)
    same = split_document()[1] == table()
    test(f"the counts in {DOCUMENT}", [] if same else ["they are old: run 'make gen'"])
    print(f"{tests - failures} passed, {failures} failed")
    return 1 if failures else 0


with tempfile.TemporaryDirectory() as folder:
    if sys.argv[1:] == ["write"]:
        write_table()
    elif sys.argv[1:] == ["check"]:
        sys.exit(check())
    else:
        sys.exit(__doc__)
