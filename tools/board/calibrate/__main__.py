"""Compare a wearable with a reference: `python -m tools.board.calibrate spo2 PAIRS.csv --by "lab 2, oximeter X"`.

It fits the pairs and prints the calibration. It writes nothing unless asked: --out FILE saves the text; --port PORT
--apply writes it to the wearable and restarts it. The half that was not measured (curve or temperature) comes from
--base FILE or from the wearable on --port.
"""

import argparse
import datetime
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from crs_core import calibration
from crs_core.errors import RemoteError
from crs_core.spo2_curve import AN6845

from host_agent.errors import ConfigError
from host_agent.terminal.streams import run_clean
from tools.board.calibrate.fit import Spo2Fit, TemperatureFit, fit_spo2, fit_temperature, formula
from tools.board.calibrate.pairs import CalibrateError, read_spo2, read_temperature
from tools.board.calibrate.recording import pairs_of
from tools.board.port import PortError, add_guard_options, guard_of, released
from tools.board.provision import ProvisionError, provision, show
from tools.data.table.new_file import new_file
from tools.data.table.problems import TableError, quoted
from tools.data.table.text_lines import read_text

Fit = TypeVar("Fit", Spo2Fit, TemperatureFit)
UNMEASURED = calibration.Calibration("", AN6845, 0, 0, 0, 0, 0, "")


EARLIEST = "2020-01-01"


class AskedWronglyError(Exception):
    """Options are missing or contradict each other."""


def _by(text: str) -> str:
    """The origin as the calibration's text can hold it."""
    for sign in text:
        if sign == ";" or not " " <= sign <= "~":
            raise argparse.ArgumentTypeError(
                f"{quoted(sign)} is not allowed in {quoted(text)}: ASCII without ';'"
            )
    if not 1 <= len(text.strip()) <= calibration.BY_MAX:
        raise argparse.ArgumentTypeError(f"it has {len(text.strip())} characters: 1 to {calibration.BY_MAX}")
    return text.strip()


def _date(text: str) -> str:
    """A day that exists and is not in the future."""
    try:
        day = datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        day = ""
    if not day or day != text:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no day. Write it as 2026-03-31")
    if not EARLIEST <= day <= datetime.date.today().isoformat():
        raise argparse.ArgumentTypeError(f"{day} is in the future or before {EARLIEST}")
    return day


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.board.calibrate", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    spo2 = kinds.add_parser("spo2", help="the curve from the ratio of ratios R to SpO2")
    spo2.add_argument("pairs", type=Path, nargs="?", help="CSV with columns r_milli,spo2_ref_pct")
    spo2.add_argument(
        "--recording", type=Path, metavar="RAW", help="instead: CSV with columns red,ir (counts)"
    )
    spo2.add_argument("--fs", type=float, metavar="HZ", help="samples a second of the recording")
    spo2.add_argument("--reference", type=Path, metavar="REF", help="CSV with columns t_s,spo2_pct")
    temperature = kinds.add_parser("temperature", help="the offset of the thermometer chip")
    probe_columns = "CSV with columns device_c (the chip's own value, temp_raw_cc / 100), reference_c"
    temperature.add_argument("pairs", type=Path, help=probe_columns)
    by = f"who measured, with which reference; at most {calibration.BY_MAX} characters"
    today = datetime.date.today().isoformat()
    for kind in (spo2, temperature):
        kind.add_argument("--by", required=True, type=_by, help=by)
        kind.add_argument("--date", default=today, type=_date, help="YYYY-MM-DD (default: today)")
        kind.add_argument("--base", type=Path, metavar="FILE", help="calibration with the other half")
        kind.add_argument("--port", help="wearable to take the other half from")
        kind.add_argument(
            "--apply", action="store_true", help="write to the wearable on --port and restart it"
        )
        kind.add_argument("--out", "-o", type=Path, metavar="FILE", help="write the calibration text here")
        kind.add_argument("--json", action="store_true", help="print the result as JSON on stdout")
        add_guard_options(kind)
    return parser


def _check(options: argparse.Namespace) -> None:
    if options.apply and not options.port:
        raise AskedWronglyError("--apply needs --port PORT")
    if options.base and options.port:
        raise AskedWronglyError("give --base or --port, not both: the other half comes from one of them")
    if options.kind == "spo2":
        recorded = [one is not None for one in (options.recording, options.fs, options.reference)]
        if not (all(recorded) if options.pairs is None else not any(recorded)):
            raise AskedWronglyError("give PAIRS.csv, or --recording RAW --fs HZ --reference REF")


def _base(options: argparse.Namespace) -> Any:
    """The calibration that the half that is not measured comes from."""
    if options.port:
        with released(options.port, guard_of(options)):
            settings = show(options.port, True).settings
        if not settings:
            raise ProvisionError(f"{options.port}: not provisioned. Run tools.board.provision first.")
        text = str(settings.get("calibration", ""))
    elif options.base:
        text = read_text(options.base).strip()
    else:
        text = ""
    try:
        return calibration.parse(text) if text else UNMEASURED
    except RemoteError as error:
        raise CalibrateError(f"{options.base or options.port}: {error}") from None


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Fit the pairs and merge with the other half; `text` is the calibration, `lines` describe it for people."""
    base = _base(options)
    if options.kind == "spo2":
        lag_s = None
        repeated, simulated = 0, False
        if options.pairs is not None:
            pairs, repeated = read_spo2(options.pairs)
        else:
            pairs, lag_s, simulated = pairs_of(options.recording, options.fs, options.reference)
        fit = _fitted(lambda: fit_spo2(pairs, base.spo2), repeated)
        made = base._replace(spo2=fit.curve, spo2_n=fit.pairs, spo2_arms=round(100 * fit.arms))
        unit = "second" if lag_s is not None else "line"
        lines = [
            *_repeated(repeated),
            *(["SIMULATED: this light is of no real finger"] if simulated else []),
            *([f"reference {lag_s:+d} s behind R"] if lag_s is not None else []),
            f"{formula(fit.curve)} from {fit.pairs} pairs, {fit.spo2_range[0]:g} to {fit.spo2_range[1]:g} %,"
            f" R {fit.ratio_range[0]:.3f} to {fit.ratio_range[1]:.3f}",
            f"ARMS over all pairs: {fit.arms_before:.2f} % before, {fit.arms:.2f} % by leave-one-out",
            *(
                f"left out of the fit, counted in ARMS: {unit} {one.line} (R {one.device:.3f}, {one.reference:g} %)"
                for one in fit.outliers
            ),
        ]
        figures = fit._asdict() | {"lag_s": lag_s, "outliers": [one._asdict() for one in fit.outliers]}
    else:
        pairs, repeated = read_temperature(options.pairs)
        offset = _fitted(lambda: fit_temperature(pairs), repeated)
        temp, temp_sd = round(100 * offset.offset_c), round(100 * offset.sd_c)
        made = base._replace(temp=temp, temp_n=offset.pairs, temp_sd=temp_sd)
        lines = [
            *_repeated(repeated),
            f"temperature {offset.offset_c:+.3f} °C from {offset.pairs} pairs, standard deviation {offset.sd_c:.3f} °C",
            f"farthest: line {offset.worst.line}",
        ]
        figures = offset._asdict() | {"worst": offset.worst._asdict()}
    text = calibration.encode(made._replace(date=options.date, by=options.by))
    try:
        calibration.parse(text)
    except RemoteError as error:
        raise CalibrateError(str(error)) from None
    return {"text": text, "id": calibration.id_of(text), "lines": lines, "figures": figures}


def _fitted(fit: Callable[[], Fit], repeated: int) -> Fit:
    """What `fit` gives; its refusal says how many rows were not counted."""
    try:
        return fit()
    except CalibrateError as error:
        raise CalibrateError(". ".join([str(error), *_repeated(repeated)])) from None


def _repeated(count: int) -> list[str]:
    return [f"{count} rows repeat an earlier pair and are not counted"] if count else []


def _write(options: argparse.Namespace, text: str) -> str:
    """Write the text to --out and to the wearable, as asked; say in words what was done."""
    done = []
    if options.out:
        sources = [path for path in (options.pairs, getattr(options, "recording", None)) if path]
        with new_file(options.out, *sources) as out:
            out.write(text + "\n")
        done.append(f"written to {options.out}")
    if options.apply:
        with released(options.port, guard_of(options)):
            provision(options.port, {"calibration": text})
        done.append(f"written to the wearable at {options.port}, which restarts now")
    nothing = "nothing was written. Use --out FILE, or --port PORT --apply to write it to a wearable"
    return "; ".join(done) or nothing


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 when done, 1 when the board refused, 2 when an option or a file was refused."""
    options = _parser().parse_args(arguments)
    try:
        _check(options)
        result = measure(options)
        # Whatever keeps the result from being seen must come before the wearable changes.
        found = "\n".join([*result["lines"], f"calibration {result['id']}: {result['text']}"])
        print(found, file=sys.stderr if options.json else sys.stdout, flush=True)
        done = _write(options, result["text"])
    except (AskedWronglyError, CalibrateError, TableError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 2
    except (ProvisionError, PortError, ConfigError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("calibrate: stopped. See the settings with tools.board.provision PORT --show.", file=sys.stderr)
        return 1
    if options.json:
        shown = {key: result[key] for key in ("text", "id", "figures")}
        print(json.dumps(shown | {"applied": options.apply}))
    print(done, file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_clean(main)
