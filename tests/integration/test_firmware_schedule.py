"""The real firmware measuring by state: it rests after half an hour of calm, and a fall still sounds.

How late it sounds at worst is measured in tests/device/app/test_schedule.py, where nothing depends on how busy this
machine is.
"""

from pathlib import Path

from crs_core import codes
from crs_core.units import PPG_RESTING, PPG_VALID, ppg_state_of
from crs_core.wire import message as wire

from tools.rig.host import pull
from tools.rig.image import SETTINGS
from tools.rig.scenarios import keyframes, steady
from tools.rig.wearable import ready

FALL_S = 2100
SCENARIO = keyframes((0, steady(hr_bpm=72)), (FALL_S, {"spo2_pct": 97.0}), (FALL_S + 1, {"spo2_pct": 88.5}))


def test_it_rests_by_turns_after_half_an_hour_and_a_fall_sounds(tmp_path: Path) -> None:
    with ready(
        tmp_path, scenario=SCENARIO, speed=60, settings=SETTINGS | {"measuring": "by_state"}
    ) as wearable:
        host = wearable.connect()
        bell = host.see_alarm(codes.HYPOXAEMIA, codes.PRIORITY_HIGH, 120)
        assert bell.t_ms > FALL_S * 1000 + 60_000
        alarms = {alarm for m in host.messages if isinstance(m, wire.Alarm) for alarm, _ in m.alarms}
        assert codes.NO_DATA not in alarms and codes.SENSOR_FAULT not in alarms
        _, readings = pull(host)
    states = [
        (t_ms // 1000, ppg_state_of(reading.status)) for _, reading in readings for t_ms in [reading.t_ms]
    ]
    dark = [at_s for at_s, state in states if state == PPG_RESTING]
    assert dark and min(dark) > 1800
    calm = [state for at_s, state in states if min(dark) <= at_s < FALL_S]
    assert calm.count(PPG_RESTING) > len(calm) // 2
    assert calm.count(PPG_VALID) > 2  # by turns
