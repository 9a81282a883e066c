#!/usr/bin/python3
"""Finds loops over floats that gcc has left scalar.

usage: scalar.py OBJECT FUNCTION...

Prints a line for each function that is missing, has no loop, or has an innermost loop that calculates with single
floats.
"""
import re
import sys

from census import functions_of, inner_loops

SCALAR = re.compile(r"v(add|sub|mul|div|min|max|sqrt|fn?m(add|sub)\d+)s[sd]$")

found = functions_of(sys.argv[1])
for name in sys.argv[2:]:
    loops = inner_loops(found.get(name, []))
    if not loops:
        print(f"{name}: expected loops, found none")
    for loop in loops:
        scalars = [mnemonic for _, mnemonic, _ in loop if SCALAR.match(mnemonic)]
        if scalars:
            print(f"{name}: expected a loop of vectors at {loop[0][0]:x}, found {', '.join(scalars)}")
