"""`tools.board.capture` on the virtual wearable through the real mpremote: rows, holes, Ctrl-C, faults, monitoring."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.board.capture.rows import BoardLineError, Rows
from tools.rig.bedside import Bedside
from tools.rig.host import Host
from tools.rig.image import CUSTODIAN
from tools.rig.waiting import until

pytestmark = pytest.mark.wearable


def start(bedside: Bedside, out: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tools.board.capture", bedside.port, "--out", str(out), "--json", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a CI may have been started without it
    )  # fmt: skip


def rows_of(out: Path) -> list[dict[str, str]]:
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def monitors_again(bedside: Bedside) -> None:
    """The application answers its custodian."""
    host = Host(bedside.wearable.port, CUSTODIAN)
    host.open(30)
    host.close()


def test_a_recording_has_every_sample_and_the_board_monitors_again(tmp_path: Path) -> None:
    out = tmp_path / "light.csv"
    with Bedside(tmp_path, speed=1) as bedside:
        said, told = (tool := start(bedside, out, "--seconds", "8")).communicate(timeout=90)
        assert tool.returncode == 0, said + told
        summary = json.loads(said)
        assert summary["ended"] == "whole" and summary["simulated"] is True
        assert "nobody is monitored" in told and "of 8 s" in told
        rows = rows_of(out)
        assert len(rows) == 200 == summary["samples"] + summary["lost"] and summary["samples"] >= 190
        for at, row in enumerate(rows):
            assert float(row["t_s"]) == pytest.approx(at / 25) and row["simulated"] == "1"
            if row["red"]:
                assert 90000 < int(row["red"]) < 110000 and 110000 < int(row["ir"]) < 130000
        monitors_again(bedside)
    replay = [sys.executable, "-m", "tools.data.ppg_replay", str(out), "--fs", "25"]
    done = subprocess.run(replay, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    valid = [row for row in csv.DictReader(done.stdout.splitlines()) if row["valid"] == "1"]
    assert valid and all(abs(float(row["spo2_pct"]) - 97) < 3 for row in valid), done.stdout + done.stderr


def test_lost_samples_are_blank_rows_in_their_place(tmp_path: Path) -> None:
    out = tmp_path / "light.csv"
    with Bedside(tmp_path, speed=1) as bedside:
        tool = start(bedside, out, "--seconds", "12")
        until(lambda: out.exists() and out.read_text().count("\n") > 60)
        bedside.wearable.control("fault", what="nack", address=0x57)
        time.sleep(3)
        bedside.wearable.control("heal")
        said, told = tool.communicate(timeout=90)
        assert tool.returncode == 0, said + told
        rows = rows_of(out)
        blank = [at for at, row in enumerate(rows) if not row["red"]]
        assert len(rows) == 300 and 50 <= len(blank) <= 160 and json.loads(said)["lost"] == len(blank)
        assert min(blank) > 40 and rows[-1]["red"]
        assert "no answer" in told


def test_ctrl_c_keeps_what_there_is(tmp_path: Path) -> None:
    out = tmp_path / "light.csv"
    with Bedside(tmp_path, speed=1) as bedside:
        tool = start(bedside, out, "--seconds", "600")
        until(lambda: out.exists() and out.read_text().count("\n") > 60)
        tool.send_signal(signal.SIGINT)
        said, told = tool.communicate(timeout=60)
        assert tool.returncode == 130, said + told
        summary = json.loads(said)
        assert summary["ended"] == "stopped"
        assert len(rows_of(out)) == summary["samples"] + summary["lost"] >= 60
        monitors_again(bedside)


def test_without_a_sensor_nothing_is_left_and_the_reason_is_told(tmp_path: Path) -> None:
    out = tmp_path / "light.csv"
    with Bedside(tmp_path, speed=1) as bedside:
        bedside.wearable.control("fault", what="nack", address=0x57)
        said, told = (tool := start(bedside, out, "--seconds", "3")).communicate(timeout=90)
        assert tool.returncode == 1, said + told
        assert "no answer" in json.loads(said)["ended"] and not out.exists()
        monitors_again(bedside)


def test_usage_and_an_existing_file_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "light.csv"
    out.write_text("mine\n")
    tool = [sys.executable, "-m", "tools.board.capture"]
    for options in (["--out", out], ["--out", tmp_path / "b.csv", "--seconds", "0"]):
        refused = subprocess.run([*tool, "/dev/none", *options], capture_output=True, check=False)
        assert refused.returncode == 2
    assert out.read_text() == "mine\n"
    command = [*tool, tmp_path / "none", "--out", tmp_path / "c.csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "failed to access" in done.stdout and "reset it by hand" in done.stdout


def test_holes_are_as_long_as_the_clock_says_and_at_least_one_row() -> None:
    out = io.StringIO()
    rows = Rows(out, 100)
    for line in ("B 0", "S 1080 1 2 3 4", "G 0", "S 1480 5 6", "G 3", "S 1520 7 8", "E"):
        rows.take(line)
    assert rows.ended and rows.light_changes == 1
    lines = out.getvalue().splitlines()
    assert lines[:3] == ["t_s,red,ir", "0.00,1,2", "0.04,3,4"]
    assert lines[3] == "0.08,," and lines[-2:] == ["0.48,,", "0.52,7,8"] and "0.44,5,6" in lines
    for bad in ("S 1", "S 1 2", "S x 1 2", "hello", "G x"):
        with pytest.raises(BoardLineError):
            rows.take(bad)
