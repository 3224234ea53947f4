"""A planned pause as a person announces it: the real command, agent and firmware; back too late, or not heard again."""

import json
from pathlib import Path
from typing import Any

import pytest
from crs_core import codes, records

from tools.rig.ward import Ward

SPEED = 60
WORN_THEN_OFF = """title = "test"
[[keyframe]]
t_s = 0
temp_c = 36.8
spo2_pct = 97.0
hr_bpm = 74
pi_pct = 1.5

[[keyframe]]
t_s = 1199

[[keyframe]]
t_s = 1200
strap = "off"
"""


@pytest.mark.slow
def test_announced_shown_stored_re_run_and_told_when_nobody_comes_back(tmp_path: Path) -> None:
    scenario = tmp_path / "off.toml"
    scenario.write_text(WORN_THEN_OFF)
    with Ward(tmp_path, speed=SPEED, scenario=scenario, binding_id=None) as ward:
        laptop = ward.laptop
        laptop.start(ward.port, SPEED)
        ward.until(laptop.caught_up, 20, "sync")
        laptop.cytowatch("patient", "start", "--age-years", "54")
        ward.until(lambda: laptop.caught_up() and laptop.readings() > 6, 20, "readings of the patient")

        def device() -> dict[str, Any]:
            return dict(json.loads(laptop.cytowatch("status", "--json").stdout)["devices"][0])

        said = laptop.cytowatch("pause", "--for", "29m", "--why", "charging").stdout
        assert "Paused for charging, back by" in said and "SIMULATED" in said
        query = ("SELECT payload FROM events WHERE type = ?", records.PAUSE)
        ward.until(lambda: laptop.query(*query), 20, "the record of the pause")
        shown = device()["pause"]
        assert shown["why"] == "charging" and 0 < shown["left_s"] <= 29 * 60
        assert "min left, back by" in laptop.cytowatch("status").stdout
        alarms = "SELECT DISTINCT alarm FROM alarm_changes WHERE alarm = ?"
        ward.until(lambda: laptop.query(alarms, codes.PAUSE_OVER), 60, "the end of the pause")
        assert device()["pause"] is None
        (over,) = laptop.query("SELECT min(seq) FROM alarm_changes WHERE alarm = ?", codes.PAUSE_OVER)[0]
        (begun,) = laptop.query("SELECT min(seq) FROM events WHERE type = ?", records.PAUSE)[0]
        raised = (
            "SELECT seq, priority FROM alarm_changes WHERE alarm = ? AND priority > 0 AND seq BETWEEN ? AND ?"
        )
        assert laptop.query(raised, codes.NO_DATA, begun, over) == []
        assert not laptop.query("SELECT 1 FROM host_alarms WHERE alarm = ?", codes.STALE_DATA)
        ward.until(
            lambda: laptop.query("SELECT 1 FROM journals WHERE verified_seq > 0"),
            20,
            "the re-run of the steps",
        )
        assert laptop.query("SELECT * FROM disagreements") == []
        report = json.loads(laptop.cytowatch("report", "hours", "--utc", "--json").stdout)
        assert sum(row["pause_ms"] for row in report["rows"]) > 15 * 60_000
        assert all(row["simulated"] for row in report["rows"])


@pytest.mark.slow
def test_a_wearable_that_is_not_heard_again_is_high_at_the_end_of_its_pause(tmp_path: Path) -> None:
    with Ward(tmp_path, speed=SPEED, binding_id=None) as ward:
        laptop = ward.laptop
        laptop.start(ward.port, SPEED)
        ward.until(laptop.caught_up, 20, "sync")
        laptop.cytowatch("patient", "start", "--age-years", "54")
        ward.until(lambda: laptop.caught_up() and laptop.readings() > 3, 20, "readings of the patient")
        laptop.cytowatch("pause", "--for", "28m", "--why", "washing")
        query = ("SELECT 1 FROM events WHERE type = ?", records.PAUSE)
        ward.until(lambda: laptop.query(*query), 20, "the record of the pause")
        ward.wearable.kill()
        found = "SELECT alarm, priority FROM host_alarms WHERE device IS NOT NULL AND ended_utc_ms IS NULL"
        rows = ward.until(lambda: laptop.query(found), 60, "an alarm of the host")
        assert rows == [(codes.NOT_BACK, codes.PRIORITY_HIGH)]
