"""A week of a patient's life in minutes, while everything that can go wrong does: `make soak`.

The virtual wearable (real MicroPython, real LittleFS) and the real `cytowatch run` are killed, cut, suspended and
misled by a seeded schedule; at the end the store is compared with the wearable's flash, record by record. Progress on
stderr, rows on stdout. Exit 0: nothing lost, nothing doubled; 1: something was, or a process ended that no harm had
ended; 2: asked wrongly; 130: Ctrl-C, after what was reached.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tools.lab.soak.harmed_bedside import StuckError
from tools.lab.soak.life import Life
from tools.lab.soak.report import as_json, rows
from tools.rig.journal_check import JournalDiffersError
from tools.rig.wearable import WearableError

WEEK_READINGS = 60_480  # one every ten seconds for a week


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.lab.soak", description=__doc__)
    parser.add_argument(
        "--readings", type=_positive, metavar="N",
        help=f"until so many are stored (default {WEEK_READINGS}, a week's, unless --seconds is given)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=_positive, metavar="S", help="until so many real seconds have passed"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="repeats the harms of a run (default: a new one)"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep flash, store and logs in this new folder"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of rows")
    return parser


def _run(folder: Path, options: argparse.Namespace) -> int:
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    readings = options.readings or (None if options.seconds else WEEK_READINGS)
    print(f"soak: SIMULATED wearer, seed {seed}, in {folder}", file=sys.stderr, flush=True)
    life = Life(folder, seed, readings, options.seconds)
    try:
        verdict = life.run()
    except KeyboardInterrupt:
        life.say(f"stopped before it could be compared; --seed {seed} repeats the harms")
        return 130
    except (StuckError, WearableError, AssertionError, JournalDiffersError, OSError) as error:
        life.say(f"failed, seed {seed}: {error}")
        print("\n".join(life.bedside.findings), file=sys.stderr)
        return 1
    findings = life.bedside.findings
    if options.json:
        print(json.dumps(as_json(verdict, life.counts, findings, seed, life.elapsed_s)))
    else:
        print("\n".join(rows(verdict, life.counts, findings, seed)))
    return 0 if verdict.passed and not findings else 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> int:
    """Run one life; see the exit codes above."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.keep:
            options.keep.mkdir(parents=True)
            return _run(options.keep.resolve(), options)
        folder = Path(tempfile.mkdtemp(prefix="cytowatch-soak-"))
        code = _run(folder, options)
        if code == 1:
            print(f"soak: flash, store and logs are left in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
        return code
    except FileExistsError:
        print(f"soak refused: --keep {options.keep} exists", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
