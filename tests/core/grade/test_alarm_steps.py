"""Alarm conditions one step at a time, with delays of zero: which input raises which alarm, at which number, how loud.

Delays are the business of test_alarm_delays.py and of the lives; here each limit is met and missed by one unit.
"""

import pytest
from crs_core import codes, units
from crs_core.grade import alarm_state as st
from crs_core.grade import alarms
from crs_core.grade.rules import DEFAULT

from tests.fakes.one_step import AT_ONCE, HIGH, LOW, MEDIUM, NOW_MS, QUIET, bound, raised


def test_a_quiet_wearer_raises_nothing() -> None:
    assert raised() == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"temp_cc": 3799}, {codes.POSSIBLE_FEVER: MEDIUM}),
        ({"temp_cc": 3800}, {codes.FEVER: MEDIUM}),
        ({"temp_cc": 3750}, {codes.POSSIBLE_FEVER: MEDIUM}),
        ({"temp_cc": 3749}, {}),
        ({"temp_cc": 3799, "site": units.SITE_ORAL}, {}),
        ({"temp_cc": 3799, "site": units.SITE_SKIN}, {}),
        ({"temp_cc": 3800, "site": units.SITE_SKIN}, {codes.FEVER: MEDIUM}),
        ({"spo2_tenths": 920}, {}),
        ({"spo2_tenths": 919}, {codes.HYPOXAEMIA: MEDIUM}),
        ({"spo2_tenths": 900}, {codes.HYPOXAEMIA: MEDIUM}),
        ({"spo2_tenths": 899}, {codes.HYPOXAEMIA: HIGH}),
        ({"hr_bpm": 121}, {}),
        ({"button": st.BUTTON_LONG}, {codes.PATIENT_BUTTON: MEDIUM}),
        ({"button": st.BUTTON_SHORT}, {}),
        ({"button": st.BUTTON_ACCEPTED}, {}),
    ],
)
def test_each_limit_is_met_and_missed_by_one(values: dict, expected: dict) -> None:
    assert raised(**values) == expected


FAST = AT_ONCE._replace(spo2_slow_ms=10**6, spo2_medium_ms=10**6)


@pytest.mark.parametrize(("spo2_tenths", "expected"), [(880, {}), (879, {codes.HYPOXAEMIA: HIGH})])
def test_the_lowest_saturation_has_the_shortest_delay(spo2_tenths: int, expected: dict) -> None:
    assert raised(FAST, spo2_tenths=spo2_tenths) == expected


HOT, SHORT, QUICK = {"temp_cc": 3900}, {"spo2_tenths": 899}, {"hr_bpm": 121}
ORGAN, NEED = {"told": st.TOLD_ORGAN}, {"told": st.TOLD_LIFE_THREATENING}


@pytest.mark.parametrize(
    ("values", "is_raised"),
    [
        (HOT, False),
        (SHORT, False),
        (QUICK, False),
        (ORGAN, False),
        (NEED, True),
        (HOT | SHORT, True),
        (HOT | QUICK, True),
        (SHORT | QUICK, True),
        (HOT | ORGAN, True),
        (SHORT | ORGAN, True),
        (QUICK | ORGAN, True),
        ({"temp_cc": 3899, "hr_bpm": 121}, False),
        ({"temp_cc": 3900, "hr_bpm": 120}, False),
        ({"temp_cc": 3900, "spo2_tenths": 900}, False),
        (HOT | SHORT | QUICK, True),
    ],
)
def test_the_life_threatening_pattern_needs_two_signs_or_a_told_one(values: dict, is_raised: bool) -> None:
    assert (raised(**values).get(codes.LIFE_THREATENING) == HIGH) is is_raised


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (st.TOLD_HYPOTENSION, {codes.HYPOTENSION: HIGH}),
        (st.TOLD_ICE_LOW, {codes.ICE_LOW: MEDIUM}),
        (st.TOLD_NEW_OXYGEN, {codes.NEW_OXYGEN: MEDIUM}),
        (st.TOLD_REASSESS, {codes.REASSESS: MEDIUM}),
        (st.TOLD_FEVER, {codes.FEVER: MEDIUM}),
        (st.TOLD_PRESSURE_KNOWN, {}),
        (st.TOLD_DEATH, {}),
    ],
)
def test_what_people_entered_sounds_at_once_and_only_for_a_patient(told: int, expected: dict) -> None:
    assert raised(told=told) == expected
    assert raised(told=told, bound=0) == {}


@pytest.mark.parametrize(
    ("faults", "alarm", "priority"),
    [
        (st.FAULT_TEMP_SENSOR, codes.SENSOR_FAULT, LOW),
        (st.FAULT_PPG_SENSOR, codes.SENSOR_FAULT, LOW),
        (st.FAULT_JOURNAL, codes.JOURNAL_FAULT, HIGH),
        (st.FAULT_LOW_BATTERY, codes.LOW_BATTERY, LOW),
        (st.FAULT_HOST_AWAY, codes.HOST_AWAY, LOW),
        (st.FAULT_MAINTENANCE, codes.NOT_MONITORING, LOW),
        (st.FAULT_RECORDS_LOST, codes.RECORDS_LOST, HIGH),
    ],
)
def test_each_fault_starts_at_the_priority_of_the_patients_last_hour(
    faults: int, alarm: int, priority: int
) -> None:
    assert raised(faults=faults) == {alarm: priority}
    assert raised(faults=faults, bound=0) == {alarm: priority}
    hour_ago = NOW_MS - DEFAULT.recent_ms
    for slot, floor in (("RECENT_MEDIUM", MEDIUM), ("RECENT_HIGH", HIGH)):
        assert raised(state=bound(**{slot: hour_ago}), faults=faults) == {alarm: max(priority, floor)}
        assert raised(state=bound(**{slot: hour_ago - 1}), faults=faults) == {alarm: priority}
    both = bound(RECENT_HIGH=hour_ago, RECENT_MEDIUM=hour_ago)
    assert raised(state=both, faults=faults) == {alarm: HIGH}


def test_a_fault_does_not_get_quieter_while_it_lasts() -> None:
    started = bound(RECENT_MEDIUM=NOW_MS - DEFAULT.recent_ms)
    state, _ = alarms.step(started, QUIET._replace(faults=st.FAULT_LOW_BATTERY), NOW_MS, AT_ONCE)
    later = raised(state=state, now_ms=NOW_MS + 10**6, faults=st.FAULT_LOW_BATTERY)
    assert later == {codes.LOW_BATTERY: MEDIUM}


@pytest.mark.parametrize(
    ("values", "priority"),
    [
        ({"temp_cc": 3800}, MEDIUM),
        ({"spo2_tenths": 899}, HIGH),
        ({"told": st.TOLD_HYPOTENSION}, HIGH),
        ({"told": st.TOLD_ICE_LOW}, MEDIUM),
        ({"told": st.TOLD_NEW_OXYGEN}, MEDIUM),
        ({"told": st.TOLD_REASSESS}, None),  # somebody has to do something: no condition of the patient
        ({}, None),
    ],
)
def test_a_quiet_host_is_as_loud_as_what_the_patient_has(values: dict, priority: int | None) -> None:
    assert raised(faults=st.FAULT_HOST_QUIET, **values).get(codes.HOST_AWAY) == priority
    after, _ = alarms.step(bound(), QUIET._replace(**values), NOW_MS, AT_ONCE)
    assert after[st.RECENT_MEDIUM] == (None if priority is None else NOW_MS)
    assert after[st.RECENT_HIGH] == (NOW_MS if priority == HIGH else None)


NOTHING = {
    "temp_cc": None,
    "temp_state": units.TEMP_ABSENT,
    "spo2_tenths": None,
    "hr_bpm": None,
    "ppg_state": units.PPG_ABSENT,
}


@pytest.mark.parametrize(
    "values", [NOTHING, {"temp_state": units.TEMP_ABSENT}, {"ppg_state": units.PPG_ABSENT}]
)
def test_silence_gets_louder_with_time_for_a_patient_only(values: dict) -> None:
    since = {"TEMP_MISSING": 0} if "temp_state" in values else {}
    since |= {"PPG_MISSING": 0} if "ppg_state" in values else {}
    medium_ms, high_ms = DEFAULT.no_data_medium_ms, DEFAULT.no_data_high_ms
    for now_ms, priority in (
        (medium_ms - 1, LOW),
        (medium_ms, MEDIUM),
        (high_ms - 1, MEDIUM),
        (high_ms, HIGH),
    ):
        state = bound(**since)
        state[st.LAST] = now_ms - 1_000
        assert raised(state=state, now_ms=now_ms, **values)[codes.NO_DATA] == priority
        state = bound(**since)
        state[st.FLAGS] = 0
        assert raised(state=state, now_ms=now_ms, bound=0, **values)[codes.NO_DATA] == LOW


def test_of_two_silences_the_longer_one_counts() -> None:
    for longer, shorter in (("TEMP_MISSING", "PPG_MISSING"), ("PPG_MISSING", "TEMP_MISSING")):
        state = bound(**{longer: 0, shorter: DEFAULT.no_data_medium_ms})
        assert raised(state=state, now_ms=DEFAULT.no_data_medium_ms, **NOTHING)[codes.NO_DATA] == MEDIUM


@pytest.mark.parametrize("temp_state", [units.TEMP_SETTLING, units.TEMP_ARTEFACT])
def test_a_probe_that_settles_has_its_own_time(temp_state: int) -> None:
    rules = AT_ONCE._replace(settling_ms=5_000)
    settling = {"temp_state": temp_state}
    assert raised(rules, **settling) == {}
    state = bound(TEMP_MISSING=NOW_MS - 5_000)
    assert raised(rules, state=state, **settling) == {codes.NO_DATA: LOW}
    state = bound(TEMP_MISSING=NOW_MS - 4_999)
    assert raised(rules, state=state, **settling) == {}


@pytest.mark.parametrize(
    ("risk", "wear", "is_raised"),
    [
        ({}, 1, False),
        ({"FLAGS": st.FLAG_BOUND | st.FLAG_SPO2_LOW}, 1, True),
        ({"FLAGS": st.FLAG_BOUND | st.FLAG_HR_HIGH}, 1, True),
        ({"FLAGS": st.FLAG_BOUND | st.FLAG_SPO2_LOW}, 0, True),
        ({"FLAGS": st.FLAG_BOUND | st.FLAG_SPO2_LOW}, 2, False),
        ({"FLAGS": st.FLAG_BOUND | st.FLAG_PATIENT}, 1, False),
    ],
)
def test_a_saturation_lost_on_a_worn_device_sounds_when_the_last_one_worried(
    risk: dict, wear: int, is_raised: bool
) -> None:
    said = raised(
        state=bound(**risk), spo2_tenths=None, hr_bpm=None, ppg_state=units.PPG_LOW_PERFUSION, wear=wear
    )
    assert (said.get(codes.SPO2_LOST) == MEDIUM) is is_raised


def test_a_saturation_lost_with_fever_sounds() -> None:
    said = raised(temp_cc=3800, spo2_tenths=None, ppg_state=units.PPG_LOW_PERFUSION)
    assert said[codes.SPO2_LOST] == MEDIUM


@pytest.mark.parametrize(
    ("ppg_state", "wear", "is_raised"),
    [
        (units.PPG_NO_PULSE, 1, True),
        (units.PPG_NO_PULSE, 0, True),
        (units.PPG_NO_PULSE, 2, False),
        (units.PPG_NO_CONTACT, 1, False),
    ],
)
def test_a_pulse_lost_with_the_strap_on_sounds_high(ppg_state: int, wear: int, is_raised: bool) -> None:
    said = raised(spo2_tenths=None, hr_bpm=None, ppg_state=ppg_state, wear=wear)
    assert (said.get(codes.PULSE_LOST) == HIGH) is is_raised


@pytest.mark.parametrize(
    ("values", "slot", "expected"),
    [
        ({"spo2_tenths": 919}, st.FLAGS, st.FLAG_BOUND | st.FLAG_SPO2_LOW),
        ({"spo2_tenths": 920}, st.FLAGS, st.FLAG_BOUND),
        ({"hr_bpm": 121}, st.FLAGS, st.FLAG_BOUND | st.FLAG_HR_HIGH),
        ({"hr_bpm": 120}, st.FLAGS, st.FLAG_BOUND),
        ({"bound": 0}, st.FLAGS, 0),
    ],
)
def test_the_last_usable_value_is_remembered_as_worrying_or_not(
    values: dict, slot: int, expected: int
) -> None:
    after, _ = alarms.step(alarms.new_state(), QUIET._replace(**values), NOW_MS, AT_ONCE)
    assert after[slot] == expected
    state = bound(FLAGS=st.FLAG_BOUND | st.FLAG_SPO2_LOW | st.FLAG_HR_HIGH | st.FLAG_PATIENT)
    after, _ = alarms.step(state, QUIET, NOW_MS, AT_ONCE)
    assert after[st.FLAGS] == st.FLAG_BOUND | st.FLAG_PATIENT, (
        "a better value takes back its own flag, no other"
    )
