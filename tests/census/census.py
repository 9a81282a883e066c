#!/usr/bin/python3
"""Counts what gcc made of the micro-kernels of generated C files.

usage: census.py C-FILE OBJECT

The generated file says what is planned: a line STRIP(name, FULL, REST, how, VECTORS, Vector, SKIP, AHEAD),
STRIP_LISTED(name, FULL, REST, FIRST, SECOND, Vector, SKIP), WINDOW(name, ROWS, LINE, VECTORS, Vector, WIDTH, AHEAD),
PLANE(name, LINES, STRIDE, RUNS, VECTORS, OUTPUTS, LAST, Vector, weave), PLANE_WEIGHTS(name, OUTPUTS, TAPS, Vector),
DEPTHWISE(name, PIXELS, EACH, spread, Vector), DEPTHWISE_WEIGHTS(name, RUNS, TAPS, EACH, spread, Vector),
DOTS(name, ROWS, COLUMNS), SUMS(name, COUNT, VECTORS, Vector) or CHANGE(name, COUNT, VECTORS, Vector) for each micro-
kernel, and functions that call them. In the object code of such a function each planned tile must be an innermost loop
with as many multiply-adds as the tile has sums, or a whole multiple where gcc has unrolled it, and none of these loops
may write a vector register to the stack: a spilled sum does. (To read one there is no spill: gcc keeps constants of an
outer loop so, which would else be read from where they lie.) The lower tiles of a strip are functions: what loops they
have is gcc's business, since a loop of few terms may be none, but the same holds for those. Nor may a multiply-add of a
tile of several rows read a vector from memory: its rows share what is loaded, but for a number that AVX-512 broadcasts.
No product is rounded before it is added: gcc may do so in one copy of a tile and not in another, whose rows then have
other bits. A loop of SUMS or CHANGE reads each of its vectors and each of its numbers once. Prints a line for each
function that is not as planned.
"""
import re
import subprocess
import sys

TO_STACK = re.compile(r"%[xyz]mm\d+,-?[0-9a-fx]*\(%r[sb]p[,)]")
MULTIPLY_ADD = re.compile(r"vfn?m(add|sub)\d+p[sd]$")
MULTIPLY = re.compile(r"vmulp[sd]$")
FROM_MEMORY = re.compile(r"\)(?!\{1to)")
READS = re.compile(r"(?:^|,)[^(,]*\([^)]*\)(?:\{1to\d+\})?,.*%[xyz]mm")
AHEAD = r"^(SUMS|CHANGE)\((\w+), (\d+), (\d+), \w+\)"
SHARED = r"^(STRIP|STRIP_LISTED|WINDOW)\((\w+),"  # kernels whose rows share vectors


def planned(text):
    """{function: {kernel: [multiply-adds of its highest tile, and of others that it may have]}}, the
    same of functions that are a lower tile, kernels of shared rows, {kernel: vectors and numbers that
    its loop reads}"""
    kernels = {name: [int(full) * int(vectors), int(rest) * int(vectors), int(vectors)]
               for name, full, rest, vectors in
               re.findall(r"^STRIP\((\w+), (\d+), (\d+), \w+, (\d+), \w+, \d+, \d+\)", text, re.M)}
    kernels |= {name: [int(height) * (int(first) + int(second)) for height in (full, rest, 1)]
                for name, full, rest, first, second in
                re.findall(r"^STRIP_LISTED\((\w+), (\d+), (\d+), (\d+), (\d+), \w+, \d+\)", text, re.M)}
    lower = {f"{name}_{part}": {name: [tile, tile, one]} for name, (_, rest, one) in kernels.items()
             for part, tile in (("rest", rest), ("one", one))}
    kernels |= {name: [int(rows) * int(vectors)] for name, rows, vectors in
                re.findall(r"^WINDOW\((\w+), (\d+), \d+, (\d+), \w+, \d+, \d+\)", text, re.M)}
    kernels |= {name: [int(vectors) * int(outputs)] for name, vectors, outputs in
                re.findall(r"^PLANE\((\w+), \d+, \d+, \d+, (\d+), (\d+), ", text, re.M)}
    kernels |= {name: [int(outputs) * int(taps)] for name, outputs, taps in
                re.findall(r"^PLANE_WEIGHTS\((\w+), (\d+), (\d+), ", text, re.M)}
    kernels |= {name: [int(pixels) * int(each), int(each)] for name, pixels, each in
                re.findall(r"^DEPTHWISE\((\w+), (\d+), (\d+), \w+, Vector", text, re.M)}
    kernels |= {name: [int(runs) * int(taps) * int(each)] for name, runs, taps, each in
                re.findall(r"^DEPTHWISE_WEIGHTS\((\w+), (\d+), (\d+), (\d+), \w+, Vector", text, re.M)}
    kernels |= {name: [int(rows) * int(columns), int(columns)] for name, rows, columns in
                re.findall(r"^DOTS\((\w+), (\d+), (\d+)\)", text, re.M)}
    kernels |= {name: [int(count) * int(vectors)] for _, name, count, vectors in re.findall(AHEAD, text, re.M)}
    most = {name: int(count) + int(vectors) for _, name, count, vectors in re.findall(AHEAD, text, re.M)}
    functions = {}
    for name, body in re.findall(r"^static void (\w+)\([^;{]*?\)\n\{\n(.*?)^\}", text, re.M | re.S):
        called = {kernel: kernels[kernel] for kernel in re.findall(r"\b(\w+)\(", body) if kernel in kernels}
        if called:
            functions[name] = called
    return functions, lower, {name for _, name in re.findall(SHARED, text, re.M)}, most


def functions_of(path):
    """{function: [(address, mnemonic, operands)]}"""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True, capture_output=True,
                          text=True).stdout
    functions, current = {}, None
    for line in text.splitlines():
        head = re.match(r"[0-9a-f]+ <([\w.]+)>:", line)
        if head:
            current = functions.setdefault(head[1].split(".")[0], [])
            continue
        found = re.match(r"\s+([0-9a-f]+):\s+(\S+)\s*(.*)", line)
        if found and current is not None:
            current.append((int(found[1], 16), found[2], found[3]))
    return functions


def inner_loops(instructions):
    """The bodies of the loops that have no loop inside."""
    jumps = []
    for address, mnemonic, operands in instructions:
        target = re.match(r"([0-9a-f]+) <", operands)
        if mnemonic.startswith("j") and target and int(target[1], 16) <= address:
            jumps.append((int(target[1], 16), address))
    return [[i for i in instructions if start <= i[0] <= end] for start, end in jumps
            if not any((s, e) != (start, end) and start <= s and e <= end for s, e in jumps)]


def count_of(loop):
    return sum(bool(MULTIPLY_ADD.match(mnemonic)) for _, mnemonic, _ in loop)


def census(name, kernels, shared, most, instructions, lower=False):
    problems = []
    loops = [loop for loop in inner_loops(instructions)
             if any(MULTIPLY_ADD.match(mnemonic) for _, mnemonic, _ in loop)]
    counts = [count_of(loop) for loop in loops]
    tiles = {tile for kernel in kernels.values() for tile in kernel}
    alone = {tile for kernel in kernels if kernel in shared for tile in kernels[kernel][2:]}  # of a single row
    alone |= {tile for kernel in kernels if kernel not in shared for tile in kernels[kernel]}
    apart = sum(bool(MULTIPLY.match(mnemonic)) for _, mnemonic, _ in instructions)
    if apart and not kernels.keys() & most.keys():  # a change is of the rate and a gradient
        problems.append(f"{name}: {apart} products are rounded before they are added")
    terms = re.match(r"(?:product|panels)_(\d+)", name)
    most_of = {kernels[kernel][0]: most[kernel] for kernel in kernels if kernel in most}
    unrolled = {tile * int(terms[1]) for tile in tiles} if terms else {}
    for loop, count in zip(loops, counts):
        if count in unrolled:
            continue  # all terms at once: a loop over rows, with their stores
        spilled = [f"{mnemonic} {operands}" for _, mnemonic, operands in loop
                   if TO_STACK.search(operands)]
        if spilled:
            problems.append(f"{name}: {len(spilled)} vectors written to the stack in a loop: {spilled[0]}")
        reads = [f"{mnemonic} {operands}" for _, mnemonic, operands in loop
                 if MULTIPLY_ADD.match(mnemonic) and FROM_MEMORY.search(operands)]
        read = sum(bool(READS.search(operands)) for _, _, operands in loop)
        if read > most_of.get(count, read):
            problems.append(f"{name}: a loop of {count} multiply-adds reads {read} vectors and numbers, "
                            f"not {most_of[count]}")
        if reads and kernels.keys() & shared and count not in alone:
            problems.append(f"{name}: {len(reads)} of {count} multiply-adds read a vector from memory: {reads[0]}")
    for kernel, (highest, *_) in kernels.items():
        if not lower and not any(count % highest == 0 for count in counts):
            problems.append(f"{name}: no loop of {kernel} with {highest} multiply-adds; found {sorted(counts)}")
    for count in counts:
        if not any(count % tile == 0 for tile in tiles):
            problems.append(f"{name}: a loop of {count} multiply-adds; planned were {sorted(tiles)}")
    return len(loops), problems


def main():
    with open(sys.argv[1]) as file:
        plan, lower, shared, most = planned(file.read())
    found = functions_of(sys.argv[2])
    loops, problems = 0, []
    for name, kernels in plan.items():
        if name not in found:
            problems.append(f"{name}: not in the object file")
            continue
        count, more = census(name, kernels, shared, most, found[name])
        loops, problems = loops + count, problems + more
    for name in lower.keys() & found.keys():
        problems += census(name, lower[name], shared, most, found[name], lower=True)[1]
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{len(plan)} functions, {loops} loops", file=sys.stderr)
    sys.exit(bool(problems) or loops == 0)


if __name__ == "__main__":
    main()
