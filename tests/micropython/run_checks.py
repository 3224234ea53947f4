"""Runs on MicroPython: every check_* of the module named in argv[1]; prints one line each, exit 1 when one fails."""

import sys


def main(name: str) -> int:
    """Import `name` (dots and all), run its checks, return how many failed."""
    module = __import__(name)
    for part in name.split(".")[1:]:
        module = getattr(module, part)
    failed = 0
    for check in sorted(dir(module)):
        if not check.startswith("check_"):
            continue
        try:
            getattr(module, check)()
            print("passed", check)
        except Exception as error:
            failed += 1
            print("FAILED", check)
            if hasattr(sys, "print_exception"):
                sys.print_exception(error)
    return failed


sys.exit(1 if main(sys.argv[1]) else 0)
