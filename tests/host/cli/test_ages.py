"""The age of the newest reading: the same in every view, never negative, and not known rather than too young."""

import json

import pytest
from crs_core import units
from crs_core.journal import block_writer

from host_agent.agent_run import AgentRun
from host_agent.cli import devices, doctor, status
from host_agent.clock import RealClock
from host_agent.paths import Paths
from tests.host.cli.people_cli import run
from tools.lab.fuzz.records import HONEST, Bedside

HOUR_MS = 3_600_000
WORN = units.make_status(units.SITE_AXILLA, 0, 0, units.WEAR_WORN)


class SetClock(RealClock):
    moved_ms = 0

    def utc_ms(self) -> int:
        return super().utc_ms() + self.moved_ms


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A function: one reading that came while the laptop's clock was `ahead_ms` off; the clock is right by now."""

    def make(ahead_ms):
        monkeypatch.setattr(SetClock, "moved_ms", ahead_ms)
        side = Bedside(tmp_path, SetClock())
        rows = [units.Reading(HOUR_MS - 1000, 3700, 970, 80, 150, WORN)]
        side.commit(HONEST, [block_writer.encode_readings(HONEST, 1, 1, rows)])
        side.store.close()
        return tmp_path

    return make


def newest(home):
    return next(
        one["newest_reading"] for one in json.loads(run(home, "status", "--json").stdout)["devices"]
        if one["device_id"] == HONEST.hex()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ahead_ms", "age_s"), [(0, 0), (-HOUR_MS, 3600), (HOUR_MS, None), (24 * HOUR_MS, None)]
)
def test_without_the_agent_it_is_by_this_clock_or_not_known(home, ahead_ms, age_s):
    folder = home(ahead_ms)
    found = newest(folder)["age_s"]
    assert found is None if age_s is None else age_s <= found <= age_s + 30
    words = "at a time not known: 37.00" if age_s is None else "ago: 37.00"
    assert words in run(folder, "status").stdout


@pytest.mark.parametrize("ahead_ms", [0, 100_000, HOUR_MS])
def test_without_the_agent_it_is_no_younger_than_an_agent_counted_before(home, ahead_ms):
    folder = home(ahead_ms)
    agent = AgentRun(Paths(folder))
    agent.newest_data_s = lambda: RealClock().monotonic() - 4200
    agent.end()
    assert 4200 <= newest(folder)["age_s"] <= 4230


@pytest.mark.parametrize("ahead_ms", [0, HOUR_MS, 24 * HOUR_MS])
def test_beside_the_agent_it_is_no_younger_than_the_agent_counted(home, ahead_ms, monkeypatch):
    folder = home(ahead_ms)
    live = {
        "pid": 1, "simulation_speed": 1.0, "store_error": None, "targets": {}, "ports": [], "link_counters": {},
        "now_utc_ms": RealClock().utc_ms(),
        "devices": [{"device_id": HONEST.hex(), "link": {"state": "lost", "port": "x"}, "stored_age_s": 754}],
    }  # fmt: skip
    for command in (status, devices, doctor):
        monkeypatch.setattr(command, "live_status", lambda paths: live)
    assert newest(folder)["age_s"] == 754
    assert "12 min 34 s ago: 37.00" in run(folder, "status").stdout
