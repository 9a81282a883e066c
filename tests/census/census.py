#!/usr/bin/python3
"""Counts what gcc made of the micro-kernels of generated C files.

usage: census.py C-FILE OBJECT

The generated file says what is planned: a line STRIP(name, FULL, REST, VECTORS, Vector) for each strip, and
functions that call strips. In the object code of such a function each planned tile must be an innermost loop with
rows x vectors multiply-adds, or a whole multiple where gcc has unrolled it, and none of these loops may touch the
stack with a vector register. Prints a line for each function that is not as planned.
"""
import re
import subprocess
import sys

VECTOR = re.compile(r"%[xyz]mm")
STACK = re.compile(r"\(%r[sb]p[,)]")
MULTIPLY_ADD = re.compile(r"vfn?m(add|sub)\d+p[sd]$")


def planned(text):
    """{function: {strip: (name, [multiply-adds of the full, the rest's and the single row's tile])}}"""
    strips = {name: [int(full) * int(vectors), int(rest) * int(vectors), int(vectors)]
              for name, full, rest, vectors in
              re.findall(r"^STRIP\((\w+), (\d+), (\d+), (\d+), Vector\d+\)", text, re.M)}
    functions = {}
    for name, body in re.findall(r"^static void (\w+)\([^;{]*?\)\n\{\n(.*?)^\}", text, re.M | re.S):
        called = {strip: strips[strip] for strip in re.findall(r"\b(strip_\w+)\(", body) if strip in strips}
        if called:
            functions[name] = called
    return functions


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


def census(name, strips, instructions):
    problems = []
    loops = [loop for loop in inner_loops(instructions)
             if any(MULTIPLY_ADD.match(mnemonic) for _, mnemonic, _ in loop)]
    counts = [sum(bool(MULTIPLY_ADD.match(mnemonic)) for _, mnemonic, _ in loop) for loop in loops]
    for loop in loops:
        spilled = [f"{mnemonic} {operands}" for _, mnemonic, operands in loop
                   if VECTOR.search(operands) and STACK.search(operands)]
        if spilled:
            problems.append(f"{name}: {len(spilled)} vectors on the stack in a loop: {spilled[0]}")
    for strip, tiles in strips.items():
        if not any(count % tiles[0] == 0 for count in counts):
            problems.append(f"{name}: no loop of {strip} with {tiles[0]} multiply-adds; found {sorted(counts)}")
    allowed = {count for tiles in strips.values() for count in tiles}
    for count in counts:
        if not any(count % tile == 0 for tile in allowed):
            problems.append(f"{name}: a loop of {count} multiply-adds; planned were {sorted(allowed)}")
    return len(loops), problems


def main():
    with open(sys.argv[1]) as file:
        plan = planned(file.read())
    found = functions_of(sys.argv[2])
    loops, problems = 0, []
    for name, strips in plan.items():
        if name not in found:
            problems.append(f"{name}: not in the object file")
            continue
        count, more = census(name, strips, found[name])
        loops, problems = loops + count, problems + more
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{len(plan)} functions, {loops} loops", file=sys.stderr)
    sys.exit(bool(problems) or loops == 0)


main()
