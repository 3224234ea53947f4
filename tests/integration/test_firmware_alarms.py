"""The real firmware's alarms: heard at the buzzer, journaled, told, paused, accepted, loud again after a cut."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from crs_core import codes
from crs_core.grade import alarms
from crs_core.journal import record_layout, record_reader
from crs_core.wire import message as wire

from tools.rig.host import Host, of_type, pull
from tools.rig.image import READER
from tools.rig.scenarios import keyframes, steady, worn
from tools.rig.waiting import now_s, pass_s, until
from tools.rig.wearable import Wearable, ready

HIGH, MEDIUM = codes.PRIORITY_HIGH, codes.PRIORITY_MEDIUM
LOW_SPO2 = worn(spo2_pct=85.0, hr_bpm=90)


@pytest.fixture
def wearable(tmp_path: Path) -> Iterator[Wearable]:
    """Worn by somebody whose saturation is low from the start."""
    with ready(tmp_path, scenario=LOW_SPO2, speed=10) as wearable:
        yield wearable


def stays_silent(wearable: Wearable, host: Host) -> None:
    """For six seconds: a HIGH burst would come back within five."""

    def is_silent() -> None:
        assert not wearable.is_sounding()

    host.pump_for(6, is_silent)


def test_low_saturation_sounds_lights_rings_and_is_journaled_before_it_rings(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=LOW_SPO2, speed=30) as wearable:
        host = wearable.connect()
        bell = host.see_alarm(codes.HYPOXAEMIA, HIGH)
        assert bell.seq > 0
        host.wait(wearable.is_sounding, 1, "a sound")
        state = wearable.state()
        assert state["led"][1:] == [0, 0]
        events, _ = pull(host)
        journaled = dict(events)[bell.seq]
        assert journaled.type == record_layout.ALARM and journaled.t_ms == bell.t_ms
        assert (codes.HYPOXAEMIA, HIGH) in record_reader.decode(
            record_layout.ALARM, journaled.payload
        ).changes
        # never a grade rise from saturation alone
        assert all(grade.lower in (None, 0) for grade in of_type(events, record_layout.GRADE))


def test_the_alarm_sounds_within_the_stated_time_of_the_crossing(wearable: Wearable) -> None:
    """85 % from the start: HIGH after 15 s of valid samples, told within the 90 s that are promised."""
    host = wearable.connect()
    assert host.see_alarm(codes.HYPOXAEMIA, HIGH).t_ms <= 60_000


def test_a_short_press_silences_and_leaves_the_light(wearable: Wearable) -> None:
    host = wearable.connect()
    host.see_alarm(codes.HYPOXAEMIA, HIGH)
    wearable.control("press", ms=400)
    pass_s(0.3)
    stays_silent(wearable, host)
    events, _ = pull(host)
    assert [press.kind for press in of_type(events, record_layout.BUTTON)] == [1]


def test_a_long_press_calls_for_help_and_is_an_event_of_its_own(tmp_path: Path) -> None:
    with ready(tmp_path, speed=10) as wearable:
        host = wearable.connect()
        wearable.control("press", ms=2300)
        host.see_alarm(codes.PATIENT_BUTTON, MEDIUM, 10)
        assert host.ask(wire.AlarmAccept(codes.PATIENT_BUTTON, MEDIUM, "A. Nurse")).code == wire.RESULT_DONE
        host.wait(
            lambda: any(
                isinstance(m, wire.Alarm) and codes.PATIENT_BUTTON not in dict(m.alarms)
                for m in host.messages
            ),
            5,
            "the end of PATIENT_BUTTON",
        )
        events, _ = pull(host)
        assert [press.kind for press in of_type(events, record_layout.BUTTON)] == [2]
        (accepted,) = of_type(events, record_layout.ACCEPTED)
        assert (accepted.alarm_id, accepted.who) == (codes.PATIENT_BUTTON, "A. Nurse")


def test_acceptance_gives_a_sign_and_silences_and_a_reader_may_not_accept(wearable: Wearable) -> None:
    reader = wearable.connect(READER)
    reader.see_alarm(codes.HYPOXAEMIA, HIGH)
    assert reader.ask(wire.AlarmAccept(codes.HYPOXAEMIA, HIGH, "ward")).code == wire.RESULT_FORBIDDEN
    assert wearable.is_sounding()
    reader.close()
    host = wearable.connect()
    assert host.ask(wire.AlarmAccept(codes.HYPOXAEMIA, MEDIUM, "x")).code == wire.RESULT_BAD_VALUE
    before = wearable.control("outputs")["log"][-1]["n"]
    assert host.ask(wire.AlarmAccept(codes.HYPOXAEMIA, HIGH, "ward")).code == wire.RESULT_DONE
    pass_s(1.2)
    tones = [
        str(entry) for entry in wearable.control("outputs", since=before)["log"] if "buzzer" in str(entry)
    ]
    assert any("600" in tone for tone in tones) and any("900" in tone for tone in tones)
    stays_silent(wearable, host)
    assert wearable.state()["led"] in ([1, 0, 0], [0, 0, 0])


def test_an_alarm_that_was_not_finished_sounds_again_after_a_power_cut(wearable: Wearable) -> None:
    host = wearable.connect()
    host.see_alarm(codes.HYPOXAEMIA, HIGH)
    wearable.control("cut", off_ms=300)
    pass_s(0.4)
    cut_at = now_s()
    while not wearable.is_sounding():
        assert now_s() - cut_at < 3, "no sound after the cut"
        pass_s(0.01)
    host.open()
    host.messages.clear()
    events, _ = pull(host)
    boots = of_type(events, record_layout.BOOT)
    assert len(boots) == 2 and boots[1].prev_boot == 1
    # restored, not raised anew: the ALARM carries the state before it, so the state to restore went with it
    assert (codes.HYPOXAEMIA, HIGH) in alarms.active(alarms.decode_state(boots[1].alarm_state, 0))
    at = [index for index, (_, event) in enumerate(events) if event.type == record_layout.ALARM]
    assert at and all(events[index + 1][1].type == record_layout.GRADER_STATE for index in at)
    assert all(events[index + 1][1].t_ms == events[index][1].t_ms for index in at)
    live = host.take(wire.Live)
    assert (codes.HYPOXAEMIA, HIGH) in live.alarms


def test_with_a_failing_flash_the_alarm_still_sounds_and_is_marked_unjournaled(tmp_path: Path) -> None:
    falling = keyframes((0, steady(hr_bpm=90)), (60, {}), (62, {"spo2_pct": 85.0}))
    with ready(tmp_path, scenario=falling, speed=30) as wearable:
        host = wearable.connect()
        host.take(wire.Live)
        wearable.control("fault", what="flash", writes=-1)
        bell = host.see_alarm(codes.HYPOXAEMIA, HIGH, 30)
        assert bell.seq == 0
        host.wait(wearable.is_sounding, 6, "a sound")
        host.see_alarm(codes.JOURNAL_FAULT, HIGH)
        wearable.control("heal")
        host.wait(lambda: not host.status().flags & wire.STATUS_JOURNAL_FAULT, 20)
        events, _ = pull(host)
        changes = [change for alarm in of_type(events, record_layout.ALARM) for change in alarm.changes]
        assert (codes.HYPOXAEMIA, HIGH) in changes, "what flash refused was offered again"


def test_samples_lost_are_told_at_most_once_a_minute(tmp_path: Path) -> None:
    """At this speed each erase of 50 ms overruns the FIFO; writing about it must not feed itself."""
    with ready(tmp_path, speed=60) as wearable:
        host = wearable.connect()
        host.wait(lambda: sum(isinstance(m, wire.Live) for m in host.messages) >= 30, 30)
        events, readings = pull(host)
        status = host.status()
    gaps = [event.t_ms for _, event in events if event.type == record_layout.SAMPLE_GAP]
    assert all(b - a >= 60_000 for a, b in itertools.pairwise(gaps))
    times = [reading.t_ms for _, reading in readings]
    assert times == sorted(set(times)), "no instant was read twice"
    assert len(gaps) <= status.now_ms // 60_000 + 1


def test_what_rose_unjournaled_without_a_host_is_rung_when_one_comes(tmp_path: Path) -> None:
    """Soon enough that nothing else changes by the host's coming: it was never away."""
    with ready(tmp_path, speed=5) as wearable:
        host = wearable.connect()
        host.take(wire.Live)
        host.close()
        wearable.control("fault", what="flash", writes=-1)
        wearable.control("press", ms=300)
        until(wearable.is_sounding, 6, "a sound")
        pass_s(0.5)
        host = wearable.connect()
        host.status()
        bell = host.take(wire.Alarm, 2)
        assert bell.seq == 0 and (codes.JOURNAL_FAULT, HIGH) in bell.alarms
        wearable.control("heal")
        host.wait(lambda: not host.status().flags & wire.STATUS_JOURNAL_FAULT, 20)
        host.messages.clear()
        host.status()
        host.status()
        assert not [m for m in host.messages if isinstance(m, wire.Alarm) and m.seq == 0]
