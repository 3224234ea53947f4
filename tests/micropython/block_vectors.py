"""Runs on MicroPython: the block vectors through the checks of CPython. argv[1] is their folder."""

import sys

from tests.core import block_checks

print("checked", block_checks.run_all(sys.argv[1]), "on", sys.implementation.name)
