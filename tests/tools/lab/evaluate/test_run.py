"""The whole tool, small: rows, files, refusals, Ctrl-C; the README's tables are those of the code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.lab.evaluate import __main__ as tool
from tools.lab.evaluate import parameters

ROOT = Path(__file__).resolve().parents[4]
SMALL = ["--patients", "2", "--days", "1", "--processes", "2", "--seed", "3"]


def test_a_tiny_run_prints_every_figure_and_marks_it_simulated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told.json"
    plots = tmp_path / "plots"
    assert tool.main([*SMALL, "--json", str(told), "--plots", str(plots)]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].startswith("simulated: 2 patients x 1 d, seed 3, rules ")
    rows = [line for line in lines if line.startswith("row: ")]
    assert len(rows) > 20
    for row in rows:
        assert row.startswith("row: simulated: ")
        parts = row.split(" | ")
        assert len(parts) == 4 and parts[2].startswith("target ") and parts[3] in ("ok", "short")
    assert "same alarms" in rows[0] and rows[0].endswith("ok")
    assert "patient 2 of 2" in printed.err
    document = json.loads(told.read_text())
    assert document["simulated"] is True
    assert len(document["rows"]) == len(rows)
    assert [one["number"] for one in document["patients"]] == [0, 1]
    first = tool.outcomes_of(1, 3, 1, 1)[0]
    kept = document["patients"][0]
    assert kept["technical"] == {f"{name}/{priority}": n for (name, priority), n in first.technical.items()}
    assert sum(kept["technical"].values()) > 5
    drawn = sorted(plots.iterdir())
    assert [path.name for path in drawn] == ["course.svg", "false_alarms.svg", "found.svg"]
    for path in drawn:
        text = path.read_text()
        assert "SIMULATED" in text and text.startswith("<svg ") and text.endswith("</svg>\n")


def test_the_same_seed_gives_the_same_figures_whatever_the_processes() -> None:
    assert tool.outcomes_of(2, 5, 1, 1) == tool.outcomes_of(2, 5, 1, 2)


def test_other_rules_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    alone = ["--patients", "1", "--days", "1", "--processes", "1", "--seed", "3"]
    assert tool.main([*alone, "--rule", "spo2_fast_ms=60000"]) == 0
    assert ", spo2_fast_ms=60000\n" in capsys.readouterr().out


@pytest.mark.parametrize("change", ["spo2_fast_ms=999999", "no_such=1", "spo2_fast_ms", "spo2_fast_ms=-5"])
def test_rules_outside_their_bounds_are_refused(change: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main([*SMALL, "--rule", change]) == 2
    assert change.partition("=")[0] in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--patients", "0"], ["--days", "x"], ["--nonsense"]])
def test_what_makes_no_sense_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        tool.main(wrong)
    assert ended.value.code == 2


def test_ctrl_c_ends_it_without_a_trace() -> None:
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}"}
    command = [sys.executable, "-m", "tools.lab.evaluate", *SMALL, "--patients", "5000"]
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a CI may have been started without it
    )
    assert running.stdout is not None
    assert running.stdout.readline().startswith("simulated: ")
    assert running.stdout.readline().startswith("row: ")
    time.sleep(1.0)  # now the patients are under way
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does it: to every process
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "evaluate: stopped" in errors
    assert "Traceback" not in errors


def test_the_readme_shows_the_parameters_of_the_code() -> None:
    assert parameters.as_markdown() in (ROOT / "tools/lab/evaluate/README.md").read_text()


def test_the_parameters_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["--parameters"]) == 0
    assert "| `axilla_offset_c` | -0.5, 0.4 |" in capsys.readouterr().out
