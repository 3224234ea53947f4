"""Compare a wearable with a reference: `python -m tools.board.calibrate spo2 PAIRS.csv --by "lab 2, oximeter X"`.

It fits the pairs and prints the calibration. It writes nothing unless asked: --out FILE saves the text; --port PORT
--apply writes it to the wearable and restarts it. The half that was not measured (curve or temperature) comes from
--base FILE or from the wearable on --port.
"""

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

from crs_core import calibration
from crs_core.errors import RemoteError
from crs_core.spo2_curve import AN6845

from host_agent.errors import ConfigError
from tools.board.calibrate.fit import fit_spo2, fit_temperature, formula
from tools.board.calibrate.pairs import CalibrateError, read_spo2, read_temperature
from tools.board.calibrate.recording import pairs_of
from tools.board.port import PortError, add_guard_options, guard_of, released
from tools.board.provision import ProvisionError, provision, show

UNMEASURED = calibration.Calibration("", AN6845, 0, 0, 0, 0, 0, "")


class AskedWronglyError(Exception):
    """Options are missing or contradict each other."""


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
        kind.add_argument("--by", required=True, help=by)
        kind.add_argument("--date", default=today, help="YYYY-MM-DD (default: today)")
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
            raise CalibrateError(f"{options.port}: not provisioned. Run tools.board.provision first.")
        text = str(settings.get("calibration", ""))
    elif options.base:
        try:
            text = options.base.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CalibrateError(f"{options.base}: cannot be read: {error}") from None
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
        if options.pairs is not None:
            pairs = read_spo2(options.pairs)
        else:
            pairs, lag_s = pairs_of(options.recording, options.fs, options.reference)
        fit = fit_spo2(pairs, base.spo2)
        made = base._replace(spo2=fit.curve, spo2_n=fit.pairs, spo2_arms=round(100 * fit.arms))
        unit = "second" if lag_s is not None else "line"
        lines = [
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
        offset = fit_temperature(read_temperature(options.pairs))
        temp, temp_sd = round(100 * offset.offset_c), round(100 * offset.sd_c)
        made = base._replace(temp=temp, temp_n=offset.pairs, temp_sd=temp_sd)
        lines = [
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


def _write(options: argparse.Namespace, text: str) -> str:
    """Write the text to --out and to the wearable, as asked; say in words what was done."""
    done = []
    if options.out:
        try:
            options.out.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise CalibrateError(f"{options.out} cannot be written: {error.strerror}") from None
        done.append(f"written to {options.out}")
    if options.apply:
        with released(options.port, guard_of(options)):
            provision(options.port, {"calibration": text})
        done.append(f"written to the wearable at {options.port}, which restarts now")
    nothing = "nothing was written. Use --out FILE, or --port PORT --apply to write it to a wearable"
    return "; ".join(done) or nothing


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 when done, 1 when the pairs, a file or the board were refused, 2 when the options were wrong."""
    options = _parser().parse_args(arguments)
    try:
        _check(options)
        result = measure(options)
        done = _write(options, result["text"])
    except AskedWronglyError as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 2
    except (CalibrateError, ProvisionError, PortError, ConfigError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("calibrate: stopped. See the settings with tools.board.provision PORT --show.", file=sys.stderr)
        return 1
    if options.json:
        shown = {key: result[key] for key in ("text", "id", "figures")}
        print(json.dumps(shown | {"applied": options.apply}))
    else:
        print("\n".join([*result["lines"], f"calibration {result['id']}: {result['text']}"]))
    print(done, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
