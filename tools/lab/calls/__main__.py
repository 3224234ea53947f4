"""Random schedules of faults while people are called: `python -m tools.lab.calls --schedules 10000`.

Every HIGH alarm must be accepted in time, or be escalated to the last contact, shown and sounded as unreached: the
number of exceptions must be 0. A schedule that shows one is printed with its seed.
Exit 0: none; 1: some; 2: asked wrongly.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.lab.calls.schedule import Outcome, Schedule


def run_one(seed: int) -> tuple[int, Outcome]:
    """One schedule in a folder of its own, in memory where the system has such a folder."""
    logging.disable()  # what the agent says of a full disk is asked for here
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="calls-", dir=memory if memory.is_dir() else None) as folder:
        return seed, asyncio.run(Schedule(Path(folder), seed).run())


def run_all(seeds: Iterable[int], processes: int) -> Iterable[tuple[int, Outcome]]:
    """Every schedule, as they end."""
    if processes < 2:
        yield from map(run_one, seeds)
        return
    with multiprocessing.Pool(processes) as pool:
        yield from pool.imap_unordered(run_one, seeds, chunksize=10)


def main() -> int:
    """Run them and print the row."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab.calls", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000, metavar="N", help="how many (default 10000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the first (default 0)")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="side by side"
    )
    options = parser.parse_args()
    accepted = unreached = kills = wrong = 0
    for done, (seed, outcome) in enumerate(
        run_all(range(options.seed, options.seed + options.schedules), options.processes), 1
    ):
        accepted, unreached = accepted + outcome.accepted, unreached + outcome.unreached
        kills += outcome.kills
        for what in outcome.wrong:
            wrong += 1
            print(f"seed {seed}: {what}", flush=True)
        if done % 500 == 0:
            print(f"calls: {done} schedules ...", file=sys.stderr, flush=True)
    print(
        f"row: schedules {options.schedules}, HIGH alarms accepted {accepted}, unreached and sounded {unreached},"
        f" kills {kills} | exceptions {wrong} | target 0 | {'ok' if not wrong else 'short'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
