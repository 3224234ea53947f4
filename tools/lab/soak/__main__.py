"""As many readings as a fortnight has, in minutes, while everything that can go wrong does: `make soak`.

The virtual wearable (real MicroPython, real LittleFS) and the real `cytowatch run` are killed, cut, suspended and
misled as a seed says, in simulated time; at the end the store is compared with the wearable's flash, record by record.
Progress on stderr, rows on stdout. Exit 0: nothing lost, nothing doubled; 1: something was, or a process ended that no
harm had ended; 2: asked wrongly; 130: Ctrl-C, after what was reached.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tools.conductor.errors import ConductorError
from tools.lab.soak.harmed_bedside import StuckError
from tools.lab.soak.life import Life
from tools.lab.soak.report import as_json, rows
from tools.rig.journal_check import JournalDiffersError
from tools.rig.wearable import WearableError

FORTNIGHT_READINGS = 120_960  # one every ten seconds for two weeks


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.lab.soak", description=__doc__)
    parser.add_argument(
        "--readings", type=_positive, metavar="N",
        help=f"until so many are stored (default {FORTNIGHT_READINGS}, a fortnight's, unless --seconds is given)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=_positive, metavar="S",
        help="until so many seconds of simulated time have passed, with --real-time of this computer's",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, metavar="N", help="repeats a life to the byte (default: a new one)"
    )
    parser.add_argument("--real-time", action="store_true", help="live by this computer's clock")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep flash, store and logs in this new folder"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of rows")
    return parser


def _run(folder: Path, options: argparse.Namespace) -> int:
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    readings = options.readings or (None if options.seconds else FORTNIGHT_READINGS)
    print(f"soak: SIMULATED wearer, seed {seed}, in {folder}", file=sys.stderr, flush=True)
    life = Life(folder, seed, readings, options.seconds, options.real_time)
    try:
        verdict = life.run()
    except KeyboardInterrupt:
        life.say(f"stopped before it could be compared{_repeat(options, seed)}")
        return 130
    except (ConductorError, StuckError, WearableError, AssertionError, JournalDiffersError, OSError) as error:
        life.say(f"failed{_repeat(options, seed)}: {error}")
        print("\n".join(life.findings), file=sys.stderr)
        return 1
    findings = life.findings
    if options.json:
        print(json.dumps(as_json(verdict, life.counts, findings, seed, life.elapsed_s)))
    else:
        print("\n".join(rows(verdict, life.counts, findings, life.elapsed_s)))
        print(
            f"row: soak: seed | {seed} | {'real time' if options.real_time else f'--seed {seed} repeats it'}"
        )
    return 0 if verdict.passed and not findings else 1


def _repeat(options: argparse.Namespace, seed: int) -> str:
    return "" if options.real_time else f"; --seed {seed} repeats it to the byte"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> int:
    """Run one life; see the exit codes above."""
    options = _parser().parse_args(argv)
    if options.real_time and options.seed is not None:
        print("soak refused: --seed repeats a life to the byte, and real time never does", file=sys.stderr)
        return 2
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
