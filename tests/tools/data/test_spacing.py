"""Rows that are missing and times in another unit, at every rate."""

from pathlib import Path

import pytest

from tools.data.recording.__main__ import main
from tools.data.recording.reader import Recording, read_recording
from tools.data.table.problems import TableError

STEPS_S = (0.04, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0)


def table(times: list[float], first: str = "") -> str:
    """One row for each time; the saturation falls by 12 % on the way."""
    rows = [f"{t:.10g},36.8,{98 - 12 * n / len(times):.1f},{80 + n % 3}" for n, t in enumerate(times)]
    return first + "t_s,temp_c,spo2_pct,hr_bpm\n" + "\n".join(rows) + "\n"


def read(folder: Path, text: str) -> Recording:
    path = folder / "in.csv"
    path.write_text(text)
    return read_recording(path)


@pytest.mark.parametrize("step_s", STEPS_S)
@pytest.mark.parametrize("missing", [3, 4, 12])
def test_a_hole_is_a_hole_at_every_rate(tmp_path: Path, step_s: float, missing: int) -> None:
    rows = [n for n in range(60) if not 30 <= n < 30 + missing]
    recording = read(tmp_path, table([n * step_s for n in rows]))
    track = recording.track()
    for n in range(60):
        known = track.optical((n + 0.01) * step_s), track.temp_c((n + 0.01) * step_s)
        if 30 <= n < 29 + missing:
            assert known == (None, None), n
        elif n < 30 or n >= 30 + missing:
            assert None not in known, n
    if missing * step_s <= 300:
        assert len(recording.notes) == 1 and "nothing is joined there" in recording.notes[0]
    assert len(recording.points) == len(rows)


def test_where_the_rate_changes_or_rows_are_uneven_nothing_is_missing(tmp_path: Path) -> None:
    slower = [float(n) for n in range(100)] + [100.0 + 60 * n for n in range(20)]
    edges = [t for n in range(10) for t in (100.0 * n, 100.0 * n + 1)]
    few = [0.0, 60, 120, 300]
    jitter = [n + 0.3 * (n % 3) for n in range(60)]
    for times in (slower, edges, few, jitter):
        recording = read(tmp_path, table(times))
        assert recording.notes == [] and recording.off_s == []


def test_two_holes_around_a_single_row(tmp_path: Path) -> None:
    rows = [float(n) for n in range(60) if not 20 <= n < 30 and not 31 <= n < 40]
    recording = read(tmp_path, table(rows))
    assert recording.off_s == [20, 31]


@pytest.mark.parametrize("ms", [40, 100, 200, 250])
def test_milliseconds_that_are_called_seconds_are_asked_about(tmp_path: Path, ms: int) -> None:
    times = [float(ms * n) for n in range(100)]
    with pytest.raises(
        TableError, match=f"{1000 / ms:g} rows a second with 't_s' in milliseconds. Call it t_ms"
    ):
        read(tmp_path, table(times))
    with pytest.raises(TableError, match="milliseconds"):
        read(tmp_path, table([t + n % 2 for n, t in enumerate(times)]))
    assert read(tmp_path, table(times).replace("t_s", "t_ms", 1)).points[1].t_s == ms / 1000
    assert read(tmp_path, table(times, f"# step {ms} s\n")).points[1].t_s == ms


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_a_chart_of_far_apart_rows_is_taken_where_the_unit_is_certain(tmp_path: Path, minutes: int) -> None:
    times = [float(n * minutes * 60) for n in range(20)]
    text = table(times)
    day = [f"2026-03-02 {h:02d}:{m:02d}" for h, m in (divmod(int(t) // 60, 60) for t in times)]
    dated = "\n".join(
        f"{at},{row.split(',', 1)[1]}" for at, row in zip(day, text.splitlines()[1:], strict=True)
    )
    minute = table([t / 60 for t in times]).replace("t_s", "t_min", 1)
    stated = table(times, f"# step {minutes * 60} s\n")
    for chart in ("time,temp_c,spo2_pct,hr_bpm\n" + dated, minute, stated):
        recording = read(tmp_path, chart)
        assert [point.t_s for point in recording.points] == times
        if minutes > 5:
            assert recording.track().optical(90) is None and "gaps of more than 300 s" in recording.notes[0]
    if minutes > 5:
        with pytest.raises(TableError, match=f"write the line '# step {minutes * 60} s'"):
            read(tmp_path, text)


@pytest.mark.parametrize("step", [1 / 60, 1 / 3600, 1 / 86400, 0.004])
def test_hours_and_days_that_are_called_seconds_are_refused(tmp_path: Path, step: float) -> None:
    with pytest.raises(TableError, match="does not count seconds"):
        read(tmp_path, table([n * step for n in range(100)]))


def session(times: list[float], name: str = "t_s") -> str:
    return (
        f"{name},SpO2 A,Pulse A\n"
        + "\n".join(f"{t:.10g},{98 - n % 20},80" for n, t in enumerate(times))
        + "\n"
    )


@pytest.mark.parametrize(
    "rows", [range(0, 4000, 40), range(0, 100000, 1000), range(0, 6000, 60), range(0, 500, 5)]
)
def test_a_session_has_one_row_a_second(
    tmp_path: Path, rows: range, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "gt.csv", tmp_path / "out.csv"
    source.write_text(session([float(t) for t in rows]))
    assert main(["desaturation", str(source), "-o", str(out)]) == 2 and not out.exists()
    assert "a session has one a second" in capsys.readouterr().err


def test_a_hole_in_a_session_is_blank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "gt.csv", tmp_path / "out.csv"
    source.write_text(session([float(t) for t in range(100) if not 50 <= t < 62]))
    assert main(["desaturation", str(source), "--temp-c", "36.8", "-o", str(out)]) == 0
    assert "holes left blank 1" in capsys.readouterr().out
    track = read_recording(out).track()
    assert track.optical(49) is not None and track.optical(62) is not None
    assert all(track.optical(t) is None and track.temp_c(t) is None for t in range(50, 62))
