"""Run a recording of raw light through the firmware's own pulse oximetry and print what the wearable would have said.

FILE is a CSV whose first line names the columns `red,ir` (counts of an 18-bit converter; others are left aside), or
`ir` with --ir-only. A blank or NaN is a lost sample. One row for each whole second of input: `t_s` is the end of that
second; `valid` 1, or 0 with blank values and the reason.
"""

import argparse
import json
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "firmware"))  # crs_device is no package of the host

from crs_core import units  # noqa: E402 the path first

from tools.ppg_replay.chain import answers  # noqa: E402
from tools.ppg_replay.resample import RATE_MAX_HZ, RATE_MIN_HZ, Sample, resampled  # noqa: E402
from tools.ppg_replay.samples import RecordingError, Samples  # noqa: E402

HEADER = "t_s,hr_bpm,spo2_pct,pi_pct,valid,reason"
REASONS = {
    units.PPG_ABSENT: "absent",
    units.PPG_NO_CONTACT: "no contact",
    units.PPG_SETTLING: "settling",
    units.PPG_LOW_PERFUSION: "low perfusion",
    units.PPG_MOTION: "motion",
    units.PPG_IRREGULAR: "irregular",
    units.PPG_SATURATED: "saturated",
    units.PPG_SWAPPED: "swapped channels",
    units.PPG_STALE: "stale",
    units.PPG_NO_PULSE: "no pulse",
}
Answer = tuple[int | None, int | None, int | None, int]
_TELL_EACH_ROWS = 600
_CHAIN = Path(__file__).with_name("chain.py")


def _interpreter() -> Path:
    return Path(sys.executable).with_name("micropython")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.ppg_replay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", help="recording to read; - is standard input")
    parser.add_argument(
        "--fs", type=_rate, required=True, metavar="HZ", help="its samples a second, 10 to 10000"
    )
    parser.add_argument(
        "--ir-only",
        action="store_true",
        help="there is one column `ir`, in counts: heart rate and perfusion only",
    )
    parser.add_argument(
        "--runtime", choices=("micropython", "cpython"),
        help="what runs the chain; the rows are the same (default: micropython where it is installed)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the rows there (default: standard output)"
    )
    parser.add_argument("--json", action="store_true", help="print a summary instead of the rows")
    return parser


def _rate(text: str) -> float:
    rate_hz = float(text)
    if not RATE_MIN_HZ <= rate_hz <= RATE_MAX_HZ:
        raise argparse.ArgumentTypeError(f"{text} Hz is outside {RATE_MIN_HZ:g} to {RATE_MAX_HZ:g}")
    return rate_hz


def pack(samples: Iterable[Sample], file: BinaryIO) -> int:
    """Write 25 Hz samples as chain.py reads them; return how many. One channel stands in both places."""
    count = 0
    for count, sample in enumerate(samples, 1):  # noqa: B007 the count is the answer
        pair = (-1, -1) if sample is None else (int(sample[0]), int(sample[-1]))
        file.write(struct.pack("<ii", *pair))
    return count


def run_chain(path: Path, ir_only: bool, runtime: str) -> Iterator[Answer]:
    """The chain's answers over a packed file, one a second."""
    if runtime == "cpython":
        yield from answers(path, ir_only)
        return
    command = [str(_interpreter()), str(_CHAIN), str(path), "ir" if ir_only else "both"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        try:
            for line in process.stdout:
                words = [None if word == "-" else int(word) for word in line.split()]
                yield words[0], words[1], words[2], int(words[3] or 0)
        except BaseException:  # nobody reads on
            process.kill()
            raise
        if process.wait():
            raise RuntimeError(f"the chain failed on MicroPython:\n{process.stderr.read()}")


def row(t_s: int, answer: Answer) -> str:
    """One line of the answer."""
    spo2_tenths, hr_bpm, pi_hundredths, state = answer
    if state != units.PPG_VALID or hr_bpm is None or pi_hundredths is None:
        return f"{t_s},,,,0,{REASONS.get(state, f'state {state}')}"
    spo2 = "" if spo2_tenths is None else f"{spo2_tenths / 10:.1f}"
    return f"{t_s},{hr_bpm},{spo2},{pi_hundredths / 100:.2f},1,"


def _replay(
    source: TextIO, out: TextIO | None, arguments: argparse.Namespace, runtime: str
) -> dict[str, object]:
    """Write the rows to `out`, if there is one; return the summary."""
    samples = Samples(source, ("ir",) if arguments.ir_only else ("red", "ir"))
    tell = sys.stderr.isatty()
    said: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="ppg-replay-") as folder:
        packed = Path(folder) / "samples"
        with packed.open("wb") as file:
            count = pack(resampled(samples, arguments.fs), file)
        if count == 0:
            raise RecordingError("no samples after the first line")
        if out is not None:
            print(HEADER, file=out)
        for t_s, answer in enumerate(run_chain(packed, arguments.ir_only, runtime), 1):
            said["valid" if answer[3] == units.PPG_VALID else REASONS.get(answer[3], str(answer[3]))] += 1
            if out is not None:
                print(row(t_s, answer), file=out)
            if tell and t_s % _TELL_EACH_ROWS == 0:
                print(f"\rppg_replay: {t_s} s", end="", file=sys.stderr)
    if samples.lost or samples.clipped:
        outside = f"{samples.clipped} values outside the converter's range and clipped"
        print(f"ppg_replay: {samples.lost} samples lost, {outside}", file=sys.stderr)
    rows = sum(said.values())
    return {
        "rows": rows, "valid": said.pop("valid", 0), "reasons": dict(sorted(said.items())),
        "samples_lost": samples.lost, "values_clipped": samples.clipped, "runtime": runtime,
    }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Exit 0; 2 for a recording or option that cannot be used."""
    arguments = _parser().parse_args(argv)
    runtime = arguments.runtime or ("micropython" if _interpreter().exists() else "cpython")
    try:
        if runtime == "micropython" and not _interpreter().exists():
            raise RecordingError(
                f"{_interpreter()} is missing: `make setup` installs it, or take --runtime cpython"
            )
        source = sys.stdin if arguments.file == "-" else Path(arguments.file).open(newline="")  # noqa: SIM115
        with source:
            if arguments.json:
                print(json.dumps(_replay(source, None, arguments, runtime)))
            elif arguments.out is None:
                _replay(source, sys.stdout, arguments, runtime)
            else:
                with arguments.out.open("w") as out:
                    _replay(source, out, arguments, runtime)
    except BrokenPipeError:  # the reader has enough
        sys.stderr.close()  # or the interpreter complains about the pipe once more
    except (RecordingError, OSError) as error:
        print(f"ppg_replay: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
