"""Convert other recordings into the format that the virtual wearable plays, or check one (see README.md)."""

import argparse
import sys
from pathlib import Path

from host_agent.terminal.streams import run_clean
from tools.data.recording.desaturation import Desaturation
from tools.data.recording.icu import JOIN_MIN, MINUTE_MAX, read_stay, rows
from tools.data.recording.reader import read_recording
from tools.data.recording.writer import write_recording
from tools.data.table.numbers import Numbers
from tools.data.table.problems import TableError, quoted


def _minute(text: str) -> float:
    """A minute from the text of an option."""
    try:
        value = Numbers().read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not 0 <= value <= MINUTE_MAX:
        raise argparse.ArgumentTypeError(f"{text} is outside 0..{MINUTE_MAX:g}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.data.recording", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    charted = "one stay of charted vital signs (rec,minute,name,value; .csv or .csv.gz)"
    icu = kinds.add_parser("icu", help=charted)
    icu.add_argument("file", type=Path)
    icu.add_argument("--rec", required=True, help="number of the stay")
    icu.add_argument("--from-min", type=_minute, default=0.0, help="first minute (default 0)")
    icu.add_argument("--to-min", type=_minute, help="last minute (default: the last charted value)")
    desaturation = kinds.add_parser("desaturation", help="one session of induced desaturation, 1 Hz")
    desaturation.add_argument("file", type=Path)
    desaturation.add_argument("--temp-c", type=float, help="assumed temperature (default: thermometer off)")
    for kind in (icu, desaturation):
        kind.add_argument("-o", "--output", type=Path, required=True)
    check = kinds.add_parser("check", help="read a recording and list its errors")
    check.add_argument("file", type=Path)
    return parser


def _icu(arguments: argparse.Namespace) -> str:
    stay = read_stay(arguments.file, arguments.rec)
    comments = [
        "interpolated",
        f"stay {arguments.rec} from minute {arguments.from_min:g}",
        f"charted values up to {JOIN_MIN // 60} h apart joined by straight lines, longer gaps left blank",
    ]
    if stay.dropped:
        comments.append(f"charted values outside what a body can have, dropped: {stay.dropped}")
    count = write_recording(
        arguments.output, arguments.file, comments, rows(stay, arguments.from_min, arguments.to_min)
    )
    done = f"{arguments.output}: rows {count}, implausible values dropped {stay.dropped}"
    if stay.contradicted:
        done += f", minutes with two different values of one sign, left blank: {len(stay.contradicted)}"
    if stay.ignored:
        names = ", ".join(f"{quoted(name)} {number}" for name, number in stay.ignored.most_common(10))
        done += f", values of other names ignored: {names}{', ...' if len(stay.ignored) > 10 else ''}"
    return done


def _desaturation(arguments: argparse.Namespace) -> str:
    if arguments.temp_c is not None and not 15.0 <= arguments.temp_c <= 45.0:
        raise TableError(f"--temp-c {arguments.temp_c:g} is outside 15..45 degrees Celsius")
    session = Desaturation(arguments.file)
    comments = ["induced desaturation, 1 Hz, median of the oximeters"]
    if arguments.temp_c is not None:
        comments.append(f"temp_c {arguments.temp_c:g} is assumed, not measured")
    count = write_recording(arguments.output, arguments.file, comments, session.rows(arguments.temp_c))
    found = f"{arguments.output}: rows {count}, lines without measurement {session.skipped}"
    return f"{found}, holes left blank {session.holes}" if session.holes else found


def _check(arguments: argparse.Namespace) -> str:
    recording = read_recording(arguments.file)
    span_s = recording.points[-1].t_s - recording.points[0].t_s
    marks = ", interpolated" if recording.interpolated else ""
    found = f"{arguments.file}: rows {len(recording.points)}, {span_s:g} s{marks}"
    return "\n".join([found, *recording.notes])


def main(argv: list[str] | None = None) -> int:
    """Exit 0 when done, 2 when the file was refused, 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    try:
        print({"icu": _icu, "desaturation": _desaturation, "check": _check}[arguments.kind](arguments))
    except TableError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename or arguments.file}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("recording: stopped, nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    run_clean(main)
