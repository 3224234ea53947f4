"""Charted stays: how a chart is read, that intervals are compared, that both runtimes are."""

import gzip
from pathlib import Path

import pytest
from crs_core import units
from crs_core.grade.assessment import Assessment
from crs_core.grade.rules import DEFAULT

from tools.lab.evaluate import __main__ as tool
from tools.lab.evaluate import icu
from tools.lab.evaluate.micropython import stay_run

CHART = """\
1,0,Age,60
1,0,Gender,1
1,10,Temp,38.1
1,10,HR,90
1,10,NISysABP,80
1,10,SysABP,85
1,70,Temp,37.0
1,70,SaO2,97
1,71,Temp,-17.8
1,75,MechVent,1
1,90,Temp,37.5
1,90,HR,100
2,5,HR,88
3,0,Age,70
"""


@pytest.fixture
def chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "icu-vitals"
    folder.mkdir()
    path = folder / "vitals.csv.gz"
    path.write_bytes(gzip.compress(("rec,minute,name,value\n" + CHART).encode()))
    monkeypatch.setenv("CRS_DATA_DIR", str(tmp_path))
    return path


def test_each_charted_instant_is_a_reading_and_what_was_not_charted_is_absent(chart: Path) -> None:
    stays = icu.read(chart)
    assert [stay.number for stay in stays] == [1, 2, 3]
    readings = stays[0].readings()
    assert [(r.t_ms // 60_000, r.temp_cc, r.spo2_tenths, r.hr_bpm) for r in readings] == [
        (10, 3810, None, 90),
        (70, 3700, 970, None),
        (90, 3750, None, 100),
    ]
    assert stays[0].signs.dropped == 1
    lone = stays[1].readings()[0]
    assert units.temp_state_of(lone.status) == units.TEMP_ABSENT
    assert units.ppg_state_of(lone.status) == units.PPG_VALID
    assert stays[2].readings() == []


def test_the_fuller_case_takes_what_was_charted_shortly_before(chart: Path) -> None:
    stay = icu.read(chart)[0]
    first, second, third = stay.readings()
    assert icu.fuller_case(stay, first, False) == {
        "temperature_cc": 3810, "site": "core", "systolic_mmhg": 80, "age_months": 720,
    }  # fmt: skip
    fuller = icu.fuller_case(stay, second, True)
    assert fuller is not None
    assert fuller["fever_earlier"] is True and fuller["spo2_tenths"] == 970 and "oxygen" not in fuller
    assert icu.fuller_case(stay, third, True) is None  # the pressure is 80 min old
    stay.systolic_mmhg[90] = 110
    fuller = icu.fuller_case(stay, third, True)
    assert fuller is not None and fuller["oxygen"] == "invasive_ventilation"


def told(lower: int, upper: int) -> Assessment:
    return Assessment(1, 2019, lower, upper, 3, 1, (), (), 0, 0)


def test_an_interval_that_leaves_the_wearables_is_counted() -> None:
    ventilated = {
        "temperature_cc": 3850,
        "site": "core",
        "systolic_mmhg": 120,
        "oxygen": "invasive_ventilation",
    }
    result = icu.Comparison()
    result.add(told(1, 4), ventilated)
    assert (result.outside, result.widths) == (0, {(3, 0): 1})
    result.add(told(1, 3), ventilated)
    assert (result.instants, result.outside) == (2, 1)


def test_equal_facts_share_an_interval_and_others_do_not() -> None:
    result = icu.Comparison()
    case = {"temperature_cc": 3799, "site": "core", "systolic_mmhg": 120}
    for temp_cc in (3799, 3800, 3900):
        result.add(told(0, 4), {**case, "temperature_cc": temp_cc})
    assert result.widths == {(4, 4): 1, (4, 3): 2}


def test_a_small_chart_gives_every_row_on_both_runtimes(
    chart: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["--icu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("row: icu-vitals: ") and line.endswith("| ok") for line in lines)
    assert any("3 of 3 stays the same, 4 readings" in line for line in lines)
    assert any("0 of 2" in line for line in lines)


def test_the_hash_notices_one_changed_hundredth(chart: Path) -> None:
    readings = icu.read(chart)[0].readings()
    changed = [readings[0]._replace(temp_cc=3811), *readings[1:]]
    assert stay_run.run(readings) != stay_run.run(changed)
    assert stay_run.run(readings) == stay_run.run(list(readings))


def test_the_file_for_the_other_runtime_holds_the_same_readings(chart: Path, tmp_path: Path) -> None:
    path = tmp_path / "stays.bin"
    stays = icu.read(chart)
    path.write_bytes(b"".join(icu.pack(stay.number, stay.readings()) for stay in stays))
    assert stay_run.hashes(str(path)) == [(stay.number, stay_run.run(stay.readings())) for stay in stays]


def test_without_recordings_it_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRS_DATA_DIR", str(tmp_path))
    assert tool.main(["--icu"]) == 1
    assert f"no recordings at {tmp_path}" in capsys.readouterr().err


def test_two_hundred_real_stays_are_the_same_on_both_runtimes(data_dir: Path) -> None:
    stays = icu.read(data_dir / "icu-vitals/vitals.csv.gz")
    charted = [(stay, stay.readings()) for stay in stays]
    name, figure, _, reached = icu._both_runtimes(charted, icu.LEAST_STAYS)
    assert reached, f"{name}: {figure}"
    assert "200 of 200" in figure


def test_real_charts_narrow_the_interval_and_never_leave_it(data_dir: Path) -> None:
    stays = icu.read(data_dir / "icu-vitals/vitals.csv.gz")[:300]
    rows = list(icu._intervals([(stay, stay.readings()) for stay in stays]))
    assert rows[0][1].startswith("0 of ") and rows[0][3]
    assert int(rows[0][1].split()[-1]) > 3000
    assert DEFAULT.fever_cc == 3800  # the comparison groups temperatures at this limit


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            gzip.compress(b"rec,minute,name,value\n" + b"7,0,Temp,37\n" * 999, mtime=0)[:-20],
            "cut off or damaged",
        ),
        (b"rec,minute,name,value\n7,0,Temp\n", "line 2: 3 columns"),
        (b"rec,minute,name,value\n7,0,Temp,warm\n", "line 2: 'warm' is not a number"),
        (b"rec,minute,value\n", "no column 'name'"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "vitals.csv.gz"
    path.write_bytes(data)
    with pytest.raises(icu.NoRecordings, match=says):
        icu.read(path)
