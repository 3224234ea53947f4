"""`python -m tools.demo` as a newcomer meets it, without a terminal: the fever whole, a failure, useless files."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from host_agent.control import socket as control
from host_agent.paths import Paths
from tools.demo.__main__ import main
from tools.rig.micropython import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.real_time]

LAST_LINE = re.compile(
    r"demo: (\d+) readings synced, (\d+) events delivered, "
    r"(?:peak grade ASTCT-2019 ([0-4])\.\.([0-4]) provisional|no fever criterion met|not gradable), "
    r"alarms (none|[A-Z0-9_]+:(?:LOW|MEDIUM|HIGH)(?:,[A-Z0-9_]+:(?:LOW|MEDIUM|HIGH))*)"
)
Done = subprocess.CompletedProcess[str]
HEADER = "t_s,temp_c,spo2_pct,hr_bpm,pi_pct"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tools.demo", *map(str, arguments)]


def demo(*arguments: object, timeout_s: float = 30) -> Done:
    return subprocess.run(
        command(*arguments), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
        check=False,
    )  # fmt: skip


def whole(link: str) -> Any:
    """A run that several tests look at: one worker makes it and has them all."""
    return pytest.param(link, marks=pytest.mark.xdist_group(f"demo over {link}"))


@pytest.fixture(scope="module", params=[whole("serial"), whole("ble")])
def fever(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    keep = tmp_path_factory.mktemp("demo") / "kept"
    return demo("--keep", keep, "--link", request.param, timeout_s=220), keep


def test_the_fever_ends_with_the_documented_line(fever: tuple[Done, Path]) -> None:
    done, _ = fever
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stderr == ""
    found = LAST_LINE.fullmatch(done.stdout.splitlines()[-1])
    assert found, done.stdout.splitlines()[-1]
    readings, events, lower, upper, alarms = found.groups()
    assert int(readings) >= 60 and int(events) >= 3 and (lower, upper) == ("1", "4")
    assert {"FEVER:MEDIUM", "HYPOXAEMIA:HIGH"} <= set(alarms.split(","))
    raised = {alarm.split(":")[0] for alarm in alarms.split(",")}
    assert raised <= {"FEVER", "HYPOXAEMIA", "NO_DATA", "SPO2_LOST", "PULSE_LOST"}, "technical noise"


def test_what_it_shows_meanwhile(fever: tuple[Done, Path]) -> None:
    done, _ = fever
    lines = done.stdout.splitlines()
    assert "SIMULATED" in lines[0] and "not a medical device" in lines[0]
    live = [line for line in lines if line.startswith("  live ")]
    assert len(live) >= 10 and all("SIMULATED" in line for line in live)
    assert any("thermometer off the body" in line for line in live)
    for line in live:
        shown = re.search(r"(\d\d\.\d\d) °C", line)
        assert not shown or 36 <= float(shown[1]) <= 39, (
            "no raw value of a strap that is off is shown: " + line
        )
    assert any("webhook" in line and "at least 1, could be up to 4" in line for line in lines)
    assert re.fullmatch(r"store and journal agree record by record: \d+ records", lines[-2])


def test_a_caregiver_does_not_answer_and_a_nurse_accepts_and_everybody_who_was_told_knows_it(
    fever: tuple[Done, Path],
) -> None:
    lines = fever[0].stdout.splitlines()
    urgent, unanswered, called, types, known, plays = (
        next(place for place, line in enumerate(lines) if line.startswith("  ") and words in line)
        for words in (
            "to ward and caregiver-1: SIMULATED. URGENT",
            "caregiver-1 does not answer: nurse-1 is called",
            "to nurse-1: SIMULATED. URGENT",
            "nurse-1 types: cytowatch alarm accept",
            "to ward, caregiver-1 and nurse-1: SIMULATED. ACCEPTED",
            'wearable plays "somebody knows": 600 Hz, then 900 Hz',
        )
    )
    assert urgent < unanswered < called < types < min(known, plays)
    assert "nurse-1 accepted the alarm of" in lines[known]
    assert lines[-3] == "accepted: HYPOXAEMIA by nurse-1; ward, caregiver-1 and nurse-1 know who accepted"


def test_kept_files_are_not_mixed_with_another_run(fever: tuple[Done, Path]) -> None:
    again = demo("--keep", fever[1])
    assert again.returncode == 1 and "not empty" in again.stderr


def _lines_until(process: "subprocess.Popen[str]", word: str) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if line.startswith(word):
            return


def test_an_agent_that_is_killed_midway_fails_the_demo_and_is_named(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    process = subprocess.Popen(
        command("--keep", keep), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    guard = threading.Timer(120, process.terminate)
    guard.start()
    try:
        shown = list(_lines_until(process, "playing "))
        assert shown[-1].startswith("playing "), shown
        status = control.call_now(Paths(keep / "bedside").socket, "status", timeout_s=5)
        os.kill(status["pid"], signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    finally:
        guard.cancel()
        if process.poll() is None:
            process.kill()
    assert process.returncode == 1 and err.startswith("demo failed: the agent was killed by signal 9")
    assert "Traceback" not in err + out and not any(line.startswith("demo: ") for line in out.splitlines())


@pytest.mark.parametrize(
    "text, words",
    [
        (f"{HEADER}\n0,37,97,80,\n60,nan,97,80,\n", ("line 3, temp_c", "not a number")),
        (f"{HEADER}\n0,98.6,97,80,\n60,99.1,97,80,\n", ("line 2, temp_c", "Fahrenheit", "problems: 2")),
        (f"{HEADER}\n0,37,97,80,\n60,37,97,80,\n30,37,97,80,\n", ("line 4, t_s", "does not come after")),
        (f"{HEADER}\n0,37,97,80,\n,37,97,80,\n", ("line 3, t_s", "missing")),
        (f"{HEADER}\n0,37,97\n", ("line 2", "3 columns")),
        (f"{HEADER}\n0,37,0.97,80,\n", ("line 2, spo2_pct", "fraction")),
        (f"{HEADER}\n0,37,97,inf,\n", ("line 2, hr_bpm",)),
        (f"{HEADER}\n0,37,97,80,x\n", ("line 2, pi_pct", "'x'")),
        ("time;temp\n0;37\n", ("line 1", "header")),
        ("", ("no header",)),
        (f"{HEADER}\n", ("no rows",)),
        (f"{HEADER}\n0,37,97,{'9' * 200_000},\n", ("line 2",)),
    ],
    ids=[
        "nan", "fahrenheit", "unordered", "no_time", "short", "fraction", "inf", "text", "header", "empty", "none",
        "long",
    ],
)  # fmt: skip
def test_a_bad_recording_is_refused_by_line_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: tuple[str, ...]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    refused(capsys, path, *words)


def test_what_is_no_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, tmp_path / "missing.csv", "missing.csv", "No such file")
    refused(capsys, tmp_path, str(tmp_path), "Is a directory")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    refused(capsys, tmp_path / "binary.csv", "it contains NUL bytes")


def refused(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> None:
    assert main(["--recording", str(path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("demo refused: ") and len(said) < 3000
    for word in words:
        assert word in said


def test_make_passes_the_exit_on(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(f"{HEADER}\n0,nan,97,80,\n")
    done = subprocess.run(
        ["make", "-s", "demo", f"RECORDING={path}"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2  # what make says of any step that fails
    assert "line 2, temp_c" in done.stderr
