"""shrink.py FILE SEED: the least net of which `tests/networks.sh net FILE SEED` still complains

Statements, bodies and options are left out of FILE, one by one; it is written anew for each try.
"""
import re
import subprocess
import sys

from networks import BROKEN, SMOOTH


def differs(path, lines, seed):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    found = subprocess.run(["tests/networks.sh", "net", path, seed], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False).stdout
    return "expected" in found and not re.search(r"error: |Traceback", found)


def shorter(line):
    """The same with less in it: a statement of a body fewer, an option, or all but a body."""
    inner = [m.span() for m in re.finditer(r"[^{};]+;|;[^{};]+(?= })", line)]
    options = [m.span() for m in re.finditer(
        r" (stride|groups|dilation|multiplier|pad|bias|l1|l2|top|bottom|left|right|interpolation|"
        r"alpha|slope|smoothing|momentum|nesterov|eps|max_norm|init|delta|weight_decay|decays) \S+|"
        + "|".join(f" {word}(?=[ ;]|$)" for word in SMOOTH + BROKEN), line)]
    for first, last in inner + options:
        yield line[:first] + line[last:]
    for found in re.finditer(r"(?:concat|residual|multiply|repeat \d+)((?: \{[^{}]*\})+)", line):
        for body in re.findall(r"\{ ([^{}]+) \}", found[1]):
            yield line[:found.start()] + body + line[found.end():]


def shrink(path, seed):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    going = True
    while going:
        going = False
        tries = [lines[:i] + lines[i + 1:] for i, line in enumerate(lines)
                 if line.split()[0] not in ("input", "loss", "optimizer", "batch")]
        tries += [lines[:i] + [less] + lines[i + 1:]
                  for i, line in enumerate(lines) for less in shorter(line)]
        for tried in tries:
            if differs(path, tried, seed):
                lines, going = tried, True
                break
    print("\n".join(lines))


shrink(*sys.argv[1:])
