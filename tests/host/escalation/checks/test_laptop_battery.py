"""A laptop that runs out stops monitoring: its battery is an alarm in steps, read from a folder like the kernel's."""

import pytest
from crs_core.codes import LAPTOP_BATTERY, PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.laptop_battery import AFTER_S, LaptopBatteryCheck, finding
from host_agent.platform.power_supply import Power, read_power
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import NOW_MS, World

LOW, MEDIUM, HIGH = PRIORITY_LOW, PRIORITY_MEDIUM, PRIORITY_HIGH
STEPS = {
    (None, None, None): None,
    (False, 3, None): None,
    (True, 100, None): LOW,
    (True, 31, None): LOW,
    (True, 30, None): MEDIUM,
    (True, 16, None): MEDIUM,
    (True, 15, None): HIGH,
    (True, 0, None): HIGH,
    (True, None, None): MEDIUM,
    (True, 90, 61): LOW,
    (True, 90, 60): MEDIUM,
    (True, 90, 20): HIGH,
    (True, None, 10): HIGH,
}


@pytest.mark.parametrize(("power", "priority"), STEPS.items(), ids=map(str, STEPS))
def test_how_urgent_it_is(power, priority):
    found = finding(Power(*power))
    assert (found.priority if found else None) == priority


class Bench:
    def __init__(self, folder, **world):
        self.world = World(folder, **world)
        self.clock = FakeClock(utc_ms=NOW_MS)
        self.folder = folder / "power_supply"
        self.put("AC", type="Mains", online="1")
        self.put("BAT0", type="Battery", status="Charging", capacity="80")
        self.check = LaptopBatteryCheck(
            CheckParts(self.world.store, self.world.escalation, self.clock), lambda: read_power(self.folder)
        )

    def put(self, supply, **files):
        place = self.folder / supply
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name).write_text(f"{text}\n")

    def unplug(self, percent):
        self.put("AC", online="0")
        self.put("BAT0", status="Discharging", capacity=percent)

    async def after(self, seconds):
        await self.clock.advance(seconds)
        await self.check.look()
        return self.world.query(
            "SELECT device, priority, detail FROM host_alarms WHERE alarm = ? AND ended_utc_ms IS NULL",
            LAPTOP_BATTERY,
        )


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.world.store.close()


async def test_it_grows_as_the_battery_runs_out_and_ends_with_the_plug(bench):
    assert await bench.after(0) == []
    bench.unplug(79)
    assert await bench.after(0) == [] and await bench.after(AFTER_S - 1) == []
    assert await bench.after(1) == [(1, LOW, "75 % left")]
    bench.unplug(29)
    assert await bench.after(600) == [(1, MEDIUM, "25 % left")]
    bench.unplug(4)
    assert await bench.after(600) == [(1, HIGH, "4 % left")]
    assert [priority for _, priority in bench.world.told()] == ["LOW", "MEDIUM", "HIGH"]
    assert "the bedside laptop runs on its battery. Plug it in now." in bench.world.outbox()[-1]["text"]
    bench.put("AC", online="1")
    bench.put("BAT0", status="Charging")
    assert await bench.after(10) == []


async def test_a_plug_that_is_moved_calls_nobody(bench):
    for _ in range(5):
        bench.unplug(80)
        assert await bench.after(20) == []
        bench.put("AC", online="1")
        bench.put("BAT0", status="Charging")
        assert await bench.after(20) == []


async def test_a_laptop_that_starts_nearly_empty_alarms_at_once(bench):
    bench.unplug(9)
    assert await bench.after(0) == [(1, HIGH, "5 % left")]


async def test_without_a_patient_a_battery_calls_nobody(tmp_path):
    bench = Bench(tmp_path, bound=False)
    bench.unplug(9)
    assert await bench.after(0) == []
    bench.world.store.close()


async def test_the_patient_who_is_bound_later_is_told_at_once(tmp_path):
    bench = Bench(tmp_path)
    bench.world.store.write_now(lambda tx: tx.execute("UPDATE bindings SET state = 'ended'"))
    bench.unplug(79)
    assert await bench.after(0) == [] and await bench.after(600) == []
    bench.world.store.write_now(lambda tx: tx.execute("UPDATE bindings SET state = 'active'"))
    assert await bench.after(10) == [(1, LOW, "75 % left")]
    bench.world.store.close()
