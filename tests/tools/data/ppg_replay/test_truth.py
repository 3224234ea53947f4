"""What the replay says of recordings with known truth, at any rate and on both runtimes."""

import csv
import gzip
import math
import re
from pathlib import Path

import pytest
from crs_core import units

from tests.tools.data.ppg_replay.command import replay, rows, valid, write
from tools.data.ppg_generator import Burst, Subject, constant, ramp, samples
from tools.data.ppg_replay.chain import HEADER, REASONS, WRONG_LIGHTS
from tools.data.ppg_wave import PpgWave
from tools.rig.micropython import ROOT

HARD = Subject(
    hr_bpm=ramp(60, 150, 10, 50), spo2_pct=ramp(98, 78, 10, 50), motion=0.02, bursts=(Burst(20, 26),),
    contact=lambda t_s: not 33 < t_s < 36,
)  # fmt: skip


def at_rate(rate_hz: float, seconds: float, hr_bpm: float = 84.0) -> list[tuple[int, int]]:
    """Conversions of one finger at that rate, not averaged; SpO2 93 %."""
    wave = PpgWave(seed=2)
    wave.see((93.0, hr_bpm, 1.5))
    return [wave.advance(1, 1 / rate_hz, 1.0, 1.0, 262143) for _ in range(math.ceil(seconds * rate_hz))]


def test_values_are_those_of_the_subject(tmp_path: Path) -> None:
    subject = Subject(hr_bpm=constant(72.0), spo2_pct=constant(91.0), pi_pct=constant(2.0))
    found = rows(write(tmp_path / "a.csv", samples(subject, 40)), "--fs", 25)
    assert [row["t_s"] for row in found] == [str(t_s) for t_s in range(1, 41)]
    assert [row["reason"] for row in found[:3]] == ["settling"] * 3 and len(valid(found)) == 37
    for row in valid(found):
        assert abs(int(row["hr_bpm"]) - 72) <= 2
        assert abs(float(row["spo2_pct"]) - 91) <= 0.6
        assert 1.7 <= float(row["pi_pct"]) <= 2.2
        assert row["reason"] == ""


def test_a_fall_is_in_the_rows_of_its_time(tmp_path: Path) -> None:
    subject = Subject(spo2_pct=ramp(97, 85, 20, 30))
    found = rows(write(tmp_path / "a.csv", samples(subject, 45)), "--fs", 25)
    below = next(int(row["t_s"]) for row in valid(found) if float(row["spo2_pct"]) < 90)
    assert 25.8 <= below <= 31, "90 % is crossed at 25.8 s"


@pytest.mark.parametrize("rate_hz", [25, 50, 62.5, 99.9, 100, 125, 400, 1000])
def test_any_rate_gives_the_same_values(tmp_path: Path, rate_hz: float) -> None:
    found = rows(write(tmp_path / "a.csv", at_rate(rate_hz, 20)), "--fs", rate_hz, "--runtime", "cpython")
    assert len(found) == 20 and len(valid(found)) >= 16
    for row in valid(found):
        assert abs(int(row["hr_bpm"]) - 84) <= 2
        assert abs(float(row["spo2_pct"]) - 93) <= 1


def test_a_slow_recording_still_gives_the_rate(tmp_path: Path) -> None:
    found = rows(write(tmp_path / "a.csv", at_rate(12.5, 30, 66.0)), "--fs", 12.5)
    assert len(found) == 30 and len(valid(found)) >= 20
    assert all(abs(int(row["hr_bpm"]) - 66) <= 2 for row in valid(found))


@pytest.mark.parametrize(("count", "rate_hz", "expected"), [
    (1, 25, 1), (25, 25, 1), (26, 25, 2), (250, 25, 10), (999, 100, 10), (1001, 100, 11), (999, 99.9, 10),
    (1000, 99.9, 11), (40, 10, 4), (41, 10, 5),
])  # fmt: skip
def test_every_second_has_a_row_the_last_part_too(
    tmp_path: Path, count: int, rate_hz: float, expected: int
) -> None:
    path = write(tmp_path / "a.csv", [(100000, 120000)] * count)
    found = rows(path, "--fs", rate_hz, "--runtime", "cpython")
    assert [row["t_s"] for row in found] == [str(t_s) for t_s in range(1, expected + 1)]


def test_what_is_not_valid_is_blank_and_says_why(tmp_path: Path) -> None:
    found = rows(write(tmp_path / "a.csv", samples(HARD, 60)), "--fs", 25)
    assert len(found) == 60 and valid(found)
    why = [row for row in found if row["valid"] == "0"]
    for row in why:
        assert row["hr_bpm"] == row["spo2_pct"] == row["pi_pct"] == "" and row["reason"] in REASONS.values()
    assert {"settling", "motion", "no contact"} <= {row["reason"] for row in why}
    assert found[35]["reason"] in ("no contact", "settling")


def test_every_state_of_the_chain_but_valid_has_a_word() -> None:
    states = {getattr(units, name) for name in dir(units) if name.startswith("PPG_")}
    assert set(REASONS) == states - {units.PPG_VALID, units.PPG_SWAPPED}
    words = {*REASONS.values(), *WRONG_LIGHTS.values()}
    assert len(words) == len(REASONS) + len(WRONG_LIGHTS)
    page = (ROOT / "tools/data/ppg_replay/README.md").read_text().split("| reason |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(.*?)`", page, re.MULTILINE)) == words


def test_swapped_and_saturated_channels_are_named(tmp_path: Path) -> None:
    swapped = rows(write(tmp_path / "a.csv", samples(Subject(swapped=True), 20)), "--fs", 25)
    assert {row["reason"] for row in swapped[5:]} == {"swapped channels"}
    bright = rows(write(tmp_path / "b.csv", samples(Subject(infrared_level=262143.0), 20)), "--fs", 25)
    assert {row["reason"] for row in bright[5:]} == {"saturated"}


def test_infrared_alone_gives_a_rate_and_no_saturation(tmp_path: Path) -> None:
    lines = [f"{infrared}\n" for _, infrared in samples(Subject(hr_bpm=constant(101.0)), 30)]
    path = tmp_path / "a.csv"
    path.write_text("IR\n" + "".join(lines))
    found = rows(path, "--fs", 25, "--ir-only")
    assert len(valid(found)) >= 26
    for row in valid(found):
        assert abs(int(row["hr_bpm"]) - 101) <= 2 and row["spo2_pct"] == "" and row["pi_pct"]


def both_runtimes(path: Path, *args: object) -> str:
    """The rows that both runtimes wrote, which must be equal."""
    on_micropython = replay(path, *args, "--runtime", "micropython")
    on_cpython = replay(path, *args, "--runtime", "cpython")
    assert on_micropython.returncode == on_cpython.returncode == 0, on_micropython.stderr + on_cpython.stderr
    assert on_micropython.stdout == on_cpython.stdout
    assert on_micropython.stdout.startswith(HEADER + "\n")
    return on_micropython.stdout


def test_both_runtimes_write_the_same_bytes(tmp_path: Path) -> None:
    pairs: list[tuple[float, float]] = list(samples(HARD, 60, seed=3))
    for hole in (range(300, 310), range(1000, 1100)):
        for n in hole:
            pairs[n] = (math.nan, pairs[n][1])
    text = both_runtimes(write(tmp_path / "a.csv", pairs[:-3]), "--fs", 25)
    assert len(text.splitlines()) == 61


def test_a_real_patient_on_both_runtimes(tmp_path: Path, data_dir: Path) -> None:
    source = data_dir / "ppg-ecg-bidmc01/bidmc_01_pleth_ecg_125hz.csv.gz"
    with gzip.open(source, "rt") as f:
        wave = [float(row[0]) for row in list(csv.reader(f))[1:]]
    path = tmp_path / "a.csv"
    path.write_text("ir\n" + "".join(f"{120000 * (1 - 0.02 * x):.0f}\n" for x in wave))
    lines = both_runtimes(path, "--fs", 125, "--ir-only").splitlines()[1:]
    assert len(lines) == math.ceil(len(wave) / 125)
    rates = [int(line.split(",")[1]) for line in lines if line.split(",")[4] == "1"]
    assert len(rates) >= 0.85 * len(lines)
    assert 85 <= sorted(rates)[len(rates) // 2] <= 100  # its ECG: about 93 per minute
