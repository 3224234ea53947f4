"""The tool as it is typed: files, a raw recording, what it refuses; and a wearable that then measures by it."""

import contextlib
import csv
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crs_core import calibration
from crs_core.journal import record_layout
from crs_core.spo2_curve import AN6845, spo2_tenths

from tests.core.calibration_checks import TEMPERATURE_ALONE
from tools.board.calibrate import __main__ as tool
from tools.board.calibrate.recording import pairs_of as recorded_pairs
from tools.board.capture.rows import Rows
from tools.board.port import PortError
from tools.data.ppg_generator import Subject, samples
from tools.data.ppg_wave import ratio_of
from tools.rig.bedside import Bedside
from tools.rig.laptop import Laptop
from tools.rig.stored import all_readings
from tools.rig.waiting import until

TRUTH = (0, -250000, 1060000)  # far from AN6845, inside every bound
BY = ("--by", "simulated bench")


def calibrate(*arguments: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.board.calibrate", *map(str, arguments)],
        capture_output=True, text=True, timeout=240, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def table(path: Path, header: str, rows: Any) -> Path:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def ratios(path: Path, curve: tuple[int, int, int] = TRUTH) -> Path:
    """100 pairs of a finger with this curve."""
    chance = random.Random(3)
    spo2 = {r: min(100, spo2_tenths(curve, r) / 10 + chance.gauss(0, 0.8)) for r in range(300, 1300, 10)}
    return table(path, "# made up\nr_milli,spo2_ref_pct", [(r, round(pct, 1)) for r, pct in spo2.items()])


def probes(path: Path, offset_c: float = -0.3) -> Path:
    rows = [(t / 10, round(t / 10 + offset_c, 2)) for t in range(360, 390, 3)]
    return table(path, "device_c,reference_c", rows)


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_pairs_become_a_text_and_the_other_half_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "own.txt"
    date = ("--date", "2026-11-20")
    curve = calibrate("spo2", ratios(tmp_path / "r.csv"), *BY, *date, "-o", out)
    assert curve.returncode == 0, curve.stderr
    first = calibration.parse(out.read_text().strip())
    assert (first.date, first.by, first.spo2_n, first.temp, first.temp_n) == ("2026-11-20", BY[1], 100, 0, 0)
    assert all(abs(spo2_tenths(first.spo2, r) - spo2_tenths(TRUTH, r)) <= 8 for r in range(300, 1300, 50))
    assert f"calibration {calibration.id_of(out.read_text().strip())}: date=2026-11-20;" in curve.stdout
    both = result_of(calibrate("temperature", probes(tmp_path / "t.csv"), *BY, "--base", out, "--json"))
    second = calibration.parse(both["text"])
    assert (second.spo2, second.spo2_n, second.spo2_arms) == (first.spo2, 100, first.spo2_arms)
    assert (second.temp, second.temp_n, second.temp_sd) == (-30, 10, 0)
    assert both["id"] == calibration.id_of(both["text"]) and both["applied"] is False
    alone = calibration.parse(result_of(calibrate("temperature", tmp_path / "t.csv", *BY, "--json"))["text"])
    assert (alone.spo2, alone.spo2_n) == (AN6845, 0)


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    before = ratios(tmp_path / "r.csv").read_bytes()
    done = calibrate("spo2", tmp_path / "r.csv", *BY)
    assert "nothing was written" in done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"r.csv": before}


def test_a_raw_recording_with_a_late_reference_gives_the_curve(tmp_path: Path) -> None:
    """A finger by another curve than AN6845: its reference says TRUTH of the R that the light has, 12 s later."""

    def spo2(t_s: float) -> float:  # of AN6845, which the generator inverts: down to 75 and up, twice
        return 86.0 + 11.0 * math.cos(2 * math.pi * t_s / 160)

    raw = table(tmp_path / "raw.csv", "red,ir", samples(Subject(spo2_pct=spo2), 330))
    reference = table(
        tmp_path / "ref.csv", "t_s,spo2_pct",
        [(t, round(spo2_tenths(TRUTH, round(1000 * ratio_of(spo2(t - 12)))) / 10, 1)) for t in range(12, 350)],
    )  # fmt: skip
    pairs, lag_s, _ = recorded_pairs(raw, 25, reference)
    assert 6 <= lag_s <= 12, "12 s of the reference less 2 to 4 of R, which is a median over 6 s"
    assert len(pairs) >= 55
    run = calibrate("spo2", "--recording", raw, "--fs", 25, "--reference", reference, *BY, "--json")
    done = result_of(run)
    found = calibration.parse(done["text"])
    assert done["figures"]["lag_s"] == lag_s
    assert all(abs(spo2_tenths(found.spo2, r) - spo2_tenths(TRUTH, r)) <= 10 for r in range(470, 1150, 20))
    assert done["figures"]["arms"] < 0.8 < 1.5 < done["figures"]["arms_before"]


def test_copies_of_a_pair_are_one_pair(tmp_path: Path) -> None:
    eight = table(tmp_path / "t.csv", "device_c,reference_c,who", [("37.0", "37.050", n) for n in range(8)])
    done = calibrate("temperature", eight, *BY)
    assert done.returncode == 2
    assert "1 pairs are too few: at least 5. 7 rows repeat an earlier pair and are not counted" in done.stderr
    twice = table(
        tmp_path / "t.csv", "device_c,reference_c", [(t / 10, t / 10 + 0.1) for t in (360, 365, 370, 375)] * 2
    )
    assert "4 pairs are too few" in calibrate("temperature", twice, *BY).stderr
    many = table(tmp_path / "t.csv", "device_f;reference_f", [])
    many.write_text(
        "device_f;reference_f\n" + "".join(f"{t / 10};{t / 10 + 0.18}\n" for t in range(968, 1010, 6)) * 2
    )
    done = calibrate("temperature", many, *BY)
    assert "7 rows repeat" in done.stdout and "temperature +0.100 °C from 7 pairs" in done.stdout


def saturation(t_s: float) -> float:
    """Of AN6845, which the generator inverts."""
    return 86.0 + 11.0 * math.cos(2 * math.pi * t_s / 160)


def test_a_recording_of_capture_is_taken_as_it_is(tmp_path: Path) -> None:
    """With its lost samples, from a simulating board, and a reference that stands between the whole seconds."""
    light = list(samples(Subject(spo2_pct=saturation), 330))
    raw = tmp_path / "raw.csv"
    with raw.open("w") as out:
        rows = Rows(out, len(light))
        rows.take("B 1")
        for n in range(0, len(light) - 10, 10):
            if n in (2000, 5000):
                rows.take("G 5")
                continue
            rows.take(" ".join(["S", str(40 * (n + 10)), *(f"{red} {ir}" for red, ir in light[n : n + 10])]))
    seconds = [t / 2 for t in range(25, 700, 2)]
    reference = table(
        tmp_path / "ref.csv", "t_s,spo2_pct",
        [(t, round(spo2_tenths(TRUTH, round(1000 * ratio_of(saturation(t - 12)))) / 10, 1)) for t in seconds],
    )  # fmt: skip
    done = calibrate("spo2", "--recording", raw, "--fs", 25, "--reference", reference, *BY)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stdout and rows.lost == 20
    found = calibration.parse(done.stdout.strip().splitlines()[-1].partition(": ")[2])
    assert all(abs(spo2_tenths(found.spo2, r) - spo2_tenths(TRUTH, r)) <= 10 for r in range(470, 1150, 20))


def test_the_result_is_printed_before_the_wearable_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def write(port: str, settings: dict[str, str]) -> None:
        seen.append((capsys.readouterr().out, settings))
        raise PortError("the cable was pulled")

    monkeypatch.setattr(tool, "_base", lambda options: tool.UNMEASURED)
    monkeypatch.setattr(tool, "released", lambda port, guard: contextlib.nullcontext())
    monkeypatch.setattr(tool, "provision", write)
    arguments = ["temperature", str(probes(tmp_path / "t.csv")), *BY, "--port", "x", "--apply"]
    assert tool.main(arguments) == 1
    ((printed, settings),) = seen
    assert settings["calibration"] in printed and "standard deviation" in printed
    assert "the cable was pulled" in capsys.readouterr().err


def test_a_terminal_without_the_degree_sign_or_a_closed_one_changes_nothing_by_a_crash(
    tmp_path: Path,
) -> None:
    command = [
        sys.executable,
        "-m",
        "tools.board.calibrate",
        "temperature",
        str(probes(tmp_path / "t.csv")),
        *BY,
    ]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=ascii_only)
    assert (
        done.returncode == 0 and "temperature -0.300 deg C" in done.stdout and "Traceback" not in done.stderr
    )
    kept = tmp_path / "kept.txt"
    with subprocess.Popen(
        [*command, "-o", str(kept)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        why = process.stderr.read().decode()
    assert process.returncode == 141 and not kept.exists(), "nobody has read the result"
    assert "Traceback" not in why and "Exception ignored" not in why


@pytest.mark.parametrize(
    "header, rows, says",
    [
        ("r,spo2_ref_pct", [(500, 97)], "no column 'r_milli'"),
        (
            "r_milli,spo2_ref_pct",
            [(500, 97), (0.5, 97), (500, "x"), (500, "")],
            "line 3: r_milli: '0.5' is outside 200..2500. R is needed in thousandths: 500",
        ),
        ("r_milli,spo2_ref_pct", [(500, 97), (600, "nan")], "line 3: spo2_ref_pct: 'nan' is not a number"),
        ("r_milli,spo2_ref_pct", [(500, 0.97)], "percent is needed: 97"),
        ("r_milli,spo2_ref_pct", [(500, "97 %")], "'97 %' is not a number"),
        ("t_s,red,ir", [(0, 1, 2)], "Give it as --recording"),
        ("r_milli,spo2_ref_pct", [(500, "")], "line 2: spo2_ref_pct: the value is missing"),
        ("r_milli,spo2_ref_pct", [(500,)], "line 2: 1 columns, the header has 2"),
        ("r_milli,spo2_ref_pct", [(500 + n, 97) for n in range(19)], "19 pairs are too few"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, header: str, rows: Any, says: str) -> None:
    done = calibrate("spo2", table(tmp_path / "r.csv", header, rows), *BY)
    assert done.returncode == 2 and says in done.stderr and done.stdout == ""
    assert "Traceback" not in done.stderr


def test_what_is_asked_wrongly_or_is_not_there(tmp_path: Path) -> None:
    good = ratios(tmp_path / "r.csv")
    for arguments in (
        ("spo2", *BY), ("spo2", good, "--fs", 25, *BY), ("spo2", "--recording", good, "--fs", 25, *BY),
        ("spo2", good, "--apply", *BY), ("spo2", good, "--base", good, "--port", "x", *BY), ("spo2", good), ("x",),
    ):  # fmt: skip
        assert calibrate(*arguments).returncode == 2, arguments
    base = tmp_path / "base.txt"
    base.write_text(TEMPERATURE_ALONE.replace("temp=12", "temp=90"))
    for arguments, says in (
        (("spo2", tmp_path / "none.csv", *BY), "cannot be read"),
        (("spo2", good, "--base", base, *BY), "offset beyond 50 cc"),
        (("spo2", good, "--by", "a;b"), "';' is not allowed"),
        (("spo2", good, "--by", " "), "1 to 60"),
        (("spo2", good, "--date", "today", *BY), "is no day"),
        (("spo2", good, "--date", "2026-02-30", *BY), "is no day"),
        (("spo2", good, "--date", "2099-01-01", *BY), "in the future"),
        (("spo2", good, "-o", tmp_path / "no" / "folder", *BY), "cannot be written"),
        (("spo2", good, "-o", "-", *BY), "Name a file"),
    ):
        done = calibrate(*arguments)
        assert done.returncode == 2 and says in done.stderr, (
            arguments,
            done.stderr,
        )


def is_measured_by(laptop: Laptop, part: bytes) -> bool:
    """Whether a saturation is stored of a start whose calibration has this part."""
    boots = {event.boot for event in laptop.events(record_layout.CALIBRATION) if part in event.payload}
    return any(one.spo2_tenths and one.boot in boots for one in laptop.read(all_readings) or [])


@pytest.mark.slow
@pytest.mark.wearable
def test_a_wearable_measures_by_it_and_every_reading_says_so(tmp_path: Path) -> None:
    """Measured, applied over its port, restarted: values shift as the curve says, the host resolves whose they are."""
    with Bedside(tmp_path, speed=10) as bedside:
        bedside.laptop.start(bedside.port, speed=10)
        until(lambda: any(r.spo2_tenths for r in bedside.laptop.read(all_readings) or []), 40, "a saturation")
        own_file = tmp_path / "own.txt"
        curve = calibrate("spo2", ratios(tmp_path / "r.csv"), *BY, "-o", own_file)
        assert curve.returncode == 0, curve.stderr
        done = calibrate("temperature", probes(tmp_path / "t.csv"), *BY, "--base", own_file, "-o", own_file)
        assert done.returncode == 0, done.stderr
        own = own_file.read_text().strip()
        apply = (*BY, "--port", bedside.port, "--apply", "--json")
        first = calibration.parse(result_of(calibrate("spo2", tmp_path / "r.csv", *apply))["text"])
        assert first.spo2 == calibration.parse(own).spo2 and first.temp_n == 0
        applied = calibrate("temperature", tmp_path / "t.csv", *apply)
        assert result_of(applied)["text"] == own, "the curve was kept from the wearable"
        until(lambda: is_measured_by(bedside.laptop, b"temp=-30"), 60, "readings by its own calibration")
        rows = list(csv.DictReader(bedside.laptop.cytowatch("export").stdout.splitlines()))
        measured = [row for row in rows if row["spo2_tenths"]]
        by_id = {row["calibration"] for row in measured}
        assert {"1", str(calibration.id_of(own))} <= by_id and "" not in by_id
        expected = spo2_tenths(calibration.parse(own).spo2, round(1000 * ratio_of(97)))
        for row in measured:
            own_one = row["calibration"] == str(calibration.id_of(own))
            if own_one or row["calibration"] == "1":
                assert abs(int(row["spo2_tenths"]) - (expected if own_one else 970)) <= 20, row
                if row["temp_cc"]:
                    assert int(row["temp_cc"]) - int(row["temp_raw_cc"]) == (-30 if own_one else 0)
