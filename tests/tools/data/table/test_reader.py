"""The one reader of tables: what it understands is the same table; everything else is refused with its line."""

import contextlib
import gzip
import io
from pathlib import Path

import pytest

from tools.data.recording.reader import read_recording
from tools.data.table import reader
from tools.data.table.moments import Moments
from tools.data.table.new_file import new_file
from tools.data.table.numbers import Numbers
from tools.data.table.problems import TableError
from tools.data.table.reader import Table
from tools.data.table.text_lines import read_text

NAMES = ["t_s", "temp_c"]
ROWS = [["0", "36.8"], ["60", "36.9"]]
PLAIN = "t_s,temp_c\n0,36.8\n60,36.9\n"


def read(data: bytes) -> tuple[list[str], list[list[str]]]:
    table = Table(io.BufferedReader(io.BytesIO(data)), "a.csv")  # type: ignore[arg-type]
    rows = list(table.rows())
    table.problems.check()
    return table.names, rows


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        gzip.compress(PLAIN.encode("utf-8-sig"), mtime=0),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.rstrip("\n").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        PLAIN.replace(",", " , ").encode(),
        b"sep=;\r\n" + PLAIN.replace(",", ";").encode(),
        PLAIN.replace("\n", ",,\n").encode(),
        PLAIN.replace("36.8", '"36.8\n"').encode(),
        '"t_s"\n,"Temp\n(°C)"\n0,36.8\n60,36.9\n'.replace('"t_s"\n', '"t_s"').encode(),
        b"# made by a person\n\n  \n" + PLAIN.encode() + b"\n,\n".replace(b",\n", b"") + b"# end\n",
        b'"# quoted by a spreadsheet",\n' + PLAIN.encode(),
        "Time [s],Temp (°C)\n0,36.8\n60,36.9\n".encode("latin-1"),
        "TIME (s), TEMP ℃ \n0,36.8\n60,36.9\n".encode(),
    ],
)  # fmt: skip
def test_however_it_is_written_it_is_the_same_table(data: bytes) -> None:
    names, rows = read(data)
    assert rows == ROWS and names[0] in ("t_s", "time_s") and names[1] == "temp_c"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"\n\n# only this\n", "the file is empty"),
        (PLAIN.encode("utf-16")[:-1], "the text is damaged after line 2"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-9], "cut off or damaged"),
        (b"\x1f\x8bnothing", "cut off or damaged"),
        (b"t_s,temp_c\n0,36.8\n\x00\x00\x00\x00", "line 3: it contains NUL"),
        (b"PK\x03\x04rest", "a workbook or a zip archive"),
        (b"t_s,temp_c\n0\n", "line 2: 1 columns, the header has 2"),
        (b"t_s,temp_c\n0,36,8\n", "line 2: 3 columns, the header has 2. With decimal commas"),
        (b't_s,note\n0,"x\n60,y\n120,"z\n', "line 2: a quote is not closed"),
        (b't_s,note\n0,"x\n60,y\n', "line 2: a quote is not closed"),
        (
            b't_s,temp_c,note\n0,1,"x\n60,1,y\n90,1,z"\n',
            "line 2: a quoted cell contains another row: '60,1,y'",
        ),
        (b't_s,note\n0,"' + b"x\n" * 40, "line 2: a quote is opened and not closed in 20 lines"),
        (b"t_s,note\n0," + b"x" * 200_000 + b"\n", "line 2: a cell is longer than 131072"),
        (b"t_s,note\n0," + b"x" * 2_000_000, "line 2 is longer than 1000000 characters"),
    ],
)
def test_what_is_damaged_is_refused_with_its_line(data: bytes, says: str) -> None:
    with pytest.raises(TableError) as refused:
        read(data)
    assert says in str(refused.value) and len(str(refused.value)) < 600


def test_other_line_ends_of_unicode_are_part_of_a_cell_and_latin_1_is_text() -> None:
    data = "t_s,note\n0,\u2028ward\x85\n1,".encode() + "Gerät\n".encode("latin-1")
    assert read(data)[1] == [["0", "ward"], ["1", "Gerät"]]


def test_a_file_that_is_not_there_is_a_folder_or_may_not_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv", Path("a\x00b")):
        with pytest.raises(TableError, match="cannot be read"):
            read_text(path)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["36.8", ".5", "+1e2", "-3"], [36.8, 0.5, 100.0, -3.0]),
        (["36,8", "0,040", "1,040", "97"], [36.8, 0.04, 1.04, 97.0]),
        (["−1"], [-1.0]),
    ],
)
def test_numbers_with_one_decimal_sign_are_read(cells: list[str], values: list[float]) -> None:
    numbers = Numbers()
    assert [numbers.read(cell) for cell in cells] == values


@pytest.mark.parametrize(
    "cells",
    [
        ["1,040"], ["36,8", "36.8"], ["36.8", "36,8"], ["1.234,5"], ["1,234,567"], ["1_000"], ["inf"], ["nan"],
        ["1e400"], ["36."], ["36.8 °C"], ["97%"], ["٣٦"], ["0x10"], ["3 6"], ["--1"], ["1e"], ["="],
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_or_is_no_number_is_refused(cells: list[str]) -> None:
    numbers = Numbers()
    for cell in cells[:-1]:
        numbers.read(cell)
    with pytest.raises(ValueError, match="."):
        numbers.read(cells[-1])


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("t_s", ["0", "1", "2.5"]),
        ("Time (ms)", ["0", "1000", "2500"]),
        ("t_us", ["0", "1e6", "2500000"]),
        ("minutes", ["0", "0.01666666666666666", "0.04166666666666666"]),
        ("t_s", ["1774965900", "1774965901", "1774965902.5"]),
        ("epoch_ms", ["1774965900000", "1774965901000", "1774965902500"]),
        ("time", ["14:05:09", "14:05:10", "14:05:11.5"]),
        ("time", ["23:59:59", "00:00:00", "00:00:01,5"]),
        ("time", ["12:59:59 PM", "1:00:00 p.m.", "01:00:01.5 pm"]),
        ("time", ["11:59:59 am", "12:00:00 PM", "12:00:01.5 PM"]),
        ("time", ["2026-03-31 23:59:59", "2026-04-01T00:00:00", "2026/04/01 00:00:01.5"]),
        ("time", ["31.03.2026 23:59:59", "01.04.2026 00:00:00", "1.4.2026 0:00:01,5"]),
        ("time", ["3/31/2026 11:59:59 PM", "4/1/2026 12:00:00 AM", "04/01/2026 12:00:01.5 AM"]),
        ("time", ["2026-10-25T02:59:59+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T01:00:01.5Z"]),
    ],
)
def test_times_are_seconds_however_they_are_written(name: str, cells: list[str]) -> None:
    moments = Moments(name, Numbers())
    found = [moments.read(cell) for cell in cells]
    assert [round(value - found[0], 6) for value in found] == [0, 1, 2.5]


@pytest.mark.parametrize(
    "cells",
    [
        ["14:05"], ["25:00:00"], ["14:61:00"], ["13:00:00 PM"], ["03/04/2026 14:05:00"], ["31.02.2026 14:05:00"],
        ["2026-03-31"], ["14:05:00Z"], ["0", "14:05:00"], ["14:05:00", "2026-03-31 14:05:01"], ["1774965900000"],
        ["01-02-03 14:05:00"], ["soon"], ["14:05:00:00"],
    ],
)  # fmt: skip
def test_a_time_that_is_not_clear_is_refused(cells: list[str]) -> None:
    moments = Moments("t_s", Numbers())
    for cell in cells[:-1]:
        moments.read(cell)
    with pytest.raises(ValueError, match="."):
        moments.read(cells[-1])


def test_a_file_that_is_replaced_keeps_its_mode_and_a_read_only_one_its_content(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    path.chmod(0o600)
    with new_file(path) as out:
        out.write("after")
    assert path.read_text() == "after" and path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o400)
    for target, says in ((path, "read-only"), (Path("-"), "no file for the output")):
        with pytest.raises(TableError, match=says), new_file(target) as out:
            out.write("never")
    assert path.read_text() == "after" and list(tmp_path.iterdir()) == [path]


def test_blank_lines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BLANK_MAX", 100)
    for text in ("\n" * 101, "a,b\n" + ",\n" * 101, "a,b\n" + "# note\n\n" * 101 + "1,2\n"):
        with (
            pytest.raises(TableError, match="blank lines|too")
            if "#" not in text
            else contextlib.nullcontext()
        ):
            list(Table(io.BytesIO(text.encode()), "a.csv").rows())


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ("2026-10-25T02:59:00 2026-10-25T02:00:00", r"write the zone \(\+01:00\)"),
        ("02:59:00 02:00:00", "write the date and the zone"),
        ("2026-10-25T02:59:00 2026-10-25T03:00:00Z", "date before, date with zone here"),
        ("2026-10-25T02:59:00+02:00 2026-10-25T02:00:00", "date with zone before, date here"),
    ],
)
def test_clocks_put_back_and_mixed_zones_are_refused(tmp_path: Path, times: str, says: str) -> None:
    path = tmp_path / "recording.csv"
    rows = "".join(f"{t},36.8,97,80\n" for t in times.split())
    path.write_text("t_s,temp_c,spo2_pct,hr_bpm\n" + rows)
    with pytest.raises(TableError, match=says):
        read_recording(path)
