"""Alarm conditions one step at a time, with delays of zero: which input raises which alarm, at which number, how loud.

Delays are the business of test_alarm_delays.py and of the lives; here each limit is met and missed by one unit.
"""

import pytest
from crs_core import code_texts, codes, units
from crs_core.grade import alarm_state as st
from crs_core.grade import alarms
from crs_core.grade.rules import DEFAULT

from tests.fakes.one_step import AT_ONCE, HIGH, LOW, MEDIUM, NOW_MS, QUIET, bound, raised


def sounds(said: dict) -> str:
    """`FEVER:MEDIUM HYPOXAEMIA:HIGH`, in the order of the alarm ids."""
    pairs = sorted(said.items())
    return " ".join(f"{code_texts.alarm_name(alarm)}:{codes.PRIORITY_NAMES[rank]}" for alarm, rank in pairs)


HOT, SHORT, QUICK = {"temp_cc": 3900}, {"spo2_tenths": 899}, {"hr_bpm": 121}
ORAL, SKIN = {"site": units.SITE_ORAL}, {"site": units.SITE_SKIN}
LOST = {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_LOW_PERFUSION}
NO_PULSE, NO_CONTACT = LOST | {"ppg_state": units.PPG_NO_PULSE}, LOST | {"ppg_state": units.PPG_NO_CONTACT}
NO_DATA, LIFE = "NO_DATA:LOW", "LIFE_THREATENING:HIGH"


def told(*names: str) -> dict:
    return {"told": sum(getattr(st, f"TOLD_{name}") for name in names)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ""),
        ({"temp_cc": 3749}, ""),
        ({"temp_cc": 3750}, "POSSIBLE_FEVER:MEDIUM"),
        ({"temp_cc": 3799}, "POSSIBLE_FEVER:MEDIUM"),
        ({"temp_cc": 3800}, "FEVER:MEDIUM"),
        ({"temp_cc": 3799} | ORAL, ""),
        ({"temp_cc": 3799} | SKIN, ""),
        ({"temp_cc": 3800} | SKIN, "FEVER:MEDIUM"),
        ({"spo2_tenths": 920}, ""),
        ({"spo2_tenths": 919}, "HYPOXAEMIA:MEDIUM"),
        ({"spo2_tenths": 900}, "HYPOXAEMIA:MEDIUM"),
        (SHORT, "HYPOXAEMIA:HIGH"),
        (QUICK, ""),
        ({"button": st.BUTTON_LONG}, "PATIENT_BUTTON:MEDIUM"),
        ({"button": st.BUTTON_SHORT}, ""),
        ({"button": st.BUTTON_ACCEPTED}, ""),
        # what people entered sounds at once
        (told("HYPOTENSION"), "HYPOTENSION:HIGH"),
        (told("ICE_LOW"), "ICE_LOW:MEDIUM"),
        (told("NEW_OXYGEN"), "NEW_OXYGEN:MEDIUM"),
        (told("REASSESS"), "REASSESS:MEDIUM"),
        (told("FEVER"), "FEVER:MEDIUM"),
        (told("PRESSURE_KNOWN"), ""),
        (told("DEATH"), ""),
        # the life-threatening pattern needs two signs, or one that was entered
        (HOT, "FEVER:MEDIUM"),
        (told("ORGAN"), ""),
        (told("LIFE_THREATENING"), LIFE),
        (HOT | SHORT, f"FEVER:MEDIUM HYPOXAEMIA:HIGH {LIFE}"),
        (HOT | QUICK, f"FEVER:MEDIUM {LIFE}"),
        (SHORT | QUICK, f"HYPOXAEMIA:HIGH {LIFE}"),
        (HOT | told("ORGAN"), f"FEVER:MEDIUM {LIFE}"),
        (SHORT | told("ORGAN"), f"HYPOXAEMIA:HIGH {LIFE}"),
        (QUICK | told("ORGAN"), LIFE),
        (HOT | SHORT | QUICK, f"FEVER:MEDIUM HYPOXAEMIA:HIGH {LIFE}"),
        ({"temp_cc": 3899} | QUICK, "FEVER:MEDIUM"),
        (HOT | {"hr_bpm": 120}, "FEVER:MEDIUM"),
        (HOT | {"spo2_tenths": 900}, "FEVER:MEDIUM HYPOXAEMIA:MEDIUM"),
        # read by hand: what the sensor says better does not cancel it
        (told("FEVER", "HOT", "FAST_HEART"), f"FEVER:MEDIUM {LIFE}"),
        (told("SPO2_MEDIUM"), "HYPOXAEMIA:MEDIUM"),
        (told("SPO2_MEDIUM", "SPO2_LOW"), "HYPOXAEMIA:HIGH"),
        # lost on a worn device
        (LOST, NO_DATA),
        (LOST | {"temp_cc": 3800}, "FEVER:MEDIUM SPO2_LOST:MEDIUM NO_DATA:MEDIUM"),
        (NO_PULSE, "PULSE_LOST:HIGH NO_DATA:HIGH"),
        (NO_PULSE | {"wear": units.WEAR_UNKNOWN}, "PULSE_LOST:HIGH NO_DATA:HIGH"),
        (NO_PULSE | {"wear": units.WEAR_OFF}, NO_DATA),
        (NO_CONTACT, NO_DATA),
        # too old, off the body, too weak: no value
        (HOT | {"temp_age_ms": DEFAULT.alarm_temp_max_age_ms}, "FEVER:MEDIUM"),
        (HOT | {"temp_age_ms": DEFAULT.alarm_temp_max_age_ms + 1}, NO_DATA),
        (HOT | {"wear": units.WEAR_OFF}, NO_DATA),
        ({"spo2_tenths": 800, "pi_hundredths": DEFAULT.pi_min_hundredths}, "HYPOXAEMIA:HIGH"),
        ({"spo2_tenths": 800, "pi_hundredths": DEFAULT.pi_min_hundredths - 1}, NO_DATA),
        # what holds at once is all told, and nothing hides another
        (
            HOT | QUICK | {"spo2_tenths": 919, "button": st.BUTTON_LONG, "told": 511 & ~st.TOLD_DEATH},
            f"FEVER:MEDIUM HYPOXAEMIA:MEDIUM {LIFE} PATIENT_BUTTON:MEDIUM HYPOTENSION:HIGH ICE_LOW:MEDIUM "
            "NEW_OXYGEN:MEDIUM REASSESS:MEDIUM",
        ),
        (
            HOT | NO_PULSE | told("ORGAN") | {"button": st.BUTTON_LONG, "faults": 255},
            f"FEVER:MEDIUM SPO2_LOST:MEDIUM PULSE_LOST:HIGH {LIFE} PATIENT_BUTTON:MEDIUM NO_DATA:HIGH "
            "SENSOR_FAULT:HIGH JOURNAL_FAULT:HIGH HOST_AWAY:HIGH LOW_BATTERY:HIGH "
            "RECORDS_LOST:HIGH NOT_MONITORING:HIGH",
        ),
    ],
)
def test_each_limit_is_met_and_missed_by_one(values: dict, expected: str) -> None:
    assert sounds(raised(**values)) == expected
    if not values.get("faults"):
        assert sounds(raised(**values, bound=0)) in ("", NO_DATA), "only for a patient"


@pytest.mark.parametrize(("spo2_tenths", "expected"), [(880, ""), (879, "HYPOXAEMIA:HIGH")])
def test_the_lowest_saturation_has_the_shortest_delay(spo2_tenths: int, expected: str) -> None:
    fast = AT_ONCE._replace(spo2_slow_ms=10**6, spo2_medium_ms=10**6)
    assert sounds(raised(fast, spo2_tenths=spo2_tenths)) == expected


@pytest.mark.parametrize(
    ("flag", "wear", "is_raised"),
    [
        (st.FLAG_SPO2_LOW, units.WEAR_WORN, True),
        (st.FLAG_HR_HIGH, units.WEAR_WORN, True),
        (st.FLAG_SPO2_LOW, units.WEAR_UNKNOWN, True),
        (st.FLAG_SPO2_LOW, units.WEAR_OFF, False),
        (st.FLAG_PATIENT, units.WEAR_WORN, False),
    ],
)
def test_a_saturation_lost_on_a_worn_device_sounds_when_the_last_one_worried(
    flag: int, wear: int, is_raised: bool
) -> None:
    said = raised(state=bound(FLAGS=st.FLAG_BOUND | flag), wear=wear, **LOST)
    assert (said.get(codes.SPO2_LOST) == MEDIUM) is is_raised


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


NOTHING = {"temp_cc": None, "temp_state": units.TEMP_ABSENT} | LOST | {"ppg_state": units.PPG_ABSENT}


@pytest.mark.parametrize(
    "values", [NOTHING, {"temp_state": units.TEMP_ABSENT}, {"ppg_state": units.PPG_ABSENT}]
)
def test_silence_gets_louder_with_time_for_a_patient_only(values: dict) -> None:
    since = {"TEMP_MISSING": 0} if "temp_state" in values else {}
    since |= {"PPG_MISSING": 0} if "ppg_state" in values else {}
    medium_ms, high_ms = DEFAULT.no_data_medium_ms, DEFAULT.no_data_high_ms
    ladder = {medium_ms - 1: LOW, medium_ms: MEDIUM, high_ms - 1: MEDIUM, high_ms: HIGH}
    for now_ms, priority in ladder.items():
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
    # a better value takes back its own flag, no other
    assert after[st.FLAGS] == st.FLAG_BOUND | st.FLAG_PATIENT
