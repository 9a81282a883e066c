"""layouts.py: random networks in random layouts, for tests/fmt.sh.

usage: layouts.py make SEED: a network in some layout
       layouts.py stir SEED: the text of standard input with other spaces and line ends
"""
import random
import sys

COMMENTS = ["# why", "#no space", "# a; b { } (", "# ünïcödé", "#"]


def expression(rng, name):
    return rng.choice(["4", "2*3", "2 * 3", "(1 + 2)*2", name, f"{name}+1", f"({name} -1)",
                       f"2*-(-{name})", "1e1", "12 / 2", f"( {name} )"])


def layer(rng, depth):
    kind = rng.randint(0, 9)
    if depth < 3 and kind == 0:
        second = rng.choice(["", " {}", " {" + body(rng, depth) + "conv w 1x1\n}"])
        return "conv w 1x1\nresidual {" + body(rng, depth) + "conv w 1x1\n}" + second
    if depth < 3 and kind == 1:
        return "concat {" + body(rng, depth) + "} {" + body(rng, depth) + "}"
    if depth < 3 and kind == 2:
        return f"repeat {rng.randint(1, 3)} {{" + body(rng, depth) + "}"
    if kind == 3:
        return f"unit({expression(rng, 'w')})"
    if kind == 4:
        return rng.choice(["relu", "tanh", "dropout 25%", "batchnorm", "sigmoid"])
    return (f"conv {expression(rng, 'w')} 3x3 " + rng.choice(["", "relu "]) + "pad same" +
            rng.choice(["", " l2 0.001"]))


def body(rng, depth):
    lines = [layer(rng, depth + 1) for _ in range(rng.randint(1, 3))]
    return "\n" + "\n".join(lines) + "\n"


def make(rng):
    lines = ["param w = 4", "data fashion", "input 28x28x1",
             "block unit(filters) {\nconv filters 3x3 pad same\nrelu\n}"]
    lines += [layer(rng, 0) for _ in range(rng.randint(1, 6))]
    lines += ["dense 10 softmax", "loss cross_entropy"]
    lines += rng.sample(["batch 8*4", "epochs 2", "optimizer adam lr 0.01", "seed 3",
                         "validation 1000 samples"], rng.randint(0, 4))
    text = "\n".join(lines) + "\n"
    out = []
    for line in text.split("\n"):
        if rng.random() < 0.2:
            line += "  " * rng.randint(0, 2) + rng.choice(COMMENTS)
        if rng.random() < 0.15:
            out.append(" " * rng.randint(0, 3) + rng.choice(COMMENTS))
        if rng.random() < 0.15:
            out += [""] * rng.randint(1, 3)
        out.append(" " * rng.randint(0, 5) + line)
    return "\n".join(out)


def stir(rng, text):
    """Other spaces where spaces are, other line ends where line ends are."""
    out = []
    for line in text.rstrip("\n").split("\n"):
        code, hash_sign, comment = line.partition("#")
        words = code.split()
        if not words and not hash_sign:
            out += [" " * rng.randint(0, 2)] * rng.randint(1, 3)
            continue
        gap = lambda: rng.choice([" ", "  ", "\t", " \t "])
        line = rng.choice(["", " ", "\t"]) + "".join(w + gap() for w in words)
        if hash_sign:
            line += "#" + comment + rng.choice(["", "  "])
        elif words and words[-1] != "{" and rng.random() < 0.2:
            line += ";" * rng.randint(1, 2)
        out.append(line)
    return rng.choice(["\n", "\r\n", "\r"]).join(out) + rng.choice(["", "\n"])


def main():
    rng = random.Random(int(sys.argv[2]))
    sys.stdout.reconfigure(newline="")
    sys.stdout.write(make(rng) if sys.argv[1] == "make" else stir(rng, sys.stdin.read()))


main()
