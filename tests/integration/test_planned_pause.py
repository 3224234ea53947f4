"""A planned pause as a person announces it: the real command, agent and firmware; back too late, or not heard again."""

from pathlib import Path
from typing import Any

import pytest
from crs_core import codes
from crs_core.journal import record_layout

from host_agent.store.alarm_changes import AlarmChange
from host_agent.store.host_alarms import host_alarms, open_alarms
from tools.rig.bedside import Bedside
from tools.rig.laptop import Laptop
from tools.rig.scenarios import keyframes, steady
from tools.rig.stored import bound_alarm_changes, rechecked_seqs
from tools.rig.waiting import until

SPEED = 60
WORN_THEN_OFF = keyframes((0, steady()), (1199, {}), (1200, {"strap": "off"}))


def changes(laptop: Laptop, alarm: int) -> list[AlarmChange]:
    """What the wearable journaled of this alarm."""
    return [change for change in laptop.read(bound_alarm_changes) or [] if change.alarm == alarm]


@pytest.mark.slow
def test_announced_shown_stored_re_run_and_told_when_nobody_comes_back(tmp_path: Path) -> None:
    with Bedside(tmp_path, speed=SPEED, scenario=WORN_THEN_OFF, binding_id=None) as bedside:
        laptop = bedside.laptop
        bedside.start_agent()
        bedside.start_patient(7)

        def device() -> dict[str, Any]:
            return dict(laptop.ask("status")["devices"][0])

        said = laptop.cytowatch("pause", "--for", "29m", "--why", "charging").stdout
        assert "Paused for charging. Planned: not measuring, back by" in said and "SIMULATED" in said
        until(lambda: laptop.events(record_layout.PAUSE), 20, "the record of the pause")
        shown = device()["pause"]
        assert shown["why"] == "charging" and 0 < shown["left_s"] <= 29 * 60
        assert "min left, back by" in laptop.cytowatch("status").stdout
        until(lambda: changes(laptop, codes.PAUSE_OVER), 60, "the end of the pause")
        assert device()["pause"] is None
        over = changes(laptop, codes.PAUSE_OVER)[0].seq
        begun = laptop.events(record_layout.PAUSE)[0].seq
        silent = [one for one in changes(laptop, codes.NO_DATA) if one.priority and begun <= one.seq <= over]
        assert silent == []
        assert codes.STALE_DATA not in [alarm.alarm for alarm in laptop.read(host_alarms) or []]
        until(lambda: any(laptop.read(rechecked_seqs) or []), 20, "the re-run of the steps")
        assert laptop.totals().disagreements == 0
        report = laptop.ask("report", "hours", "--utc")
        assert sum(row["pause_ms"] for row in report["rows"]) > 15 * 60_000
        assert all(row["simulated"] for row in report["rows"])


def of_wearables(laptop: Laptop) -> list[tuple[int, int]]:
    """(alarm, priority) of what the host itself alarms about a wearable now."""
    alarms = laptop.read(open_alarms) or []
    return [(alarm.alarm, alarm.priority) for alarm in alarms if alarm.device is not None]


@pytest.mark.slow
def test_a_wearable_that_is_not_heard_again_is_high_at_the_end_of_its_pause(tmp_path: Path) -> None:
    with Bedside(tmp_path, speed=SPEED, binding_id=None) as bedside:
        laptop = bedside.laptop
        bedside.start_agent()
        bedside.start_patient(4)
        laptop.cytowatch("pause", "--for", "28m", "--why", "washing")
        until(lambda: laptop.events(record_layout.PAUSE), 20, "the record of the pause")
        bedside.wearable.kill()
        found = until(lambda: of_wearables(laptop), 60, "an alarm of the host")
        assert found == [(codes.NOT_BACK, codes.PRIORITY_HIGH)]
