"""The real firmware's planned pause: announced, shown, counted down, ended by time, by values or by a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crs_core import codes, units
from crs_core.journal import record_layout
from crs_core.wire import message as wire

from tools.rig.host import Host, of_type, pull
from tools.rig.image import READER
from tools.rig.scenarios import keyframes, steady, worn
from tools.rig.wearable import Wearable, ready

HIGH = codes.PRIORITY_HIGH
OFF_FRAMES = ((0, steady()), (119, {}), (120, {"strap": "off"}))
WORN_THEN_OFF = keyframes(*OFF_FRAMES)
AND_ON_AGAIN = keyframes(*OFF_FRAMES, (600, {"temp_c": 36.8}))
LOW_SPO2 = worn(spo2_pct=85.0, hr_bpm=90)


@pytest.fixture
def wearable(tmp_path: Path) -> Iterator[Wearable]:
    """Worn for two minutes, then off."""
    with ready(tmp_path, scenario=WORN_THEN_OFF) as wearable:
        yield wearable


def measuring(wearable: Wearable) -> Host:
    """A session with a wearable that has just begun to have values."""
    host = wearable.connect()
    host.see(wire.Live, lambda m: m.spo2_tenths, 10)
    return host


def begin(host: Host, seconds: int, why: int = 1) -> wire.Result:
    return host.ask(wire.Pause(wire.PAUSE_BEGIN, why, seconds))  # type: ignore[no-any-return]


def is_paused(host: Host) -> bool:
    return bool(host.status().flags & wire.STATUS_IN_PAUSE)


def is_active(host: Host, alarm: int, priority: int = HIGH) -> bool:
    lives = [m for m in host.messages if isinstance(m, wire.Live)]
    return bool(lives) and (alarm, priority) in lives[-1].alarms


def bells(host: Host) -> set[int]:
    """Every alarm that was rung so far."""
    return {alarm for m in host.messages if isinstance(m, (wire.Alarm, wire.Live)) for alarm, _ in m.alarms}


def test_not_back_at_the_end_is_high_and_nothing_sounds_before(wearable: Wearable) -> None:
    host = measuring(wearable)
    assert begin(host, 900).code == wire.RESULT_DONE and is_paused(host)
    host.wait(lambda: host.status().now_ms > 600_000, 40)
    assert bells(host) == set()
    assert wearable.state()["led"][1] == 0  # magenta and dark: never green
    host.wait(lambda: is_active(host, codes.PAUSE_OVER), 40)
    assert not is_paused(host)
    host.wait(lambda: wearable.state()["buzzer"]["duty_u16"] > 0, 5)
    assert begin(host, 60).code == wire.RESULT_BUSY
    events, readings = pull(host)
    first, last = of_type(events, record_layout.PAUSE)
    assert (first.op, first.why, first.left_s, first.key_id) == (1, 1, 900, 0x11111111)
    assert (last.op, last.why, last.left_s) == (2, 1, 0)
    marked = [reading for _, reading in readings if reading.status & units.STATUS_PAUSED]
    assert 89 <= len(marked) <= 91
    assert not any(
        reading.spo2_tenths for reading in marked if units.wear_of(reading.status) == units.WEAR_OFF
    )


def test_back_before_its_end_ends_it_and_no_alarm_was_told(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=AND_ON_AGAIN) as wearable:
        host = measuring(wearable)
        assert begin(host, 1800, 2).code == wire.RESULT_DONE
        host.wait(lambda: not is_paused(host), 60, "values that end it")
        assert bells(host) == set()
        left = begin(host, 1800)
        assert left.code == wire.RESULT_BUSY
        assert begin(host, int(left.detail.split()[0]) - 30).code == wire.RESULT_DONE
        assert host.ask(wire.Pause(wire.PAUSE_END, 0, 0)).code == wire.RESULT_DONE
        assert host.ask(wire.Pause(wire.PAUSE_END, 0, 0)).code == wire.RESULT_BUSY
        events, _ = pull(host)
        first, last = [event.t_ms for _, event in events if event.type == record_layout.PAUSE][:2]
        assert last < 800_000  # put on again at 600 s
        assert 1000 < int(left.detail.split()[0]) < 1250
        assert int(left.detail.split()[0]) == (1_800_000 - (last - first)) // 1000
        assert [(one.op, one.why) for one in of_type(events, record_layout.PAUSE)] == [
            (1, 2),
            (2, 3),
            (1, 1),
            (2, 2),
        ]


def test_it_is_never_longer_than_half_an_hour_however_often_it_is_extended(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=WORN_THEN_OFF) as wearable:
        host = wearable.connect()
        assert begin(host, 1801).code == wire.RESULT_BUSY and begin(host, 0).code == wire.RESULT_BUSY
        assert begin(host, 60, 4).code == wire.RESULT_BUSY
        assert host.ask(wire.Pause(3, 1, 60)).code == wire.RESULT_BUSY and not is_paused(host)
        assert begin(host, 600).code == wire.RESULT_DONE
        began_ms = host.status().now_ms
        host.wait(lambda: host.status().now_ms > began_ms + 300_000, 20)
        assert begin(host, 1800).code == wire.RESULT_BUSY and begin(host, 1200).code == wire.RESULT_DONE
        host.wait(lambda: is_active(host, codes.PAUSE_OVER), 40)
        events, _ = pull(host)
        over = next(e.t_ms for _, e in reversed(events) if e.type == record_layout.PAUSE)
        assert 1_500_000 < over - began_ms < 1_800_000


def test_a_high_alarm_about_the_patient_lets_no_pause_begin_and_a_reader_may_not(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=LOW_SPO2, speed=30) as wearable:
        reader = wearable.connect(READER)
        assert begin(reader, 60).code == wire.RESULT_FORBIDDEN
        reader.close()
        host = wearable.connect()
        host.wait(lambda: is_active(host, codes.HYPOXAEMIA), 20)
        refused = begin(host, 60)
        assert (refused.code, "alarm" in refused.detail) == (wire.RESULT_BUSY, True) and not is_paused(host)
        assert is_active(host, codes.HYPOXAEMIA)


def test_a_restart_in_a_pause_sounds(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=WORN_THEN_OFF) as wearable:
        host = measuring(wearable)
        assert begin(host, 1800).code == wire.RESULT_DONE
        began_ms = host.status().now_ms
        host.wait(lambda: host.status().now_ms > began_ms + 120_000, 20)
        host.close()
        wearable.control("cut", off_ms=200)
        host = wearable.connect(timeout_s=20)
        host.wait(lambda: is_active(host, codes.PAUSE_OVER), 20)
        assert not is_paused(host) and begin(host, 60).code == wire.RESULT_BUSY


@pytest.mark.parametrize("on", [True, False])
def test_the_strap_off_on_the_charger_is_a_pause_and_off_it_is_silence(wearable: Wearable, on: bool) -> None:
    host = wearable.connect()
    wearable.control("charging", on=on)
    expected: Any = (lambda: is_paused(host)) if on else (lambda: is_active(host, codes.NO_DATA, 1))
    host.wait(expected, 20)
    assert is_paused(host) is on
    events, _ = pull(host)
    pauses = of_type(events, record_layout.PAUSE)
    assert [(one.op, one.why, one.left_s, one.key_id) for one in pauses] == [(1, 1, 1800, 0)] * on
    if on:
        assert bells(host) == set()


def test_on_the_charger_after_the_alarm_it_goes_on_sounding(wearable: Wearable) -> None:
    host = wearable.connect()
    host.wait(lambda: is_active(host, codes.NO_DATA, 1), 20)
    wearable.control("charging", on=True)
    now_ms = host.status().now_ms
    host.wait(lambda: host.status().now_ms > now_ms + 60_000, 10)
    assert is_active(host, codes.NO_DATA, 1) and not is_paused(host)


def test_charging_while_worn_is_only_charging(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=worn()) as wearable:
        host = wearable.connect()
        wearable.control("charging", on=True)
        host.wait(lambda: host.status().now_ms > 240_000, 20)
        events, readings = pull(host)
        assert of_type(events, record_layout.PAUSE) == []
        last = readings[-1][1]
        assert last.status & units.STATUS_CHARGING and not last.status & units.STATUS_PAUSED
        assert last.spo2_tenths is not None
