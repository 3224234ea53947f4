"""Print every figure with its target: `make bench`, or `python -m tools.lab.bench NAME ...` for some of them.

A row reads `row: NAME | FIGURE | target T | ok` (or `short`); `row: NAME | FIGURE | NOTE` where there is no target.
Machines are shared and noisy: read a time as +-2x.
Exit 0 when every row could be measured, short or not; 1 when a bench failed to run.
"""

import argparse
import importlib
import sys
import traceback
from collections.abc import Iterable

BENCHES = (
    "codec",
    "session_cost",
    "grade",
    "scales",
    "ppg",
    "firmware",
    "ingest",
    "latency",
    "ble",
    "worst_times",
    "energy",
    "journal",
    "cuts",
    "sync",
    "ward",
)

Row = tuple[str, str, str, bool | None]


def run(name: str) -> Iterable[Row]:
    """Rows of one bench module: (name, figure, target, whether it is reached), or (name, figure, note, None)."""
    return importlib.import_module(f"tools.lab.bench.{name}").rows()  # type: ignore[no-any-return]


def main() -> int:
    """Run the asked benches in order, each row as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="default: all")
    failed = 0
    for name in parser.parse_args().names or BENCHES:
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        try:
            for label, figure, target, reached in run(name):
                verdict = (
                    f"target {target} | {'ok' if reached else 'short'}" if reached is not None else target
                )
                print(f"row: {label} | {figure} | {verdict}", flush=True)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"bench: {name} could not run", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
