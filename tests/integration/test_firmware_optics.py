"""Harm to the optical probe on the whole wearable: told by its reason, counted, and over when it is over."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crs_core import units
from crs_core.codes import FAULT_WRONG_PART, SUBSYSTEM_PPG
from crs_core.journal import record_layout
from crs_core.wire import message as wire
from crs_device import health

from tools.rig.host import Host, of_type, pull
from tools.rig.scenarios import worn as worn_by
from tools.rig.wearable import Wearable, ready

PPG = 0x57
FIFO = 32  # samples that one broken drain can cost
SPEED = 10
SPO2 = 96.0
SCENARIO = worn_by(spo2_pct=SPO2, hr_bpm=90)


class Worn:
    """A wearable in session, looked at by what it shows."""

    def __init__(self, wearable: Wearable, host: Host) -> None:
        self.wearable, self.host = wearable, host

    def see(self, wanted: Callable[[Any], bool], what: str, timeout_s: float = 12) -> Any:
        """The next LIVE that is so."""

        def found() -> Any:
            while self.host.messages:
                message = self.host.messages.pop(0)
                if isinstance(message, wire.Live) and wanted(message):
                    return message
            return None

        return self.host.wait(found, timeout_s, what)

    def see_right(self) -> None:
        """A value within the stated error, at the pulse that is there."""
        live = self.see(lambda m: units.ppg_state_of(m.status) == units.PPG_VALID, "a value")
        assert abs(live.spo2_tenths / 10 - SPO2) <= 1 and abs(live.hr_bpm - 90) <= 5

    def see_reason(self, state: int) -> None:
        """No value and this reason, beside a temperature that goes on."""
        live = self.see(lambda m: units.ppg_state_of(m.status) == state, f"PPG state {state}")
        assert (live.spo2_tenths, live.hr_bpm) == (None, None)
        assert units.temp_state_of(live.status) in (units.TEMP_SETTLING, units.TEMP_VALID)


@pytest.fixture
def wearable(tmp_path: Path) -> Iterator[Wearable]:
    with ready(tmp_path, scenario=SCENARIO, speed=SPEED) as wearable:
        yield wearable


@pytest.fixture
def worn(wearable: Wearable) -> Worn:
    worn = Worn(wearable, wearable.connect())
    worn.see_right()
    return worn


def test_little_light_is_brought_up_and_measured(worn: Worn) -> None:
    before = worn.host.counted(health.PPG_LIGHT_CHANGE)
    worn.wearable.control("fault", what="light", red=0.15, ir=0.15)
    worn.host.wait(lambda: worn.host.counted(health.PPG_LIGHT_CHANGE) > before, 5, "the change")
    worn.host.messages.clear()
    worn.see_right()


def test_sunlight_gives_no_value_is_counted_and_passes(worn: Worn) -> None:
    worn.wearable.control("fault", what="sunlight")
    worn.see_reason(units.PPG_SATURATED)
    assert worn.host.counted(health.PPG_AMBIENT) > 0
    worn.wearable.control("heal")
    worn.see_right()


def test_lights_swapped_from_the_start_give_no_value_and_are_journaled(wearable: Wearable) -> None:
    wearable.control("fault", what="swapped")
    worn = Worn(wearable, wearable.connect())
    worn.see_reason(units.PPG_SWAPPED)
    assert worn.host.counted(health.PPG_SWAPPED_LIGHTS) == 1
    events, _ = pull(worn.host)
    faults = of_type(events, record_layout.FAULT)
    assert [(f.subsystem, f.code) for f in faults if "ppg_channels" in f.detail] == [
        (SUBSYSTEM_PPG, FAULT_WRONG_PART)
    ]
    worn.wearable.control("heal")
    worn.see_right()


def test_a_burst_that_breaks_off_costs_its_samples_and_nothing_else(worn: Worn) -> None:
    before = worn.host.counted(health.PPG_LOST_SAMPLES)
    worn.wearable.control("fault", what="nack_in_burst", address=PPG, after_bytes=21, times=2)
    worn.host.wait(lambda: worn.host.counted(health.I2C_FAIL) >= 1, 5, "the broken transfer is counted")
    worn.see_right()
    lost = worn.host.wait(
        lambda: worn.host.counted(health.PPG_LOST_SAMPLES) - before, 5, "lost samples are counted"
    )
    assert lost <= 2 * FIFO and worn.host.counted(health.SENSOR_RESTART) == 0
    worn.host.wait(
        lambda: (
            sum(gap.lost for gap in of_type(pull(worn.host)[0], record_layout.SAMPLE_GAP)) == before + lost
        ),
        15,
        "SAMPLE_GAP says how many",
    )


def test_a_fifo_that_stands_still_is_started_afresh(worn: Worn) -> None:
    worn.wearable.control("fault", what="stuck_fifo")
    worn.see(lambda m: m.spo2_tenths is None, "no old value")
    worn.host.wait(lambda: worn.host.counted(health.SENSOR_RESTART) >= 1, 8, "a restart")
    worn.wearable.control("heal")
    worn.see_right()
