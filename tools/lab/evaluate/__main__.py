"""Evaluate the wearable's rules on simulated patients: `python -m tools.lab.evaluate`. Everything printed is simulated.

Each figure is a row `row: NAME | FIGURE | target T | ok` (or `short`). Exit 0 when every figure was calculated, even
if a target was missed; 1 when one could not be, or after Ctrl-C; 2 when an option is wrong.
"""

import argparse
import json
import multiprocessing
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from crs_core.errors import LocalError
from crs_core.grade import rules

from tools.lab.evaluate import icu, machine, parameters, plots, report, score
from tools.lab.evaluate.patient import simulate
from tools.lab.evaluate.score import Outcome

CHECKED_PATIENTS = 2
CHECKED_DAYS = 3


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.lab.evaluate", description=__doc__)
    parser.add_argument("--patients", type=_positive, default=100, help="simulated patients (default 100)")
    parser.add_argument(
        "--seed", type=int, default=1, help="a seed always gives the same figures (default 1)"
    )
    parser.add_argument("--days", type=_positive, default=14, help="days watched, with day 0 (default 14)")
    parser.add_argument("--processes", type=_positive, default=multiprocessing.cpu_count())
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures and outcomes as JSON")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write plots as SVG")
    parser.add_argument("--icu", action="store_true", help="run the charted stays of icu-vitals instead")
    parser.add_argument(
        "--stays", type=_positive, default=400, help="stays compared on both runtimes (--icu)"
    )
    rule = "try another value of a rule, within its signed bounds (repeatable)"
    parser.add_argument("--rule", action="append", default=[], metavar="NAME=VALUE", help=rule)
    own = "give each patient saturation limits from the patient's own first day (see own_limits.py)"
    parser.add_argument("--own-limits", action="store_true", help=own)
    parser.add_argument("--parameters", action="store_true", help="print the tables of parameters and exit")
    return parser


def _rules(changes: list[str]) -> rules.Rules:
    """The default rules with the given numbers; LocalError names the number that is refused."""
    limits = {}
    for change in changes:
        name, _, number = change.partition("=")
        if not number.isdigit():
            raise LocalError(f"--rule {change} is not valid. Write NAME=VALUE with a whole number.")
        limits[name] = int(number)
    return rules.with_limits(rules.DEFAULT, limits)


def outcomes_of(
    patients: int, seed: int, days: int, processes: int, rule_set: rules.Rules = rules.DEFAULT,
    with_own_limits: bool = False,
) -> list[Outcome]:  # fmt: skip
    """Simulate and score every patient, in several processes; progress on stderr."""
    work = partial(score.one_patient, seed, days=days, rule_set=rule_set, with_own_limits=with_own_limits)
    done: list[Outcome] = []
    begun_s = time.monotonic()
    # Only this process handles Ctrl-C; it then ends the others.
    with multiprocessing.Pool(processes, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        for one in pool.imap_unordered(work, range(patients)):
            done.append(one)
            passed_s = time.monotonic() - begun_s
            progress = f"evaluate: patient {len(done)} of {patients}, {passed_s:.0f} s"
            print(progress, file=sys.stderr, flush=True)
    return sorted(done, key=lambda one: one.number)


def same_each_second(seed: int, patients: int, days: int) -> tuple[str, bool]:
    """Compare a course that skips steps with one that steps every second; (the finding, whether they agree)."""
    found, compared, latest_s = 0, 0, 0
    for number in range(patients):
        patient = simulate(seed, number, days)
        short, full = machine.run(patient.worn), machine.run(patient.worn, every_second=True)
        key = [(one.alarm, one.priority) for one in short.alarms]
        if sorted(key) != sorted((one.alarm, one.priority) for one in full.alarms):
            counts = f"{len(short.alarms)} alarms, {len(full.alarms)} with a step each second"
            return f"patient {number}: {counts}", False
        for one in (score.score(patient, short, seed), score.score(patient, full, seed)):
            found += one.found[score.RAW] * (1 if compared % 2 == 0 else -1)
            compared += 1
        by_key = sorted(short.alarms, key=lambda a: (a.alarm, a.start_s))
        for a, b in zip(by_key, sorted(full.alarms, key=lambda a: (a.alarm, a.start_s)), strict=True):
            latest_s = max(latest_s, a.start_s - b.start_s)
    same = f"same alarms, same fevers found, starts at most {latest_s} s later"
    return f"{patients} patients x {days} d: {same}", found == 0 and latest_s < 10


def _print(row: report.Row, kept: list[dict[str, Any]], mark: str = "simulated: ") -> None:
    name, figure, target, reached = row
    name = mark + name
    kept.append({"name": name, "figure": figure, "target": target, "reached": reached})
    print(f"row: {name} | {figure} | target {target} | {'ok' if reached else 'short'}", flush=True)


def _simulated(arguments: argparse.Namespace) -> int:
    rule_set = _rules(arguments.rule)
    hashed = rules.rule_hash(rule_set).hex()
    changed = "".join(f", {one}" for one in arguments.rule)
    run = f"{arguments.patients} patients x {arguments.days} d, seed {arguments.seed}"
    if arguments.own_limits:
        changed += ", saturation limits from each patient's own first day"
    print(f"simulated: {run}, rules {hashed}{changed}", flush=True)
    kept: list[dict[str, Any]] = []
    checked = min(arguments.patients, CHECKED_PATIENTS), min(arguments.days, CHECKED_DAYS)
    shown, same = same_each_second(arguments.seed, *checked)
    _print(("steps left out against a step each second", shown, "the same", same), kept)
    size = arguments.patients, arguments.seed, arguments.days, arguments.processes
    outcomes = outcomes_of(*size, rule_set, arguments.own_limits)
    for row in report.rows(outcomes):
        _print(row, kept)
    for note in report.notes(outcomes):
        print(f"note: {note}")
    for one in outcomes:
        for what in one.better_by_loss[:3]:
            print(f"note: patient {one.number}: {what}")
    if arguments.json:
        document = {
            "simulated": True, "seed": arguments.seed, "days": arguments.days, "rule_hash": hashed, "rows": kept,
            "patients": [_plain(vars(one)) for one in outcomes],
        }  # fmt: skip
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")
        print(f"wrote {arguments.json}", file=sys.stderr)
    if arguments.plots:
        for path in plots.write(arguments.plots, outcomes, arguments.seed, rule_set):
            print(f"wrote {path}", file=sys.stderr)
    return 0


def _plain(document: Any) -> Any:
    """The document with tuple keys joined into text, as JSON needs."""
    if isinstance(document, dict):
        keys = ("/".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in document)
        return {key: _plain(item) for key, item in zip(keys, document.values(), strict=True)}
    return [_plain(item) for item in document] if isinstance(document, list | tuple) else document


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.parameters:
        print(parameters.as_markdown())
        return 0
    try:
        if arguments.icu:
            kept: list[dict[str, Any]] = []
            for row in icu.rows(arguments.stays):
                _print(row, kept, "icu-vitals: ")
            return 0
        return _simulated(arguments)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 2
    except icu.NoRecordings as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("evaluate: stopped", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
