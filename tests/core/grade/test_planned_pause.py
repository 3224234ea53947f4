"""A planned pause in the alarm conditions: what it holds back, what it does not, and what waits at its end."""

import pytest
from crs_core import codes, units
from crs_core.grade import alarm_state as st
from crs_core.grade import alarms, rerun
from crs_core.grade.rules import DEFAULT

from tests.fakes.one_step import HIGH, LOW, QUIET

OFF = QUIET._replace(
    temp_state=units.TEMP_OFF_BODY,
    spo2_tenths=None,
    hr_bpm=None,
    pi_hundredths=None,
    ppg_state=units.PPG_NO_CONTACT,
    wear=units.WEAR_OFF,
)
SETTLING = QUIET._replace(temp_state=units.TEMP_SETTLING)
PULSELESS = QUIET._replace(spo2_tenths=None, hr_bpm=None, pi_hundredths=0, ppg_state=units.PPG_NO_PULSE)


class Life:
    """Steps seconds through bytes, as a journal would; `log` has the changes as (second, alarm, priority)."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.state = alarms.new_state()
        self.log: list[tuple[int, int, int]] = []

    def live(self, seconds: int, inputs: alarms.Inputs, planned: bool = False) -> dict[int, int]:
        told = inputs.told | (st.TOLD_PAUSED if planned else 0)
        for _ in range(seconds):
            self.now_ms += 1000
            before = alarms.encode_state(self.state, self.now_ms)
            data = alarms.encode_inputs(inputs._replace(told=told))
            self.state, changes = alarms.step(self.state, inputs._replace(told=told), self.now_ms, DEFAULT)
            assert rerun.alarm_step(before, data, self.now_ms, DEFAULT) == (
                alarms.encode_state(self.state, self.now_ms),
                changes,
            )
            self.log += [(self.now_ms // 1000, alarm, priority) for alarm, priority in changes]
        return dict(alarms.active(self.state))

    def restart(self) -> None:
        """The power was away; the clock begins anew."""
        self.state = alarms.decode_state(alarms.encode_state(self.state, self.now_ms), 0)
        self.now_ms = 0


def test_strap_off_in_a_pause_is_no_alarm_and_the_end_is_high_until_measured_again() -> None:
    life = Life()
    life.live(60, QUIET)
    assert life.live(1800, OFF, planned=True) == {}
    assert life.live(1, OFF) == {codes.PAUSE_OVER: HIGH}
    assert life.live(600, OFF) == {codes.PAUSE_OVER: HIGH, codes.NO_DATA: LOW}
    assert codes.PAUSE_OVER not in life.live(1, QUIET)
    assert life.live(10, QUIET) == {}


def test_without_the_announcement_the_same_hour_is_the_alarm_of_silence() -> None:
    life = Life()
    life.live(60, QUIET)
    assert life.live(1860, OFF) == {codes.NO_DATA: HIGH}


def test_back_in_time_is_no_alarm_and_a_settling_probe_is_back() -> None:
    life = Life()
    life.live(60, QUIET)
    life.live(1200, OFF, planned=True)
    assert life.live(599, SETTLING) == {}
    assert life.live(60, QUIET) == {}
    assert life.log == []


@pytest.mark.parametrize(
    "half",
    [
        QUIET._replace(ppg_state=units.PPG_NO_CONTACT, spo2_tenths=None),
        QUIET._replace(temp_state=units.TEMP_OFF_BODY),
        QUIET._replace(temp_state=units.TEMP_ABSENT, temp_cc=None),
        SETTLING._replace(wear=units.WEAR_OFF),
        QUIET._replace(temp_age_ms=DEFAULT.alarm_temp_max_age_ms + 1),
        QUIET._replace(ppg_age_ms=None),
    ],
)
def test_half_back_is_not_back(half: alarms.Inputs) -> None:
    life = Life()
    life.live(600, OFF, planned=True)
    assert life.live(1, half)[codes.PAUSE_OVER] == HIGH
    assert life.live(30, half)[codes.PAUSE_OVER] == HIGH


def test_disturbed_in_the_second_of_the_end_is_not_away() -> None:
    life = Life()
    life.live(600, OFF, planned=True)
    life.live(1, QUIET, planned=True)
    moved = QUIET._replace(ppg_state=units.PPG_MOTION, spo2_tenths=None, hr_bpm=None)
    assert life.live(59, moved) == {}
    assert life.live(10, moved) == {codes.NO_DATA: LOW}


def test_silence_counts_from_the_end_of_the_pause() -> None:
    life = Life()
    life.live(600, OFF, planned=True)
    assert life.live(60, OFF) == {codes.PAUSE_OVER: HIGH}
    assert life.live(1, OFF) == {codes.PAUSE_OVER: HIGH, codes.NO_DATA: LOW}


@pytest.mark.parametrize(
    ("before", "seconds"),
    [
        (QUIET._replace(spo2_tenths=860), 60),
        (QUIET._replace(temp_cc=3900), 900),
        (QUIET._replace(button=st.BUTTON_LONG), 1),
        (PULSELESS, 60),
        (QUIET._replace(told=st.TOLD_HYPOTENSION | st.TOLD_ICE_LOW), 5),
    ],
)
def test_a_pause_ends_no_alarm_about_the_patient_and_makes_none_quieter(
    before: alarms.Inputs, seconds: int
) -> None:
    life = Life()
    active = life.live(seconds, before)
    about = {alarm: priority for alarm, priority in active.items() if codes.is_physiological(alarm)}
    assert about
    kept = life.live(1500, OFF._replace(told=before.told), planned=True)
    assert {alarm: kept.get(alarm) for alarm in about} == about


def test_a_pause_holds_back_no_alarm_about_the_patient_that_begins_in_it() -> None:
    life = Life()
    assert life.live(60, QUIET._replace(spo2_tenths=860), planned=True)[codes.HYPOXAEMIA] == HIGH
    assert life.live(60, PULSELESS, planned=True)[codes.PULSE_LOST] == HIGH


def test_a_pause_holds_back_no_fault_of_the_equipment() -> None:
    life = Life()
    faults = st.FAULT_PPG_SENSOR | st.FAULT_JOURNAL | st.FAULT_LOW_BATTERY | st.FAULT_HOST_AWAY
    assert set(life.live(60, OFF._replace(faults=faults), planned=True)) == {
        codes.SENSOR_FAULT,
        codes.JOURNAL_FAULT,
        codes.LOW_BATTERY,
        codes.HOST_AWAY,
    }


def test_a_restart_in_a_pause_is_its_end_and_sounds() -> None:
    life = Life()
    life.live(60, QUIET)
    life.live(300, OFF, planned=True)
    life.restart()
    assert life.live(1, OFF) == {codes.PAUSE_OVER: HIGH}
    life.restart()
    assert life.live(1, OFF)[codes.PAUSE_OVER] == HIGH


def test_another_pause_does_not_quiet_the_end_of_the_one_before() -> None:
    life = Life()
    life.live(300, OFF, planned=True)
    life.live(5, OFF)
    assert life.live(300, OFF, planned=True) == {codes.PAUSE_OVER: HIGH}


def test_unbound_nothing_is_held_back_and_the_next_patient_inherits_no_pause() -> None:
    life = Life()
    assert life.live(70, OFF._replace(bound=0), planned=True) == {codes.NO_DATA: LOW}
    life.live(30, OFF, planned=True)
    life.live(1, OFF._replace(bound=0))
    assert codes.PAUSE_OVER not in life.live(30, OFF)


def test_the_end_of_a_pause_is_about_the_equipment() -> None:
    assert not codes.is_physiological(codes.PAUSE_OVER)
    life = Life()
    life.live(30, OFF, planned=True)
    life.live(5, OFF)
    assert life.state[st.RECENT_HIGH] is None
