"""The replay of raw light: known truth, any rate, both runtimes, and every recording that cannot be used."""

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.ppg_generator import RATE_HZ, Subject, constant, samples
from tools.ppg_replay import __main__ as tool
from tools.ppg_replay.resample import resampled

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30
FINGER = Subject(constant(84), constant(91), constant(1.5))


def recording(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def finger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [f"{red},{infrared}" for red, infrared in samples(FINGER, SECONDS, seed=4)]
    return recording(tmp_path_factory.mktemp("ppg") / "finger.csv", "red,ir", rows)


def replay(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    capsys.readouterr()
    assert tool.main(list(arguments)) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_a_known_finger_is_told_each_second(finger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = replay(capsys, str(finger), "--fs", "25")
    assert list(rows[0]) == ["t_s", "hr_bpm", "spo2_pct", "pi_pct", "valid", "reason"]
    assert [row["t_s"] for row in rows] == [str(t_s) for t_s in range(1, SECONDS + 1)]
    assert [row["reason"] for row in rows[:3]] == ["settling"] * 3
    assert all(
        (row["hr_bpm"], row["spo2_pct"], row["pi_pct"]) == ("", "", "") for row in rows if row["valid"] == "0"
    )
    kept = [row for row in rows if row["valid"] == "1"]
    assert len(kept) >= SECONDS - 5 and {row["reason"] for row in kept} == {""}
    for row in kept[2:]:
        assert abs(float(row["hr_bpm"]) - 84) <= 3 and abs(float(row["spo2_pct"]) - 91) <= 1
        assert abs(float(row["pi_pct"]) - 1.5) <= 0.3


def test_both_runtimes_print_the_same_bytes(finger: Path, data_dir: Path, tmp_path: Path) -> None:
    with gzip.open(data_dir / "ppg-ecg-bidmc01/bidmc_01_pleth_ecg_125hz.csv.gz", "rt") as file:
        pleth = [float(row[0]) for row in list(csv.reader(file))[1:]]
    real = recording(tmp_path / "real.csv", "ir", [f"{120000 - 2400 * x:.1f}" for x in pleth[: 125 * 120]])
    for arguments in ([str(finger), "--fs", "25"], [str(real), "--fs", "125", "--ir-only"]):
        said = {}
        for runtime in ("cpython", "micropython"):
            out = tmp_path / f"{runtime}.csv"
            assert tool.main([*arguments, "--runtime", runtime, "--out", str(out)]) == 0
            said[runtime] = out.read_bytes()
        assert said["cpython"] == said["micropython"]
        assert said["cpython"].count(b",1,\n") > 20


@pytest.mark.parametrize("rate_hz", ["12.5", "62.5", "100", "125", "399.9"])
def test_any_rate_tells_the_same_rate_of_beats(
    rate_hz: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = list(samples(FINGER, SECONDS, seed=4))  # 25 Hz: straight lines between them are the finger
    step, count = 25 / float(rate_hz), int(SECONDS * float(rate_hz))
    rows = []
    for i in range(count):
        at = min(i * step, len(fine) - 1.001)
        part, (a, b) = at % 1, fine[int(at) : int(at) + 2]
        rows.append(",".join(f"{x + (y - x) * part:.2f}" for x, y in zip(a, b, strict=True)))
    told = replay(capsys, str(recording(tmp_path / "r.csv", "red,ir", rows)), "--fs", rate_hz)
    assert len(told) == count / float(rate_hz) // 1
    kept = [row for row in told if row["valid"] == "1"]
    assert len(kept) >= SECONDS - 6
    assert all(abs(float(row["hr_bpm"]) - 84) <= 3 for row in kept)


def test_four_samples_become_their_mean_without_the_fraction() -> None:
    assert list(resampled([(1.0,), (2.0,), (3.0,), (5.0,)] * 2, RATE_HZ)) == [(2,), (2,)]
    assert list(resampled([(7.0,)] * 15, 125)) == [(7,)] * 3
    assert list(resampled([(10.0,), (20.0,), (30.0,)], 37.5)) == [(13,), (26,)], "whole and half"
    assert list(resampled([(0.0,), (10.0,), (20.0,)], 12.5)) == [(0,), (2,), (7,), (12,), (17,), (20,)]
    assert list(resampled([(1.0,), None, (1.0,), (1.0,)], 50)) == [None, (1,)]


def test_light_of_one_colour_gives_a_rate_and_no_saturation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    light = [infrared for _, infrared in samples(FINGER, SECONDS, seed=9)]
    for name, rows in (("down", light), ("up", [240000 - x for x in light])):
        path = recording(tmp_path / f"{name}.csv", "ir", [str(x) for x in rows])
        kept = [row for row in replay(capsys, str(path), "--fs", "25", "--ir-only") if row["valid"] == "1"]
        assert len(kept) >= SECONDS - 5, name
        assert all(row["spo2_pct"] == "" and abs(float(row["hr_bpm"]) - 84) <= 3 for row in kept)


def test_lost_samples_are_told_to_the_chain_and_to_the_reader(
    finger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = finger.read_text().splitlines()
    lines[300:350] = ["nan,nan"] * 25 + [","] * 25  # from 12 s on
    path = recording(finger.with_name("lost.csv"), lines[0], lines[1:])
    capsys.readouterr()
    assert tool.main([str(path), "--fs", "25"]) == 0
    printed = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert "50 samples lost" in printed.err and len(rows) == SECONDS
    reasons = [row["reason"] for row in rows]
    assert reasons[9] == "" and "settling" in reasons[12:16] and reasons[18:] == [""] * 12


def test_no_finger_gives_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recording(tmp_path / "table.csv", "red,ir", ["700,900"] * 250)
    assert {row["reason"] for row in replay(capsys, str(path), "--fs", "25")} == {"no contact"}


@pytest.mark.parametrize(("text", "arguments", "what"), [
    ("", [], "columns red,ir; found: an empty file"),
    ("t_s,ir\n0,1\n", [], "columns red,ir; found: t_s, ir"),
    ("red,infrared\n1,1\n", ["--ir-only"], "column ir; found"),
    ("red,ir\n", [], "no samples"),
    ("red,ir\n1,2\n3,cat\n", [], "line 3: 'cat' is not a number"),
])  # fmt: skip
def test_a_recording_that_cannot_be_used_says_why(
    text: str, arguments: list[str], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    assert tool.main([str(path), "--fs", "25", *arguments]) == 2
    assert what in capsys.readouterr().err


def test_a_missing_file_and_a_rate_out_of_bounds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["/nowhere.csv", "--fs", "25"]) == 2
    assert "/nowhere.csv" in capsys.readouterr().err
    for rate in ("9.9", "10001", "nan", "fast"):
        with pytest.raises(SystemExit):
            tool.main(["x.csv", "--fs", rate])


def test_a_summary_and_standard_input(finger: Path) -> None:
    text = finger.read_text().replace("\n", "\n900000,-5\n", 1)
    command = [sys.executable, "-m", "tools.ppg_replay", "-", "--fs", "25", "--json"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, check=True)
    summary = json.loads(done.stdout)
    assert summary["rows"] == SECONDS and summary["valid"] >= SECONDS - 6 and summary["values_clipped"] == 2
    assert "2 values outside the converter's range and clipped" in done.stderr
