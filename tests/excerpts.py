#!/usr/bin/python3
"""Renews what the documentation quotes of generated/: whole functions, headings, the card.

    tests/excerpts.py FILE.md...    rewrites the files

A block marked c quotes the last generated/NAME.c named above it, as for tests/docs.sh. Each function
or comment in it that is complete is replaced by the one of the same name; parts of one, next to a
line `...`, stay, and are for whoever writes the text.
"""
import re
import sys


def pieces(text):
    """What stands between blank lines at the outermost level."""
    return re.split(r"\n\n(?=[^ \n}])", text.strip("\n"))


def name_of(piece):
    """A function's name, a heading's layer, or the first line."""
    heading = re.match(r"// --- (\w+):", piece)
    code = next((line for line in piece.split("\n") if not line.startswith("//")), "")
    function = re.match(r"static (?!_Alignas).*?(\w+)\(", code)
    if heading and not code:
        return "heading of " + heading[1]
    return function[1] if function and "\n{\n" in piece else piece.split("\n")[0]


def is_whole(piece):
    lines = piece.split("\n")
    comment = all(line.startswith("//") for line in lines)
    return not lines[0].startswith(" ") and (comment or lines[-1] in ("}", "};"))


def renewed(block, source):
    with open(source) as file:
        current = {name_of(piece): piece for piece in pieces(file.read())}
    runs = re.split(r"(?m)(^[ \t]*\.\.\.\n)", block)
    for i, run in enumerate(runs):
        if run.strip() in ("", "..."):
            continue
        new = [current.get(name_of(piece), piece) if is_whole(piece) else piece
               for piece in pieces(run)]
        runs[i] = "\n\n".join(new) + "\n"
    return "".join(runs)


def renew(path):
    with open(path) as file:
        parts = re.split(r"(?ms)^(```.*?^```\n)", file.read())
    source = None
    for i, part in enumerate(parts):
        if not part.startswith("```"):
            named = re.findall(r"generated/[a-z/_-]+\.c", part)
            source = named[-1] if named else source
        elif part.startswith("```c\n") and source:
            parts[i] = "```c\n" + renewed(part[5:-4], source) + "```\n"
    with open(path, "w") as file:
        file.write("".join(parts))


for document in sys.argv[1:] or sys.exit(__doc__):
    renew(document)
