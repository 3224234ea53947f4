"""Time stamps against --fs: what agrees changes nothing, a hole is lost samples, a contradiction gives no value."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.data.ppg_replay.command import replay as piped
from tests.tools.data.ppg_replay.command import rows, valid, write
from tools.data.ppg_generator import Subject, constant, samples
from tools.data.ppg_replay.__main__ import main
from tools.data.ppg_wave import PpgWave

LIGHT = list(samples(Subject(), 20))
CHANCE = random.Random(5)


def table(
    path: Path, header: str, time: Callable[[float], str], keep: Callable[[int], int] = lambda n: 1
) -> Path:
    """A recording with a column of times; `keep` says how often each row is written."""
    lines = [f"{time(n / 25)},{red},{ir}\n" * keep(n) for n, (red, ir) in enumerate(LIGHT)]
    path.write_text(f"{header},red,ir\n" + "".join(lines))
    return path


def replay(path: Path, fs: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], str]:
    """(exit code, rows, what stderr says) in this process."""
    code = main([str(path), "--fs", fs, "--runtime", "cpython"])
    done = capsys.readouterr()
    return code, done.out.splitlines()[1:], done.err


def clock(t_s: float, digits: int = 3) -> str:
    return f"14:05:{t_s:0{3 + digits}.{digits}f}"


@pytest.mark.parametrize(
    ("header", "time"),
    [
        ("t_s", lambda t: f"{t:.2f}"),
        ("t_s", lambda t: f"{1774965900 + t:.3f}"),
        ("t_ms", lambda t: f"{1000 * t:.0f}"),
        ("Time (ms)", lambda t: f"{1000 * t:.0f}"),
        ("time", lambda t: f"{1000 * t:.0f}"),
        ("micros", lambda t: f"{1e6 * t:.0f}"),
        ("time_since_start [ms]", lambda t: f"{1000 * t:.0f}"),
        ("Device time", lambda t: f"{t:.2f}"),
        ("Time", lambda t: f"{46112.5 + t / 86400:.9f}"),
        ("time", clock),
        ("time", lambda t: f"14:05:{int(t):02d}"),
        ("time", lambda t: f"2026-03-31 {clock(t)}"),
        ("t_s", lambda t: f"{t + CHANCE.uniform(-0.015, 0.015) + 1:.3f}"),
        ("t_s", lambda t: f"{t * 1.005:.4f}"),
    ],
)
def test_stamps_that_agree_change_nothing(
    tmp_path: Path, header: str, time: Callable[[float], str], capsys: pytest.CaptureFixture[str]
) -> None:
    plain = replay(write(tmp_path / "a.csv", LIGHT), "25", capsys)
    assert replay(table(tmp_path / "b.csv", header, time), "25", capsys) == (*plain[:2], "")
    assert len(plain[1]) == 20 and plain[2].endswith("nothing shows that --fs is right\n")


# (stated rate, true rate, step of the stamps in s)
ROUNDED_STAMPS = (
    ("62.5", 62.5, 0.01), ("64", 64, 0.01), ("75", 75, 0.01), ("90", 90.3, 0.01), ("95", 95, 0.01), ("99", 99, 0.01),
    ("100", 99.5, 0.01), ("100", 100.4, 0.01), ("104", 104, 0.01), ("125", 125, 0.01), ("250", 250, 0.01),
    ("512", 512, 0.001), ("512", 510, 0.001), ("1000", 999, 0.001), ("1000", 1003, 0.001),
)  # fmt: skip


def rounded(path: Path, true_hz: float, step_s: float, to: Callable[[float], int], missing: range) -> Path:
    """A finger at that rate with stamps in whole steps; the samples `missing` are left out."""
    digits = 2 if step_s == 0.01 else 3
    wave = PpgWave(2)
    wave.see((97.0, 75.0, 1.5))
    light = [wave.advance(1, 1 / true_hz, 1.0, 1.0, 262143) for _ in range(int(15 * true_hz))]
    lines = [
        f"{to(n / true_hz / step_s + 1e-6) * step_s:.{digits}f},{red},{ir}\n"
        for n, (red, ir) in enumerate(light)
        if n not in missing
    ]
    path.write_text("t_s,red,ir\n" + "".join(lines))
    return path


def has_value(row: str) -> bool:
    return row.split(",")[4] == "1"


@pytest.mark.parametrize("to", [round, int])
@pytest.mark.parametrize(("fs", "true_hz", "step_s"), ROUNDED_STAMPS)
def test_stamps_rounded_to_about_a_sample_cost_nothing_and_hide_no_hole(
    tmp_path: Path,
    fs: str,
    true_hz: float,
    step_s: float,
    to: Callable[[float], int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, found, error = replay(rounded(tmp_path / "a.csv", true_hz, step_s, to, range(0)), fs, capsys)
    assert (code, error) == (0, "") and sum(has_value(row) for row in found) >= 11
    missing = range(int(7 * true_hz), int(8 * true_hz))
    code, found, error = replay(rounded(tmp_path / "b.csv", true_hz, step_s, to, missing), fs, capsys)
    assert code == 0 and "missing by their times" in error
    assert not any(map(has_value, found[8:11])) and any(map(has_value, found[12:]))


@pytest.mark.parametrize("fs", ["12.5", "24", "24.5", "25.7", "26", "30", "50", "100", "1000"])
@pytest.mark.parametrize("time", [lambda t: f"{t:.2f}", clock, lambda t: f"14:05:{int(t):02d}"])
def test_a_wrong_rate_gives_no_row(
    tmp_path: Path, fs: str, time: Callable[[float], str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, why = replay(table(tmp_path / "a.csv", "t_s", time), fs, capsys)
    assert (code, found) == (2, []) and "line " in why and "samples a second, --fs says" in why


@pytest.mark.parametrize("fs", ["24.5", "26", "50"])
@pytest.mark.parametrize("time", [lambda t: f"{t:.2f}", lambda t: f"14:05:{int(t):02d}"])
def test_a_wrong_rate_gives_no_row_from_a_pipe_either(
    tmp_path: Path, fs: str, time: Callable[[float], str]
) -> None:
    done = piped(
        "-", "--fs", fs, "--runtime", "cpython", stdin=table(tmp_path / "a.csv", "t_s", time).read_text()
    )
    assert done.returncode == 2 and done.stdout.splitlines()[1:] == [] and "--fs says" in done.stderr


@pytest.mark.parametrize(
    ("header", "time", "keep", "says"),
    [
        ("t_s", lambda t: f"{t:.2f}", lambda n: 2, "line 3: '0.00' does not come after"),
        ("t_s", lambda t: f"{t:.2f}", lambda n: 1 + (n == 300), "line 303: '12.00' does not come after"),
        ("t_s", lambda t: f"{20 - t:.2f}", lambda n: 1, "line 3: '19.96' does not come after"),
        (
            "time",
            lambda t: f"14:05:{int(t):02d}",
            lambda n: 1 + (200 < n < 300),
            "samples a second, --fs says 25",
        ),
        ("t_s", lambda t: f"{t if t < 10 else 5 + t / 2:.2f}", lambda n: 1, "samples a second, --fs says 25"),
        ("t_s", lambda t: f"{40 * 25 * t:.0f}", lambda n: 1, "samples a second, --fs says 25"),
        ("t_s", lambda t: f"{t if t < 10 else t + 9000:.2f}", lambda n: 1, "line 252: a hole of 9000"),
        ("t_s", lambda t: "" if t == 10 else f"{t:.2f}", lambda n: 1, "line 252: the time is missing"),
        ("time", lambda t: f"{7 * t:.2f}", lambda n: 1, "line 3: the first two time stamps are 0.28 apart"),
    ],
)
def test_rows_that_are_doubled_turned_round_or_of_another_rate_give_no_row(
    tmp_path: Path, header: str, time: Callable[[float], str], keep: Callable[[int], int], says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    code, found, why = replay(table(tmp_path / "a.csv", header, time, keep), "25", capsys)
    assert (code, found) == (2, []) and says in why


@pytest.mark.parametrize("time", [lambda t: f"{t:.2f}", clock, lambda t: f"14:05:{int(t):02d}"])
def test_a_hole_is_lost_samples_and_is_never_glued(
    tmp_path: Path, time: Callable[[float], str], capsys: pytest.CaptureFixture[str]
) -> None:
    holed = table(tmp_path / "a.csv", "t_s", time, lambda n: not 150 <= n < 350)
    code, found, why = replay(holed, "25", capsys)
    assert code == 0 and len(found) == 20 and "200 of 500 samples" in why
    reasons = [row.split(",")[5] for row in found]
    assert set(reasons[6:14]) <= {"settling", "stale"} and reasons[-1] == ""


@pytest.mark.parametrize("header", [
    "milliseconds", "millisec", "timeMs", "timems", "timestampMs", "elapsedTime", "sampleTime", "TimestampUTC",
    "unixtime", "uptime", "utc", "rtc", "ticks", "index", "sample", "", "Temps", "hora", "tiempo", "recorded_at",
])  # fmt: skip
@pytest.mark.parametrize(
    "time", [lambda t: f"{1000 * t:.0f}", lambda t: f"{int(t)}", lambda t: f"2026-03-31 {clock(t)}"]
)
def test_a_hole_is_not_glued_whatever_the_column_of_times_is_called(
    tmp_path: Path, header: str, time: Callable[[float], str], capsys: pytest.CaptureFixture[str]
) -> None:
    holed = table(tmp_path / "a.csv", header, time, lambda n: not 150 <= n < 350)
    code, found, why = replay(holed, "25", capsys)
    refused = f"column {header!r} " in why and "delete it" in why
    contradicts = "--fs" in why or "does not come after the row before" in why
    assert ((code, found) == (2, []) and (refused or contradicts)) or "200 of 500 samples" in why


def test_another_light_beside_is_no_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    green = iter(LIGHT)
    code, found, _ = replay(table(tmp_path / "a.csv", "green", lambda t: f"{next(green)[1]}"), "25", capsys)
    assert code == 0 and len(found) == 20


def test_stamps_without_seconds_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(tmp_path / "a.csv", "time", lambda t: f"2026-03-31 14:{int(t + 50) // 60:02d}")
    code, found, why = replay(path, "25", capsys)
    assert (code, found) == (2, []) and "steps of 60 s" in why


def test_rows_written_twice_without_times_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.csv", [pair for pair in LIGHT for _ in range(2)])
    code, found, why = replay(path, "25", capsys)
    assert (code, found) == (2, []) and "rows were written twice" in why


def test_blank_rows_of_capture_do_not_count_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [
        f"{n / 25:.2f},{red if n != 99 else ''},{ir if n != 99 else ''}\n"
        for n, (red, ir) in enumerate(LIGHT)
    ]
    path.write_text("t_s,red,ir\n" + "".join(lines))
    assert len(rows(path, "--fs", 25)) == 20 and len(valid(rows(path, "--fs", 25))) == 14


@pytest.mark.parametrize(
    ("light", "says"),
    [
        (lambda n, value: value / 262143, "volts"),
        (lambda n, value: f"{value / 1000:.3f}", "a point between thousands"),
        (lambda n, value: value - 120000, "the steady part of the light was removed"),
    ],
)
def test_light_in_another_unit_is_refused(
    tmp_path: Path, light: Callable[[int, int], object], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{light(n, red)},{light(n, ir)}\n" for n, (red, ir) in enumerate(LIGHT)]
    path.write_text("red,ir\n" + "".join(rows))
    code, found, why = replay(path, "25", capsys)
    assert (code, found) == (2, []) and says in why


@pytest.mark.parametrize("sentinel", [-1, -999, 0, 255, 65535])
def test_a_number_that_means_no_value_gives_none(
    tmp_path: Path, sentinel: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(
        tmp_path / "a.csv", [(sentinel, sentinel) if n % 50 == 49 else pair for n, pair in enumerate(LIGHT)]
    )
    code, found, _ = replay(path, "25", capsys)
    assert code == 0 and not [row for row in found if row.split(",")[4] == "1"]


@pytest.mark.parametrize("every", [2, 3, 5, 10, 20])
@pytest.mark.parametrize("pi_pct", [0.3, 1.0, 5.0])
def test_rows_written_twice_here_and_there_are_refused_without_times(
    tmp_path: Path, every: int, pi_pct: float, capsys: pytest.CaptureFixture[str]
) -> None:
    light = list(samples(Subject(pi_pct=constant(pi_pct)), 20))
    path = write(
        tmp_path / "a.csv", [pair for n, pair in enumerate(light) for _ in range(1 + (n % every == 0))]
    )
    code, found, why = replay(path, "25", capsys)
    assert (code, found) == (2, []) and "rows were written twice" in why


@pytest.mark.parametrize("step", [1, 16, 64])
def test_a_coarse_converter_repeats_rows_and_is_taken(
    tmp_path: Path, step: int, capsys: pytest.CaptureFixture[str]
) -> None:
    coarse = [(r // step * step, i // step * step) for r, i in samples(Subject(), 20)]
    code, found, _ = replay(write(tmp_path / "a.csv", coarse), "25", capsys)
    assert code == 0 and len(found) == 20 and found[-1].split(",")[4] == "1"
