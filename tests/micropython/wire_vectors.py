"""Runs on MicroPython: the wire vectors through the same checks as on CPython. argv[1] is the folder of the vectors."""

import sys

from tests.core.wire import vector_checks

print("checked", vector_checks.run_all(sys.argv[1]), "on", sys.implementation.name)
