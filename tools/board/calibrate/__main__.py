"""Measure one wearable against a reference: `python -m tools.board.calibrate spo2 PAIRS.csv --by "lab 2, oximeter X"`.

Fits, says what it would write, and writes nothing unless asked: --out FILE keeps the text, --port PORT --apply gives it
to the wearable, which measures with it from its next start on (it is restarted). The half that was not measured (curve
or temperature) is kept from --base FILE or from the wearable on --port.
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
from tools.board.calibrate.fit import fit_spo2, fit_temperature, told
from tools.board.calibrate.pairs import CalibrateError, read_spo2, read_temperature
from tools.board.calibrate.recording import pairs_of
from tools.board.port import PortError, released
from tools.board.provision import ProvisionError, provision, show

UNMEASURED = calibration.Calibration("", AN6845, 0, 0, 0, 0, 0, "")


class AskedWronglyError(Exception):
    """Options that contradict each other."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.board.calibrate", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    spo2 = kinds.add_parser("spo2", help="the curve from the ratio of ratios R to SpO2")
    spo2.add_argument("pairs", type=Path, nargs="?", help="CSV with columns r_milli,spo2_ref_pct")
    spo2.add_argument(
        "--recording", type=Path, metavar="RAW", help="instead: CSV with columns red,ir (counts)"
    )
    spo2.add_argument("--fs", type=float, metavar="HZ", help="samples a second of the recording")
    spo2.add_argument(
        "--reference", type=Path, metavar="REF", help="CSV with columns t_s,spo2_pct from its start"
    )
    temperature = kinds.add_parser("temperature", help="what to add to the thermometer chip's value")
    temperature.add_argument(
        "pairs",
        type=Path,
        help="CSV with columns device_c (the chip's own value, temp_raw_cc / 100), reference_c",
    )
    for kind in (spo2, temperature):
        kind.add_argument(
            "--by", required=True, help=f"who measured against what, at most {calibration.BY_MAX} characters"
        )
        kind.add_argument(
            "--date", default=datetime.date.today().isoformat(), help="YYYY-MM-DD (default: today)"
        )
        kind.add_argument(
            "--base", type=Path, metavar="FILE", help="calibration text whose other half is kept"
        )
        kind.add_argument("--port", help="the wearable: its other half is kept")
        kind.add_argument(
            "--apply", action="store_true", help="write to the wearable on --port and restart it"
        )
        kind.add_argument("--out", "-o", type=Path, metavar="FILE", help="write the calibration text here")
        kind.add_argument("--json", action="store_true", help="print the result as JSON on stdout")
    return parser


def _check(options: argparse.Namespace) -> None:
    if options.apply and not options.port:
        raise AskedWronglyError("--apply needs --port PORT")
    if options.base and options.port:
        raise AskedWronglyError("--base or --port: one of them says what is kept")
    if options.kind == "spo2":
        recorded = (options.recording, options.fs, options.reference)
        if (options.pairs is None) == (recorded == (None, None, None)) or (
            options.pairs is None and None in recorded
        ):
            raise AskedWronglyError("give PAIRS.csv, or --recording RAW --fs HZ --reference REF")


def _base(options: argparse.Namespace) -> Any:
    """The calibration whose other half is kept."""
    if options.port:
        with released(options.port):
            held = show(options.port, True).settings
        if not held:
            raise CalibrateError(f"{options.port}: not provisioned: run tools.board.provision first")
        text = str(held.get("calibration", ""))
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
    """Fit and merge; `text` is the calibration, `lines` say it to people."""
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
            f"{told(fit.curve)} from {fit.pairs} pairs, {fit.spo2_range[0]:g} to {fit.spo2_range[1]:g} %,"
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
        made = base._replace(
            temp=round(100 * offset.offset_c), temp_n=offset.pairs, temp_sd=round(100 * offset.sd_c)
        )
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
    """Keep the text where it was asked for; what was done, in words."""
    done = []
    if options.out:
        try:
            options.out.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise CalibrateError(f"{options.out} cannot be written: {error.strerror}") from None
        done.append(f"written to {options.out}")
    if options.apply:
        with released(options.port):
            provision(options.port, {"calibration": text})
        done.append(f"on the wearable at {options.port}, which restarts with it")
    return (
        "; ".join(done)
        or "nothing was written: --out FILE keeps it, --port PORT --apply gives it to a wearable"
    )


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 when done, 1 when the pairs, a file or the board refused, 2 when asked wrongly."""
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
        print(
            "calibrate: stopped; tools.board.provision PORT --show says what the wearable holds",
            file=sys.stderr,
        )
        return 1
    if options.json:
        print(
            json.dumps({key: result[key] for key in ("text", "id", "figures")} | {"applied": options.apply})
        )
    else:
        print("\n".join([*result["lines"], f"calibration {result['id']}: {result['text']}"]))
    print(done, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
