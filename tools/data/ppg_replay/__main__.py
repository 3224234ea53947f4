"""Run a recorded PPG through the firmware's own signal chain: one CSV row for every second, valid or not.

FILE is a table whose header names the columns red and ir (counts of an 18-bit converter). A column of times (t_s, t_ms,
...) is compared with --fs, and its holes are lost samples. Other columns are ignored.
Row t_s = k has the firmware's values at the end of second k; the last second may be incomplete. With valid = 0 the
values are blank and `reason` says why. Exit 0: all rows written. 1: the interpreter failed. 2: the file or an option
is wrong; the text names the line.
"""

import argparse
import contextlib
import itertools
import math
import sys
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from host_agent.terminal import exits
from host_agent.terminal.streams import run_clean
from tools.data.ppg_replay.chain import HEADER
from tools.data.ppg_replay.recording import FULL_SCALE, Recording
from tools.data.ppg_replay.resample import MAX_HZ, MIN_HZ, to_25_hz
from tools.data.ppg_replay.runtimes import InterpreterError, interpreter, on_cpython, on_micropython
from tools.data.table.new_file import new_file
from tools.data.table.problems import TableError, quoted
from tools.data.table.text_lines import opened

RATE_MAX = 40  # characters
_HELD_S = 10
_QUIET_S = 2.0  # shorter runs show no progress


def rate(text: str) -> Fraction:
    """A rate in Hz from the text of an option."""
    try:
        # A Fraction of 1e99999999 would never be complete: the range comes first.
        above, _, below = text[:RATE_MAX].partition("/")
        near = float(above) / float(below or 1)
        if len(text) > RATE_MAX or not math.isfinite(near) or (below and not (above + below).isdecimal()):
            raise ValueError
        value = Fraction(text) if MIN_HZ <= near <= MAX_HZ else near
    except (ValueError, ZeroDivisionError, OverflowError):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a number") from None
    if value < MIN_HZ:
        raise argparse.ArgumentTypeError(f"{text} Hz is too slow to see a beat: {MIN_HZ} to {MAX_HZ} Hz")
    if value > MAX_HZ:
        raise argparse.ArgumentTypeError(f"{text} Hz is too fast: {MIN_HZ} to {MAX_HZ} Hz")
    return Fraction(value)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.data.ppg_replay", description=__doc__)
    parser.add_argument("file", help="CSV file, or - for stdin")
    samples_a_second = f"samples a second, {MIN_HZ} to {MAX_HZ}"
    parser.add_argument("--fs", type=rate, required=True, metavar="HZ", help=samples_a_second)
    runtimes = ("micropython", "cpython")
    parser.add_argument("--runtime", choices=runtimes, help="default: micropython if installed")
    parser.add_argument("--ir-only", action="store_true", help="one column ir: heart rate, no SpO2")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write to FILE once all rows are complete")
    options = parser.parse_args(argv)
    try:
        _check_whole(options)
        source = Path(options.file)
        with (
            _opened(options.file) as raw,
            new_file(options.out, source) if options.out else contextlib.nullcontext(sys.stdout) as out,
        ):
            recording = Recording(raw, options.file, options.fs, options.ir_only)
            run = _runtime(options.runtime)
            out.write(HEADER + "\n")
            rows = run(to_25_hz(recording, options.fs), options.ir_only)
            for row in _with_progress(_held(rows) if recording.is_timed else rows):
                out.write(row)
            out.flush()
    except SystemExit as end:  # the reader closed the pipe, as `head` does
        if end.code == exits.OUTPUT_CLOSED:
            return 0
        raise
    except TableError as error:
        print(f"ppg_replay: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ppg_replay: {error.filename or options.file}: {error.strerror or error}", file=sys.stderr)
        return 2
    except InterpreterError as error:
        print(f"ppg_replay: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ppg_replay: stopped", file=sys.stderr)
        return 130
    if not recording.is_timed:
        print("ppg_replay: without a column of times nothing shows that --fs is right", file=sys.stderr)
    if recording.lost:
        lost = f"{recording.lost} of {recording.count} samples"
        print(f"ppg_replay: {lost} were blank or NaN, negative or missing by their times", file=sys.stderr)
    if recording.outside:
        outside = f"{recording.outside} values were outside 0..{FULL_SCALE}"
        print(f"ppg_replay: {outside}: below counts as lost, above as full scale", file=sys.stderr)
    return 0


def _check_whole(options: argparse.Namespace) -> None:
    """Read a file to its end first: what is wrong in its last line gives no value either."""
    if Path(options.file).is_file():
        with _opened(options.file) as raw:
            for _ in Recording(raw, options.file, options.fs, options.ir_only):
                pass


def _held(rows: Iterable[str]) -> Iterator[str]:
    """The rows, the first ones only when the times have agreed with the rate for that long; matters for a pipe."""
    rows = iter(rows)
    yield from list(itertools.islice(rows, _HELD_S))
    yield from rows


def _opened(name: str) -> contextlib.AbstractContextManager[BinaryIO]:
    if name != "-":
        return opened(Path(name))
    if sys.stdin is None:
        raise TableError("'-' is standard input, and it is closed. Name a file, or pipe one in")
    return contextlib.nullcontext(sys.stdin.buffer)


def _runtime(name: str | None):  # type: ignore[no-untyped-def]
    if name is None:
        name = "micropython" if interpreter().exists() else "cpython"
    return on_micropython if name == "micropython" else on_cpython


def _with_progress(rows: Iterable[str]) -> Iterator[str]:
    """The rows, with progress on a terminal when they take long."""
    begun_s = shown_s = time.monotonic()
    shown = False
    for count, row in enumerate(rows, 1):
        yield row
        now_s = time.monotonic()
        if sys.stderr.isatty() and now_s - begun_s > _QUIET_S and now_s - shown_s > 0.5:
            shown_s, shown = now_s, True
            print(f"\rppg_replay: {count} s", end="", file=sys.stderr, flush=True)
    if shown:
        print(file=sys.stderr)


if __name__ == "__main__":
    run_clean(main)
