#!/usr/bin/env bash
# How much of the generated C changes with the network: tests/stability.py says what is checked.
#
# usage: tests/stability.sh
. "$(dirname "$0")/lib.sh"
exec "$python" tests/stability.py check
