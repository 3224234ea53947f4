"""The recording reader and the converters: what is taken, what is refused and how it is said."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from tools.data.recording.__main__ import main
from tools.data.recording.reader import read_recording
from tools.data.table.problems import TableError
from tools.data.track import Point

HEADER = "t_s,temp_c,spo2_pct,hr_bpm"


def written(folder: Path, text: str) -> Path:
    path = folder / "recording.csv"
    path.write_text(text)
    return path


def test_blank_cells_are_probes_that_are_off(tmp_path: Path) -> None:
    text = f"# interpolated\n{HEADER},pi_pct\n0,37,97,80,\n10,,97,80,0\n\n20,37.1,,,\n30,,,,1\n"
    recording = read_recording(written(tmp_path, text))
    assert recording.interpolated and recording.notes == []
    assert [(p.temp_c, p.spo2_pct, p.hr_bpm, p.pi_pct) for p in recording.points] == [
        (37.0, 97.0, 80.0, 1.5), (None, 97.0, 80.0, 0.0), (37.1, None, None, 1.5), (None, None, None, 1.0),
    ]  # fmt: skip


def test_bom_and_crlf_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n0,36.5,97,70\r\n".encode())
    assert read_recording(path).points[0].temp_c == 36.5


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,nan,97,80", "line 3, temp_c: 'nan' is not a number"),
        ("1,37,NaN,80", "line 3, spo2_pct: 'NaN' is not a number"),
        ("1,inf,97,80", "line 3, temp_c"),
        ("1,warm,97,80", "line 3, temp_c: 'warm' is not a number"),
        ("1,100.4,97,80", "line 3, temp_c: 100.4 looks like Fahrenheit"),
        ("1,45.1,97,80", "line 3, temp_c: 45.1 is outside 15..45"),
        ("1,0,97,80", "line 3, temp_c: 0 is outside"),
        ("1,37,0.97,80", "line 3, spo2_pct: 0.97 looks like a fraction"),
        ("1,37,101,80", "line 3, spo2_pct: 101 is outside"),
        ("1,37,97,0", "line 3, hr_bpm: 0 is outside"),
        ("0,37,97,80", "line 3, t_s: 0 does not come after 0"),
        ("-1,37,97,80", "line 3, t_s: -1 is before the start"),
        (",37,97,80", "line 3, t_s: is missing"),
        ("1,37,97", "line 3: 3 columns, the header has 4"),
        ("1,37,97,80,1", "line 3: 5 columns"),
    ],
)
def test_bad_rows_are_refused_with_line_and_column(tmp_path: Path, row: str, words: str) -> None:
    path = written(tmp_path, f"{HEADER}\n0,37,97,80\n{row}\n2,37,97,80\n")
    with pytest.raises(TableError) as refused:
        read_recording(path)
    assert words in str(refused.value)
    assert f"{path}: refused, problems: 1" in str(refused.value)


def test_problems_are_counted_and_the_list_is_bounded(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER}\n" + "".join(f"{i},98.6,nan,80\n" for i in range(500)))
    with pytest.raises(TableError) as refused:
        read_recording(path)
    assert len(refused.value.problems) == 1000
    text = str(refused.value)
    assert "problems: 1000" in text and "and 990 more" in text and len(text.splitlines()) == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no header"),
        (f"{HEADER}\n", "no rows"),
        ("time,temp\n0,37\n", "line 1: the header must be"),
        (f"{HEADER},note\n0,37,97,80,x\n", "line 1: the header must be"),
    ],
)
def test_files_without_a_recording_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_recording(written(tmp_path, text))
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TableError, match="the text is damaged"):
        read_recording(tmp_path / "binary.csv")


def test_gaps_and_half_known_rows_are_noted(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, f"{HEADER}\n0,37,97,80\n301.5,37,,80\n310,37,97,80\n"))
    assert len(recording.notes) == 2
    assert "gaps of more than 300 s before a row: 1 (lines 3)" in recording.notes[0]
    assert "only one of spo2_pct and hr_bpm: 1 (lines 3)" in recording.notes[1]
    track = recording.track()
    assert track.temp_c(59) == 37.0
    assert track.temp_c(61) is None


def test_time_counts_from_the_first_row(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, f"{HEADER}\n1700000000,37,97,80\n1700000060,38,97,80\n"))
    assert [point.t_s for point in recording.points] == [0, 60]
    assert "1.7e+09 s; playing begins there" in recording.notes[0]


def test_the_virtual_wearable_refuses_with_exit_2(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER}\n0,98.6,97,80\n")
    done = subprocess.run(
        [sys.executable, "-m", "tools.virtual_wearable", "--recording", str(path)],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "line 2, temp_c: 98.6 looks like Fahrenheit" in done.stderr
    assert "READY" not in done.stdout and "Traceback" not in done.stderr


CHART = """rec,minute,name,value
7,0,Age,60
7,10,Temp,37.0
7,10,HR,80
7,130,Temp,38.0
7,130,Temp,38.0
7,200,HR,90
7,371,Temp,39.0
7,60,Temp,-17.8
7,300,SaO2,96
7,150,RespRate,20
8,0,Temp,36.0
"""


@pytest.mark.parametrize("zipped", [False, True])
def test_a_charted_stay_is_joined_over_4_hours_and_not_more(tmp_path: Path, zipped: bool) -> None:
    source = tmp_path / ("vitals.csv.gz" if zipped else "vitals.csv")
    source.write_bytes(gzip.compress(CHART.encode()) if zipped else CHART.encode())
    out = tmp_path / "out.csv"
    assert main(["icu", str(source), "--rec", "7", "-o", str(out)]) == 0
    text = out.read_text()
    assert text.startswith("# interpolated\n") and "dropped: 1" in text
    by_minute = {point.t_s / 60: point for point in read_recording(out).points}
    assert len(by_minute) == 372
    assert (by_minute[9].temp_c, by_minute[10].temp_c, by_minute[371].temp_c) == (None, 37.0, 39.0)
    assert by_minute[70].temp_c == 37.5, "twice the same is no contradiction"
    assert by_minute[131].temp_c is None, "371 - 130 minutes is more than 4 h"
    assert by_minute[105].hr_bpm == 85.0
    assert (by_minute[299].spo2_pct, by_minute[300].spo2_pct) == (None, 96.0)


def test_signs_under_other_names_count_and_what_is_ignored_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "vitals.csv", tmp_path / "out.csv"
    lines = (
        "0,Temp F,98.6",
        "0,SpO2,90",
        "0,Heart Rate,80",
        "60,Pulse rate,81",
        "0,RespRate,20",
        "9,RespRate,21",
    )
    source.write_text("rec,minute,name,value\n" + "".join(f"1,{line}\n" for line in lines))
    assert main(["icu", str(source), "--rec", "1", "-o", str(out)]) == 0
    first = read_recording(out).points[0]
    assert (first.temp_c, first.spo2_pct, first.hr_bpm) == (37.0, 90.0, 80.0)
    assert "ignored: 'RespRate' 2" in capsys.readouterr().out
    with source.open("a") as more:
        more.write("1,0,SaO2,97\n1,0,SaO2,90\n")
    assert main(["icu", str(source), "--rec", "1", "-o", str(out)]) == 0
    assert "two different values of one sign, left blank: 1" in capsys.readouterr().out
    assert read_recording(out).points[0].spo2_pct is None


def test_a_cut_of_a_stay_starts_at_zero(tmp_path: Path) -> None:
    source, out = tmp_path / "vitals.csv", tmp_path / "out.csv"
    source.write_text(CHART)
    part = ["--rec", "7", "--from-min", "70", "--to-min", "100"]
    assert main(["icu", str(source), *part, "-o", str(out)]) == 0
    points = read_recording(out).points
    assert (points[0].t_s, points[0].temp_c, points[-1].t_s) == (0.0, 37.5, 1800.0)


SESSION = """Time,SpO2 1,SpO2 2,SpO2 4,SpO2 5,Pulse 1,Pulse 2,Pulse 4,Pulse 5,PI 1,PI 5,Rig FiO2
23:59:59,97.0,98.0,99.0,98.0,57,58,59,57,1.0,2.0,21
00:00:00,97.0,,0.0,nan,57,,,,,,21
00:00:02,,,,,60,,,,1.5,,21
Collection Halted,,,,,,,,,,,
"""


def test_a_desaturation_takes_the_median_of_the_oximeters(tmp_path: Path) -> None:
    source, out = tmp_path / "gt.csv", tmp_path / "out.csv"
    source.write_text(SESSION)
    assert main(["desaturation", str(source), "-o", str(out)]) == 0
    first, second, third = read_recording(out).points
    assert first == Point(0.0, None, 98.0, 57.5, 1.5)
    assert (second.t_s, second.spo2_pct, second.hr_bpm) == (1.0, 97.0, 57.0), "midnight passed"
    assert (third.t_s, third.spo2_pct) == (3.0, None)
    assert main(["desaturation", str(source), "--temp-c", "36.8", "-o", str(out)]) == 0
    assert read_recording(out).points[2].temp_c == 36.8
    assert "assumed, not measured" in out.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["icu", "vitals.csv", "--rec", "9", "-o", "out.csv"],
        ["icu", "vitals.csv", "--rec", "7", "--from-min", "900", "-o", "out.csv"],
        ["icu", "gt.csv", "--rec", "7", "-o", "out.csv"],
        ["icu", "missing.csv", "--rec", "7", "-o", "out.csv"],
        ["desaturation", "vitals.csv", "-o", "out.csv"],
        ["desaturation", "gt.csv", "--temp-c", "98.6", "-o", "out.csv"],
        ["check", "gt.csv"],
    ],
)
def test_wrong_sources_are_refused_with_exit_2(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vitals.csv").write_text(CHART)
    Path("gt.csv").write_text(SESSION)
    assert main(arguments) == 2
    assert capsys.readouterr().err.strip()


def test_real_recordings_convert(data_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    for source in sorted((data_dir / "spo2-desaturation").glob("gt_*.csv")):
        assert main(["desaturation", str(source), "-o", str(out)]) == 0
        recording = read_recording(out)
        assert len(recording.points) > 800
        assert min(point.spo2_pct for point in recording.points if point.spo2_pct) < 80
        assert main(["check", str(out)]) == 0
    stays = data_dir / "icu-vitals/vitals.csv.gz"
    part = ["--rec", "143895", "--from-min", "600", "--to-min", "720"]
    assert main(["icu", str(stays), *part, "-o", str(out)]) == 0
    assert len(read_recording(out).points) == 121


DATED = [(0, 36.8, 97, 80), (60, 36.9, 96, 81)]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("Time (s),Temp (°C),SpO2 (%),HR (bpm)\n0,36.8,97,80\n", [(0, 36.8, 97, 80)]),
        ("t_s;temp_f;spo2;pulse\n0;98,6;97;80\n", [(0, 37.0, 97, 80)]),
        ("hr_bpm,spo2_pct,temp_c,t_ms\n80,97,36.8,0\n81,97,36.8,60000\n", [(0, 36.8, 97, 80), (60, 36.8, 97, 81)]),
        (f"{HEADER}\n2026-03-31 14:05:00,36.8,97,80\n2026-03-31 14:06:00,36.9,96,81\n", DATED),
        (f"{HEADER},,\n0,36.8,97,80,,\n,,,,,\n", [(0, 36.8, 97, 80)]),
    ],
)  # fmt: skip
def test_a_recording_may_be_written_otherwise(
    tmp_path: Path, text: str, points: list[tuple[object, ...]]
) -> None:
    found = read_recording(written(tmp_path, text))
    assert [(p.t_s, p.temp_c, p.spo2_pct, p.hr_bpm) for p in found.points] == points and found.notes == []


@pytest.mark.parametrize("sentinel", ["255", "0", "-999", "127", "65535", "-1", "999.9", "32767", "-32768"])
@pytest.mark.parametrize("column", [1, 2, 3])
def test_what_a_device_writes_for_no_value_is_never_a_value(
    tmp_path: Path, sentinel: str, column: int
) -> None:
    cells = ["60", "36.9", "97", "80"]
    cells[column] = sentinel
    if (column, sentinel) == (3, "127"):
        cells[2] = sentinel  # a pulse of 127 is one; an oximeter without a value has neither
    path = written(tmp_path, f"{HEADER}\n0,36.8,97,80\n{','.join(cells)}\n")
    with pytest.raises(TableError, match="line 3"):
        read_recording(path)


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ("46112.5 46112.500694 46112.501389", "does not count seconds. Excel counts days"),
        ("0 60000 120000", "t_ms counts milliseconds"),
        ("120 60 0", "Sort the rows by time"),
        ("1774965900000 1774965960000 1774966020000", "Is it milliseconds"),
    ],
)
def test_times_in_another_unit_or_order_are_refused(tmp_path: Path, times: str, says: str) -> None:
    path = written(tmp_path, f"{HEADER}\n" + "".join(f"{t},36.8,97,80\n" for t in times.split()))
    with pytest.raises(TableError, match=says):
        read_recording(path)


def test_a_time_without_a_unit_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "time,temp_c,spo2_pct,hr_bpm\n0,36.8,97,80\n")
    with pytest.raises(TableError, match="'time' does not name its unit"):
        read_recording(path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["icu", "in.csv", "--rec", "1"], ["icu", "in.csv", "--rec", "2"], ["icu", "in.csv", "--rec", "3"],
        ["icu", "in.csv", "--rec", "4"], ["desaturation", "empty.csv"], ["desaturation", "twice.csv"],
        ["desaturation", "out.csv"], ["icu", "in.csv", "--rec", "5", "--from-min", "0"],
    ],
)  # fmt: skip
def test_a_refused_run_leaves_the_file_that_was_there(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text(
        "rec,minute,name,value\n1,0,Temp,98.6\n1,60,Temp,101.3\n2,0,Temp,37\n3,0,HR,255\n3,60,HR,0\n"
        "4,inf,Temp,37\n5,29000000,Temp,37\n5,29000060,Temp,38\n"
    )
    Path("empty.csv").write_text("Time,SpO2 A,Pulse A\n12:00:00,127,255\n12:00:01,127,127\n")
    Path("twice.csv").write_text("Time,SpO2 A,Pulse A\n12:00:00,97,80\n12:00:00,97,80\n")
    good = "Time,SpO2 A,Pulse A\n12:00:00,97,80\n12:00:01,96,80\n"
    Path("out.csv").write_text(good)
    assert main([*arguments, "-o", "out.csv"]) == 2
    assert Path("out.csv").read_text() == good and len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("times", [range(200), None])
def test_a_desaturation_without_values_is_blank_and_is_not_joined(
    tmp_path: Path, times: range | None, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "gt.csv", tmp_path / "out.csv"
    cells = ["--,--" if 50 <= n < 150 else "97,80" for n in range(200)]
    named = [f"{t},{cell}" for t, cell in zip(times, cells, strict=True)] if times else cells
    source.write_text(("t_s," if times else "") + "SpO2 A,Pulse A\n" + "\n".join(named) + "\n")
    assert main(["desaturation", str(source), "-o", str(out)]) == 0
    points = read_recording(out).points
    assert [p.t_s for p in points if p.spo2_pct is None] == list(range(50, 150)) and len(points) == 200
    assert "lines without measurement 100" in capsys.readouterr().out


def test_an_oximeter_without_a_saturation_has_no_pulse(tmp_path: Path) -> None:
    source, out = tmp_path / "gt.csv", tmp_path / "out.csv"
    source.write_text(
        "time;SpO2 A;Pulse A;SpO2 B;Pulse B\n2:00:00 PM;127;127;97,5;80,0\n2:00:02 PM;96;81;96;82\n"
    )
    assert main(["desaturation", str(source), "-o", str(out)]) == 0
    assert [(p.t_s, p.spo2_pct, p.hr_bpm) for p in read_recording(out).points] == [
        (0, 97.5, 80),
        (2, 96, 81.5),
    ]
