"""A wearable whose data cannot be read is a line that says so; the other is shown as usual; the exit code is 1."""

import json
import re
import sqlite3

import pytest

from host_agent.terminal import exits
from host_agent.views import calibrations, hours, records, state
from tests.host.cli.people_cli import run
from tools.lab.fuzz.records import HONEST, HOSTILE, Bedside

URGENT = re.compile(r"URGENT [0-9:]{5}.* P-2 .*: fever\. ")
BAD, GOOD = HOSTILE.hex(), HONEST.hex()


@pytest.fixture
def home(tmp_path):
    side = Bedside(tmp_path)
    side.honest_alarm()
    side.store.close()
    return tmp_path


@pytest.fixture
def broken(monkeypatch):
    """Whatever is read of the first wearable raises."""

    def break_at(module, name):
        whole = getattr(module, name)

        def read(tx, row, *rest, **more):
            if getattr(row, "device", row) == 1 or getattr(row, "id", None) == 1:
                raise IndexError("tuple index out of range")
            return whole(tx, row, *rest, **more)

        monkeypatch.setattr(module, name, read)

    return break_at


@pytest.mark.parametrize("where", ["open_binding", "open_pause", "current_journal"])
def test_status_shows_the_other_and_says_which_is_broken(home, broken, where):
    broken(state, where)
    done = run(home, "status")
    assert done.returncode == exits.FAILED and "Traceback" not in done.stderr + done.stdout
    assert f"Wearable {BAD} cannot be shown" in done.stdout and URGENT.search(done.stdout)
    (bad, good) = json.loads(run(home, "status", "--json").stdout)["devices"]
    assert bad["broken"] == "IndexError: tuple index out of range"
    assert good["broken"] is None and good["alarms"][0]["name"] == "FEVER"


@pytest.mark.parametrize("command", ["status", "history"])
def test_a_line_that_cannot_be_written_is_said_and_the_others_are_shown(home, monkeypatch, command):
    from host_agent.cli import history as history_command
    from host_agent.cli import status as status_command

    def spoiled(whole):
        def line(*about):
            if BAD in str(about):
                raise ValueError("Invalid isoformat string")
            return whole(*about)

        return line

    with sqlite3.connect(home / "cytowatch.db") as conn:
        conn.execute("INSERT INTO alarm_changes VALUES (1, 1, 1, 3, 1, 5, 0)")
    monkeypatch.setattr(status_command, "_measured_lines", spoiled(status_command._measured_lines))
    monkeypatch.setattr(history_command, "history_line", spoiled(history_command.history_line))
    done = run(home, command)
    assert done.returncode == exits.FAILED and f"Wearable {BAD} cannot be shown" in done.stderr
    assert URGENT.search(done.stdout)


def test_doctor_and_devices_name_it_and_go_on(home, broken):
    broken(state, "open_binding")
    done = run(home, "doctor")
    assert f"wearable {BAD}: its data is not understood" in done.stdout and done.returncode == exits.FAILED
    done = run(home, "devices")
    assert GOOD in done.stdout and BAD in done.stderr and done.returncode == exits.FAILED


@pytest.mark.parametrize("command", [("history", "--kind", "alarms"), ("export", "--kind", "alarms")])
def test_rows_of_the_others_are_shown(home, broken, command):
    broken(records, "alarm_changes")
    done = run(home, *command)
    assert done.returncode == exits.FAILED and f"Wearable {BAD} cannot be shown" in done.stderr
    assert "fever" in done.stdout.lower() and "Traceback" not in done.stderr


def test_hours_of_the_others_are_counted(home, broken):
    broken(hours, "journals_of_binding")
    done = run(home, "report", "hours")
    assert done.returncode == exits.FAILED and "P-2" in done.stdout and BAD in done.stderr


def test_a_bug_is_a_sentence_and_no_traceback(home, monkeypatch):
    monkeypatch.setattr(calibrations, "events", None)
    monkeypatch.setattr(state, "counts", lambda tx: {}["x"])
    done = run(home, "status")
    assert done.returncode == exits.FAILED and done.stderr.startswith("error: This is a bug: KeyError")


def test_a_priority_that_there_is_none_is_the_highest(home):
    """An older version kept what it got: 9 is not LOW because its last two bits are."""
    with sqlite3.connect(home / "cytowatch.db") as conn:
        conn.execute("UPDATE alarm_changes SET priority = 9")
    assert URGENT.search(run(home, "status").stdout)
