"""Writes faulty copies of a generated C file, one fault each: mutants.py FILE.c FOLDER [PATTERN]

Without a pattern the functions of the backward pass are changed, in all the ways that FAULTS lists.
With one, the functions that it matches, in their signs and numbers. Prints one line for each copy:
its file, the kind of fault, and what was done. Without arguments: every kind in FAULTS.
"""
import re
import sys

BACKWARD = re.compile(r"static void (\w+_(?:backward|partial|gradient|scatter|turn))\(")

# What is looked for in one line, what takes its place, and what that does.
FAULTS = [
    (r"(?<!top )(?<!; [a-z] )\+= ", r"-= ", "sign of a sum"),
    (r"(\bv|share|xhat) = ([^;]*);", r"\1 = -(\2);", "sign of a value"),
    (r"(dx\S*) = ([^;]*);", r"\1 = -(\2);", "sign of a result"),
    (r"v \*= ([^;]*);", r"v *= -(\1);", "sign of a factor"),
    (r"v \*= [^;]*;", r";", "a factor is lost"),
    (r"v \+= [^;]*;", r";", "a term is lost"),
    (r"1 - ", r"1 + ", "sign of a term"),
    (r" - \(j == label\)", r"", "the target is lost"),
    (r"\? v : 0", r"? v : v", "a mask is lost"),
    (r"> 0 \?", r"< 0 ?", "a mask is turned round"),
    (r"number \+ ", r"1 + number + ", "another mask of dropout"),
    (r"\* (1\.[0-9]+) : 0", r"* 1 : 0", "dropout does not scale"),
    (r"\b(gemm|product|outer)_\w+\([^;]*;", r";", "a product is lost"),
    (r"\w+_scatter\([^;]*;", r";", "the windows are not added up"),
    (r"from >= 0", r"from > 0", "an edge is lost"),
    (r"from < 0", r"from < 1", "an edge is lost"),
    (r"turned(\[.*\]) = ([^;]*);", r"turned\1 = -(\2);", "sign of a turned weight"),
    (r"memset\((\S+), 0,", r"memset(\1, 64,", "the result is not cleared"),
    (r"\(dbeta\[(\w)\] \+ ", r"(", "the mean of dy is lost"),
    (r" \+ xhat \* dgamma\[\w\]", r"", "the mean of dy xhat is lost"),
    (r"gamma\[c\] \* ", r"", "gamma is lost"),
    (r" \* stats\[1\]\[c\]", r"", "the deviation is lost"),
    (r" - stats\[0\]\[c\]", r"", "the mean is lost"),
    (r" \* scale", r"", "the scale is lost"),
    (r"\* share\)", r"* 2 * share)", "twice the share"),
    (r"block = 1;", r"block = 2;", "a block is lost"),
    (r"rows; i\+\+", r"rows - 1; i++", "a row is lost"),
    (r"(for \(int (?:[pcrsj]|row|col)) = 0", r"\1 = 1", "an end of a loop is lost"),
]

# Of any arithmetic.
PLAIN_FAULTS = [
    (r"\+= ", r"-= ", "sign of a sum"),
    (r"-= ", r"+= ", "sign of a difference"),
    (r"(?<=[\])\w]) \+ (?=[^;]*;)", r" - ", "a sum is a difference"),
    (r"(?<=[\])\w]) - (?=[^;]*;)", r" + ", "a difference is a sum"),
    (r"(?<=[ (])(\d+\.\d+|\d+e-\d+)(?![\d.])", r"2 * \1", "twice the number"),
]


def mutants(text, functions, faults):
    """(function, kind of fault, the faulty text, the line before and after) of each."""
    lines = text.split("\n")
    function = None
    for number, line in enumerate(lines):
        found = functions.match(line)
        if found:
            function = found.group(1)
        if line == "}":
            function = None
        # What numbers pictures and what asks the memory for them changes no result; nor does the
        # first line of a padded picture, which is 0 before and after.
        following = "".join(lines[number + 1 : number + 2]).strip()
        harmless = (
            "(first + i)" in line or "nn_ahead(" in line or
            following.startswith("const int from = r -")
        )
        if not function or not line.startswith("    ") or harmless:
            continue
        for pattern, fault, what in faults:
            for place in re.finditer(pattern, line):
                changed = line[: place.start()] + place.expand(fault) + line[place.end() :]
                if changed == line:
                    continue
                yield function, what, "\n".join(
                    lines[:number] + [changed] + lines[number + 1 :]
                ), line.strip(), changed.strip()


def main():
    if len(sys.argv) == 1:
        for kind in dict.fromkeys(what for _, _, what in FAULTS):
            print(kind)
        return
    source, folder, *pattern = sys.argv[1:]
    functions, faults = BACKWARD, FAULTS
    if pattern:
        functions, faults = re.compile(rf"static void ({pattern[0]})\("), PLAIN_FAULTS
    with open(source, encoding="utf-8") as file:
        text = file.read()
    for index, (function, what, faulty, old, new) in enumerate(mutants(text, functions, faults)):
        path = f"{folder}/{index}.c"
        with open(path, "w", encoding="utf-8") as file:
            file.write(faulty)
        print(f"{path}\t{what}\t{function}: {old} -> {new}")


main()
