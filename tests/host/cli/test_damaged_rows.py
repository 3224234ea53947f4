"""A damaged row of what people entered harms its own key: no other row, no other patient, and nothing gets better."""

import contextlib
import sqlite3
import time

import pytest

from tests.host.cli.people_cli import run
from tests.host.people.people_world import PeopleWorld

DEVICE = ("--device", "0101")
NUMBERS = ["{", "[]", '{"12":70000}', '{"99":1}', '{"12":"x"}', '{"x":1}', "1", "null", '{"12":1.5}', b"\xff"]
VALUES = [
    "{",
    "NaN",
    '"x"',
    "[]",
    "1e999",
    "true",
    "-1",
    "70000",
    '{"a":1}',
    "[" * 3000,
    b"\xff",
    '"\\u0000"',
]


@pytest.fixture
def damaged(tmp_path):
    """damaged(statement, *values) → the state folder of two patients after that statement."""
    world = PeopleWorld(tmp_path)
    world.now_ms = time.time_ns() // 1_000_000
    world.enter(world.nurse, ice=10)
    world.enter(world.nurse, ice=3, hr_bpm=100)
    world.sign(world.nurse, "context", {"hr_bpm": 99}, patient="P-2")
    world.store.close()
    (tmp_path / "c.db").rename(tmp_path / "cytowatch.db")

    def damage(statement, *values):
        with contextlib.closing(sqlite3.connect(tmp_path / "cytowatch.db")) as conn:
            conn.execute(statement, values)
            conn.commit()
        return tmp_path

    return damage


def shown(home, *command):
    done = run(home, *command)
    text = done.stdout + done.stderr
    assert "Traceback" not in text and "This is a bug" not in text
    return text


@pytest.mark.parametrize("numbers", NUMBERS)
def test_a_damaged_way_to_the_wearable_is_said_beside_its_value(damaged, numbers):
    home = damaged("UPDATE context_outgoing SET numbers = ?", numbers)
    (line,) = [one for one in shown(home, "context", "show", *DEVICE).splitlines() if one.startswith("ice")]
    assert "3" in line and "its row for the wearable is damaged. Enter it again" in line
    assert "cannot be shown" not in shown(home, "status")


@pytest.mark.parametrize("value", VALUES)
def test_a_damaged_value_counts_as_withdrawn_and_no_older_one_takes_its_place(damaged, value):
    home = damaged("UPDATE context_values SET value = ? WHERE key = 'ice' AND value = '3'", value)
    lines = shown(home, "context", "show", *DEVICE).splitlines()
    assert any(one.startswith("ice") and "withdrawn" in one for one in lines)
    assert any(one.startswith("hr_bpm") and "100" in one for one in lines)
    status = shown(home, "status")
    assert "P-2" in status and "cannot be shown" not in status


@pytest.mark.parametrize(
    "statement",
    ["UPDATE context_entries SET observed_utc_ms = 'x'", "UPDATE context_outgoing SET observed_utc_ms = 'x'",
     "INSERT INTO patient_limits SELECT 1, 1, '{', 'x'"],
)  # fmt: skip
def test_what_cannot_be_judged_is_a_sentence(damaged, statement):
    assert "cannot be shown" in shown(damaged(statement), "context", "show", *DEVICE)


@pytest.mark.parametrize("profile", ["x'ff'", "CAST(x'ff3d' AS TEXT)"])
@pytest.mark.parametrize("command", [("status",), ("devices",), ("doctor",), ("history",)])
def test_a_damaged_profile_hides_no_other_patient(damaged, profile, command):
    home = damaged(f"UPDATE bindings SET profile = {profile} WHERE id = 1")
    assert "P-2" in shown(home, *command) or command != ("status",)
