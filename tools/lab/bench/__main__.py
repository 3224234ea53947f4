"""Print every figure with its target: `make bench`, or `python -m tools.lab.bench NAME ...` for some of them.

A row reads `row: NAME | FIGURE | target T | ok` (or `short`); `row: NAME | FIGURE | NOTE` where there is no target.
On a shared machine a time may be wrong by a factor of two.
Exit 0 when every bench ran, even if a target was missed; 1 when a bench failed to run.
"""

import argparse
import importlib
import sys
import traceback
from collections.abc import Iterable

from tools.lab.bench.measuring import Row

BENCHES = (
    "codec", "session_cost", "grade", "scales", "ppg", "firmware", "ingest", "latency", "ble", "worst_times",
    "energy", "journal", "cuts", "sync", "ward", "same_run", "delivery", "page", "kills",
)  # fmt: skip


def run(name: str) -> Iterable[Row]:
    """Rows of one bench module."""
    return importlib.import_module(f"tools.lab.bench.{name}").rows()  # type: ignore[no-any-return]


def main() -> int:
    """Run the named benches in order; print each row as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="default: all")
    failed = 0
    for name in parser.parse_args().names or BENCHES:
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        try:
            for label, figure, target, reached in run(name):
                verdict = target if reached is None else f"target {target} | {'ok' if reached else 'short'}"
                print(f"row: {label} | {figure} | {verdict}", flush=True)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"bench: {name} could not run", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
