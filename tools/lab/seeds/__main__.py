"""Short lives in simulated time, one for each seed: `python -m tools.lab.seeds --from 1 --count 10000`.

In each a wearable or two, an agent and a receiver live for seconds of simulated time while everything that can go
wrong does, as the seed draws. Progress on stderr, rows on stdout. Exit 0: no life had a fault; 1: one had, and its seed
and the command that repeats it are printed; 2: asked wrongly; 130: Ctrl-C, after what was reached.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tools.lab.seeds.plan import planned
from tools.lab.seeds.search import Lived, lives, smallest

_SABOTAGES = ("ack_first", "both_own")  # of sabotage.py, which is loaded in the agent alone
_SAY_EVERY_S = 10.0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _numbers(text: str) -> list[int]:
    return [_positive(word) for word in text.split(",") if word]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.lab.seeds", description=__doc__)
    parser.add_argument("--from", type=_positive, default=1, dest="first", metavar="N", help="the first seed")
    parser.add_argument(
        "--count", type=_positive, default=200, metavar="N", help="how many lives (default 200)"
    )
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no life after so many real minutes")
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=os.cpu_count() or 1,
        metavar="N",
        help="so many at once (default: cores)",
    )
    parser.add_argument(
        "--only", type=_numbers, metavar="N,N", help="of each life only the events of these numbers"
    )
    parser.add_argument(
        "--sabotage", choices=_SABOTAGES, help="take one safeguard of the agent away; the lives must find it"
    )
    parser.add_argument("--first-fault", action="store_true", help="end at the first life with a fault")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep lives with a fault in this new folder"
    )
    parser.add_argument("--plan", action="store_true", help="say what the lives are to be, and live none")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of rows")
    return parser


def repeat_command(seed: int, only: list[int] | None = None, sabotage: str | None = None) -> str:
    """What repeats one life."""
    words = ["python -m tools.lab.seeds --from", str(seed), "--count 1"]
    words += ["--only", ",".join(map(str, only))] if only else []
    words += ["--sabotage", sabotage] if sabotage else []
    return " ".join(words)


class _Tally:
    """What was reached so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.lived = 0
        self.faulty: list[Lived] = []
        self.harms: Counter[str] = Counter()
        self.begun_s = self._said_s = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Real seconds."""
        return time.monotonic() - self.begun_s

    def add(self, lived: Lived) -> None:
        """Count one life, and say when it had a fault."""
        self.lived += 1
        self.harms.update(lived.harms)
        if lived.faults:
            self.faulty.append(lived)
            for fault in lived.faults:
                self.say(f"seed {lived.seed}: {fault}")
            self.say(f"repeat: {repeat_command(lived.seed, self.options.only, self.options.sabotage)}")
        if time.monotonic() - self._said_s > _SAY_EVERY_S:
            self._said_s = time.monotonic()
            self.say(f"{self.lived} lives in {self.elapsed_s:.0f} s, {len(self.faulty)} with a fault")

    def say(self, text: str) -> None:
        """One line of progress."""
        print(f"seeds: {text}", file=sys.stderr, flush=True)


def _seeds(options: argparse.Namespace, tally: _Tally) -> Iterator[int]:
    for seed in range(options.first, options.first + options.count):
        if options.minutes and tally.elapsed_s > options.minutes * 60:
            return
        yield seed


def _search(folder: Path, options: argparse.Namespace) -> int:
    tally = _Tally(options)
    changes = [f"tools.lab.seeds.sabotage:{options.sabotage}"] if options.sabotage else []
    stopped, least = False, None
    try:
        tally.say(f"seeds from {options.first} on, {options.jobs} at once, in {folder}")
        with contextlib.closing(
            lives(
                folder, _seeds(options, tally), options.jobs, changes, options.only, options.keep is not None
            )
        ) as found:
            for lived in found:
                tally.add(lived)
                if lived.faults and options.first_fault:
                    break
        if tally.faulty:
            first = min(tally.faulty, key=lambda one: (len(one.events), one.seed))
            tally.say(f"looking for the events that seed {first.seed} needs")
            least = (first, smallest(folder / "smallest", first, changes))
    except KeyboardInterrupt:
        stopped = True
    _report(tally, least)
    return 130 if stopped else int(bool(tally.faulty))


def _report(tally: _Tally, least: tuple[Lived, list[int]] | None) -> None:
    options, hours = tally.options, tally.elapsed_s / 3600
    repeat = repeat_command(least[0].seed, least[1], options.sabotage) if least else ""
    if options.json:
        said = {
            "lives": tally.lived, "seconds": round(tally.elapsed_s, 1), "harms": dict(tally.harms),
            "faults": [one._asdict() for one in tally.faulty], "smallest": repeat,
        }  # fmt: skip
        print(json.dumps(said))
        return
    print(f"row: seeds: lives with a fault | {len(tally.faulty)} of {tally.lived} | target 0 | ", end="")
    print("short" if tally.faulty else "ok")
    print(f"row: seeds: lives an hour | {tally.lived / hours:.0f} | {options.jobs} at once")
    for name, count in sorted(tally.harms.items()):
        print(f"row: seeds: {name} | {count} | harms")
    if least:
        print(f"smallest fault: {least[0].faults[0]}")
        print(f"repeat: {repeat}")


def _tell_plans(options: argparse.Namespace) -> int:
    for seed in range(options.first, options.first + options.count):
        plan = planned(seed, options.only)
        print(f"seed {seed}: {plan._replace(events=())}")
        for event in plan.events:
            print(f"  {event.number} at {event.at_s:.6f} s: {event.kind}")
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> int:
    """Live; see the exit codes above."""
    options = _parser().parse_args(argv)
    if options.plan:
        return _tell_plans(options)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.keep:
            options.keep.mkdir(parents=True)
            return _search(options.keep.resolve(), options)
        folder = Path(tempfile.mkdtemp(prefix="cytowatch-seeds-"))
        try:
            return _search(folder, options)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except FileExistsError:
        print(f"seeds refused: --keep {options.keep} exists", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
