"""What a file may hold, what is refused and how, and how the command ends."""

import csv
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.data.ppg_replay.command import replay, rows, valid, write
from tools.data.ppg_generator import Subject, samples
from tools.rig.micropython import ROOT

CLEAN = list(samples(Subject(), 20))


@pytest.mark.parametrize(("text", "says"), [
    ("", "the file is empty"),
    ("red,ir\n", "no samples after the header"),
    ("time,green\n1,2\n", "no column 'red'; there are: time, green"),
    ("red,green\n1,2\n", "no column 'ir'; there are: red, green"),
    ("t_s,ir\n1,2\n", "with --ir-only, ir is enough"),
    ("100000,120000\n100000,120000\n", "the first line must name the columns"),
    ("red,ir,ir\n1,2,3\n", "2 columns are called 'ir'"),
    ("red,ir\n1,2\n3,abc\n", "line 3: column ir: 'abc' is not a number"),
    ("red,ir\n1,2\n1_000,4\n", "line 3: column red: '1_000' is not a number"),
    ("red,ir\n1,2\n\n\n3\n", "line 5: 1 columns, the header has 2"),
    ("red,ir\n1;2\n", "line 2: 1 columns"),
])  # fmt: skip
@pytest.mark.parametrize("runtime", ["micropython", "cpython"])
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, says: str, runtime: str) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "out.csv"
    path.write_text(text)
    done = replay(path, "--fs", 25, "--runtime", runtime, "--out", out)
    assert done.returncode == 2
    assert says in done.stderr and str(path) in done.stderr and len(done.stderr.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == [path], "nothing half written is left"


@pytest.mark.parametrize(("fs", "says"), [
    ("9.99", "too slow"), ("0", "too slow"), ("-25", "too slow"), ("1001", "too fast"), ("nan", "not a number"),
    ("fast", "not a number"), ("inf", "not a number"), ("1/0", "not a number"),
    ("1e99999999", "not a number"), ("1e-99999999", "too slow"), ("1e9/1", "not a number"),
])  # fmt: skip
def test_a_rate_that_cannot_be_is_refused(tmp_path: Path, fs: str, says: str) -> None:
    done = replay(write(tmp_path / "a.csv", CLEAN), f"--fs={fs}")
    assert done.returncode == 2 and says in done.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = replay(tmp_path / "none.csv", "--fs", 25)
    assert done.returncode == 2 and "No such file" in done.stderr


def test_other_columns_case_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    plain = rows(write(tmp_path / "a.csv", CLEAN), "--fs", 25)
    path = tmp_path / "b.csv"
    lines = [f"{n / 25},{infrared},x,{red}\r\n" for n, (red, infrared) in enumerate(CLEAN)]
    path.write_text("\ufefft_s, IR ,note,Red\r\n" + "".join(lines) + "\r\n", newline="")
    assert rows(path, "--fs", 25) == plain


def test_stdin_and_out(tmp_path: Path) -> None:
    path, out = write(tmp_path / "a.csv", CLEAN), tmp_path / "out.csv"
    piped = replay("-", "--fs", 25, stdin=path.read_text())
    assert piped.returncode == 0
    assert replay(path, "--fs", 25, "--out", out).stdout == ""
    assert out.read_text() == piped.stdout


@pytest.mark.parametrize("blank", ["", "nan", "NaN", " NA "])
def test_a_blank_is_a_lost_sample_and_the_chain_starts_over(tmp_path: Path, blank: str) -> None:
    lines = [f"{red},{infrared}\n" for red, infrared in CLEAN]
    lines[260] = f"{CLEAN[260][0]},{blank}\n"  # at 10.4 s
    path = tmp_path / "a.csv"
    path.write_text("red,ir\n" + "".join(lines))
    done = replay(path, "--fs", 25)
    assert done.returncode == 0 and "1 of 500 samples were blank or NaN" in done.stderr
    found = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["reason"] for row in found[11:13]] == ["settling", "settling"]
    assert found[9]["valid"] == found[14]["valid"] == "1"


def test_a_long_hole_gives_nothing_but_what_was_seen_in_its_first_second(tmp_path: Path) -> None:
    lines = [f"{red},{infrared}\n" for red, infrared in CLEAN]
    lines[251:401] = [",\n"] * 150  # 10.04 to 16.04 s
    path = tmp_path / "a.csv"
    path.write_text("red,ir\n" + "".join(lines))
    why = [row["reason"] for row in rows(path, "--fs", 25)[9:]]
    assert why[:8] == ["", "", "settling", "settling", "stale", "stale", "stale", "settling"]
    assert why[-1] == ""


def test_values_off_the_scale_are_clipped_and_counted(tmp_path: Path) -> None:
    pairs = [(red, 1e9 if 200 <= n < 300 else infrared) for n, (red, infrared) in enumerate(CLEAN)]
    pairs[3] = (-5, pairs[3][1])
    done = replay(write(tmp_path / "a.csv", pairs), "--fs", 25)
    assert done.returncode == 0 and "101 values were outside 0..262143" in done.stderr
    assert done.stdout.splitlines()[12] == "12,,,,0,saturated"


def test_one_column_keeps_empty_lines_as_samples(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ir\n" + "120000\n" * 30 + "\n" * 30)
    assert len(rows(path, "--fs", 25, "--ir-only")) == 3


def test_a_fast_long_recording_takes_little_memory_and_time(tmp_path: Path) -> None:
    script = (
        "import re, sys; from pathlib import Path; from tools.data.ppg_replay.__main__ import main; main(sys.argv[1:]);"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1], file=sys.stderr)"
    )
    peaks = []
    for seconds in (10, 600):
        path = write(tmp_path / f"{seconds}.csv", ((100000, 120000 + n % 97) for n in range(seconds * 400)))
        done = subprocess.run(
            [sys.executable, "-c", script, str(path), "--fs", "400"],
            cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert len(done.stdout.splitlines()) == seconds + 1
        peaks.append(int(done.stderr.split()[-1]))
    assert peaks[1] - peaks[0] < 4096, peaks  # KiB, for 230 000 samples more


@pytest.mark.parametrize("runtime", ["micropython", "cpython"])
def test_rows_come_while_samples_come_and_ctrl_c_ends_it(runtime: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.data.ppg_replay", "-", "--fs", "25", "--runtime", runtime],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        restore_signals=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdin and process.stdout and process.stderr
    try:
        process.stdin.write("red,ir\n" + "".join(f"{red},{infrared}\n" for red, infrared in CLEAN * 20))
        process.stdin.flush()
        assert process.stdout.readline().startswith("t_s,")
        assert process.stdout.readline() == "1,,,,0,settling\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert errors.strip() == "ppg_replay: stopped"
    finally:
        process.kill()


def test_the_reader_may_leave_early(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", CLEAN * 20)
    command = f"{sys.executable} -m tools.data.ppg_replay {path} --fs 25 | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")


def test_rows_are_counted_as_valid_only_with_values(tmp_path: Path) -> None:
    found = rows(write(tmp_path / "a.csv", CLEAN), "--fs", 25)
    assert len(valid(found)) >= 16
    assert all(row["hr_bpm"] and row["spo2_pct"] and row["pi_pct"] for row in valid(found))
