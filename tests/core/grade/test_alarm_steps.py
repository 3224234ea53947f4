"""Alarm conditions one step at a time, with delays of zero: which input raises which alarm, at which number, how loud.

Delays are the business of test_alarm_delays.py and of the lives; here each limit is met and missed by one unit.
"""

import pytest
from crs_core import reasons, units
from crs_core.grade import alarm_state as st
from crs_core.grade import alarms
from crs_core.grade.rules import DEFAULT, Rules

QUIET = alarms.Inputs(3700, 0, 0, 970, 80, 150, 0, 0, 1, 1, 1, 0, 0, 0)
LOW, MEDIUM, HIGH = reasons.PRIORITY_LOW, reasons.PRIORITY_MEDIUM, reasons.PRIORITY_HIGH
NOW_MS = 100_000
AT_ONCE = DEFAULT._replace(
    fever_delay_ms=0,
    high_temp_delay_ms=0,
    possible_delay_ms=0,
    rise_delay_ms=0,
    spo2_fast_ms=0,
    spo2_slow_ms=0,
    spo2_medium_ms=0,
    hr_delay_ms=0,
    pulse_lost_ms=0,
    spo2_lost_ms=0,
    sensor_fault_ms=0,
    no_data_low_ms=0,
    settling_ms=0,
)


def bound(**slots: int) -> list:
    """A state bound to a patient, one second before NOW_MS."""
    state = alarms.new_state()
    state[st.FLAGS] = st.FLAG_BOUND
    state[st.LAST] = NOW_MS - 1_000
    for name, value in slots.items():
        state[getattr(st, name)] = value
    return state


def raised(rules: Rules = AT_ONCE, state: list | None = None, now_ms: int = NOW_MS, **values: object) -> dict:
    """{alarm: priority} after one step from a quiet bound state."""
    after, changes = alarms.step(state or bound(), QUIET._replace(**values), now_ms, rules)
    said = dict(alarms.active(after))
    if state is None:
        assert dict(changes) == said
    return said


def test_a_quiet_wearer_raises_nothing() -> None:
    assert raised() == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"temp_cc": 3799}, {reasons.POSSIBLE_FEVER: MEDIUM}),
        ({"temp_cc": 3800}, {reasons.FEVER: MEDIUM}),
        ({"temp_cc": 3750}, {reasons.POSSIBLE_FEVER: MEDIUM}),
        ({"temp_cc": 3749}, {}),
        ({"temp_cc": 3799, "site": units.SITE_ORAL}, {}),
        ({"temp_cc": 3799, "site": units.SITE_SKIN}, {}),
        ({"temp_cc": 3800, "site": units.SITE_SKIN}, {reasons.FEVER: MEDIUM}),
        ({"spo2_tenths": 920}, {}),
        ({"spo2_tenths": 919}, {reasons.HYPOXAEMIA: MEDIUM}),
        ({"spo2_tenths": 900}, {reasons.HYPOXAEMIA: MEDIUM}),
        ({"spo2_tenths": 899}, {reasons.HYPOXAEMIA: HIGH}),
        ({"hr_bpm": 121}, {}),
        ({"button": st.BUTTON_LONG}, {reasons.PATIENT_BUTTON: MEDIUM}),
        ({"button": st.BUTTON_SHORT}, {}),
        ({"button": st.BUTTON_ACCEPTED}, {}),
    ],
)
def test_each_limit_is_met_and_missed_by_one(values: dict, expected: dict) -> None:
    assert raised(**values) == expected


FAST = AT_ONCE._replace(spo2_slow_ms=10**6, spo2_medium_ms=10**6)


@pytest.mark.parametrize(("spo2_tenths", "expected"), [(880, {}), (879, {reasons.HYPOXAEMIA: HIGH})])
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
    assert (raised(**values).get(reasons.LIFE_THREATENING) == HIGH) is is_raised


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (st.TOLD_HYPOTENSION, {reasons.HYPOTENSION: HIGH}),
        (st.TOLD_ICE_LOW, {reasons.ICE_LOW: MEDIUM}),
        (st.TOLD_NEW_OXYGEN, {reasons.NEW_OXYGEN: MEDIUM}),
        (st.TOLD_REASSESS, {reasons.REASSESS: MEDIUM}),
        (st.TOLD_FEVER, {reasons.FEVER: MEDIUM}),
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
        (st.FAULT_TEMP_SENSOR, reasons.SENSOR_FAULT, LOW),
        (st.FAULT_PPG_SENSOR, reasons.SENSOR_FAULT, LOW),
        (st.FAULT_JOURNAL, reasons.JOURNAL_FAULT, HIGH),
        (st.FAULT_LOW_BATTERY, reasons.LOW_BATTERY, LOW),
        (st.FAULT_HOST_AWAY, reasons.HOST_AWAY, LOW),
        (st.FAULT_MAINTENANCE, reasons.NOT_MONITORING, LOW),
        (st.FAULT_RECORDS_LOST, reasons.RECORDS_LOST, HIGH),
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
    assert later == {reasons.LOW_BATTERY: MEDIUM}


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
    assert raised(faults=st.FAULT_HOST_QUIET, **values).get(reasons.HOST_AWAY) == priority
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
        assert raised(state=state, now_ms=now_ms, **values)[reasons.NO_DATA] == priority
        state = bound(**since)
        state[st.FLAGS] = 0
        assert raised(state=state, now_ms=now_ms, bound=0, **values)[reasons.NO_DATA] == LOW


def test_of_two_silences_the_longer_one_counts() -> None:
    for longer, shorter in (("TEMP_MISSING", "PPG_MISSING"), ("PPG_MISSING", "TEMP_MISSING")):
        state = bound(**{longer: 0, shorter: DEFAULT.no_data_medium_ms})
        assert raised(state=state, now_ms=DEFAULT.no_data_medium_ms, **NOTHING)[reasons.NO_DATA] == MEDIUM


def test_a_probe_that_settles_has_its_own_time() -> None:
    rules = AT_ONCE._replace(settling_ms=5_000)
    settling = {"temp_state": units.TEMP_SETTLING}
    assert raised(rules, **settling) == {}
    state = bound(TEMP_MISSING=NOW_MS - 5_000)
    assert raised(rules, state=state, **settling) == {reasons.NO_DATA: LOW}
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
    assert (said.get(reasons.SPO2_LOST) == MEDIUM) is is_raised


def test_a_saturation_lost_with_fever_sounds() -> None:
    said = raised(temp_cc=3800, spo2_tenths=None, ppg_state=units.PPG_LOW_PERFUSION)
    assert said[reasons.SPO2_LOST] == MEDIUM


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
    assert (said.get(reasons.PULSE_LOST) == HIGH) is is_raised


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


def test_the_patients_call_stands_until_a_person_accepts_it() -> None:
    called, _ = alarms.step(bound(), QUIET._replace(button=st.BUTTON_LONG), NOW_MS, AT_ONCE)
    for button, is_raised in ((st.BUTTON_NONE, True), (st.BUTTON_SHORT, True), (st.BUTTON_ACCEPTED, False)):
        said = raised(state=called, now_ms=NOW_MS + 1_000, button=button)
        assert (said == {reasons.PATIENT_BUTTON: MEDIUM}) is is_raised


def test_a_signed_death_stops_every_sound_until_a_pulse_contradicts_it() -> None:
    rules = AT_ONCE._replace(contradicts_ms=2_000)
    everything = {
        "temp_cc": 3950,
        "spo2_tenths": 800,
        "hr_bpm": 150,
        "faults": 255,
        "told": st.TOLD_DEATH | st.TOLD_HYPOTENSION,
    }
    state, changes = alarms.step(bound(), QUIET._replace(**everything), NOW_MS, rules)
    assert alarms.active(state) == [] and changes == []
    said = raised(rules, state=state, now_ms=NOW_MS + 1_000, **everything)
    assert said[reasons.RECORD_CONTRADICTS] == HIGH and said[reasons.HYPOXAEMIA] == HIGH
    no_pulse = everything | {"hr_bpm": None}
    assert raised(rules, state=state, now_ms=NOW_MS + 1_000, **no_pulse) == {}
    unbound = raised(rules, bound=0, faults=st.FAULT_JOURNAL, told=st.TOLD_DEATH)
    assert unbound == {reasons.JOURNAL_FAULT: HIGH}, "a record belongs to a binding"


def test_a_fast_heart_with_fever_asks_for_a_pressure_that_nobody_knows() -> None:
    rules = AT_ONCE._replace(measure_bp_ms=1_000)
    hot = {"temp_cc": 3800, "hr_bpm": 121}
    assert raised(rules, **hot)[reasons.MEASURE_BP] == MEDIUM
    for values in (
        hot | {"hr_bpm": 120},
        hot | {"temp_cc": 3700},
        hot | {"told": st.TOLD_PRESSURE_KNOWN},
        hot | {"ppg_age_ms": DEFAULT.alarm_ppg_max_age_ms + 1},
        hot | {"hr_bpm": None},
    ):
        assert reasons.MEASURE_BP not in raised(rules, **values)
    assert reasons.MEASURE_BP not in raised(AT_ONCE._replace(measure_bp_ms=1_010), **hot)
    asked, _ = alarms.step(bound(), QUIET._replace(**hot), NOW_MS, rules)
    known = raised(rules, state=asked, now_ms=NOW_MS + 1_000, **hot, told=st.TOLD_PRESSURE_KNOWN)
    assert reasons.MEASURE_BP not in known, "an answer ends the question"


def test_a_late_step_counts_as_five_seconds_towards_an_alarm() -> None:
    no_pulse = {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_NO_PULSE}
    for delay_ms, is_raised in ((5_000, True), (5_001, False)):
        rules = AT_ONCE._replace(pulse_lost_ms=delay_ms)
        said = raised(rules, state=bound(), now_ms=NOW_MS + 60_000, **no_pulse)
        assert (reasons.PULSE_LOST in said) is is_raised
    first = alarms.new_state()
    said = raised(AT_ONCE._replace(pulse_lost_ms=1), state=first, **no_pulse)
    assert reasons.PULSE_LOST not in said, "before the first step no time is known to have passed"


def test_a_late_step_counts_as_two_seconds_towards_an_end() -> None:
    for end_ms, is_raised in ((2_000, False), (2_001, True), (2_100, True)):
        rules = AT_ONCE._replace(spo2_end_ms=end_ms)
        state = bound(SPO2_FAST=0)
        state[st.SPO2_FAST + 2] = 1
        said = raised(rules, state=state, now_ms=NOW_MS + 60_000)
        assert (reasons.HYPOXAEMIA in said) is is_raised


def test_a_clock_that_runs_backwards_takes_nothing_away() -> None:
    no_pulse = {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_NO_PULSE}
    state = bound()
    state[st.PULSE_LOST + 1] = 3_000
    after, _ = alarms.step(state, QUIET._replace(**no_pulse), NOW_MS - 50_000, DEFAULT)
    assert after[st.PULSE_LOST + 1] == 3_000


@pytest.mark.parametrize(
    ("slot", "inside", "outside"),
    [
        (
            "FEVER",
            {"temp_cc": 3800 - DEFAULT.fever_end_below_cc},
            {"temp_cc": 3799 - DEFAULT.fever_end_below_cc},
        ),
        (
            "HIGH_TEMP",
            {"temp_cc": 3900 - DEFAULT.fever_end_below_cc},
            {"temp_cc": 3899 - DEFAULT.fever_end_below_cc},
        ),
        (
            "HEART_RATE",
            {"hr_bpm": 121 - DEFAULT.hr_end_below_bpm},
            {"hr_bpm": 120 - DEFAULT.hr_end_below_bpm},
        ),
    ],
)
def test_once_raised_only_a_value_well_under_the_limit_speaks_against_it(
    slot: str, inside: dict, outside: dict
) -> None:
    at = getattr(st, slot)
    rules = AT_ONCE._replace(fever_end_ms=1_000, hr_end_ms=1_000, fever_reset_ms=1_000, hr_reset_ms=1_000)
    for values, is_raised in ((inside, 1), (outside, 0)):
        state = bound()
        state[at], state[at + 2] = 0, 1
        after, _ = alarms.step(state, QUIET._replace(**values), NOW_MS, rules)
        assert after[at + 2] == is_raised
    state = bound()
    state[at] = 0
    after, _ = alarms.step(state, QUIET._replace(**inside), NOW_MS, rules)
    assert after[at] is None, "before it is raised, any value under the limit does"


def test_a_rise_above_the_own_baseline_is_a_possible_fever_at_the_axilla() -> None:
    state = bound()
    state[st.BASELINE], state[st.BASELINE + 1] = 3600 << 10, DEFAULT.baseline_ready_min
    limit_cc = 3600 + DEFAULT.rise_cc
    assert raised(state=list(state), temp_cc=limit_cc) == {reasons.POSSIBLE_FEVER: MEDIUM}
    assert raised(state=list(state), temp_cc=limit_cc - 1) == {}
    assert raised(state=list(state), temp_cc=limit_cc, site=units.SITE_ORAL) == {}
    state[st.BASELINE + 1] -= 1
    assert raised(state=list(state), temp_cc=limit_cc) == {}, "not known yet"


def test_the_baseline_learns_from_what_suggests_no_fever() -> None:
    for values, is_learnt in (
        ({}, True),
        ({"temp_cc": 3749}, True),
        ({"temp_cc": 3750}, False),
        ({"site": units.SITE_ORAL}, False),
        ({"temp_state": units.TEMP_SETTLING}, False),
    ):
        after, _ = alarms.step(bound(), QUIET._replace(**values), NOW_MS, AT_ONCE)
        assert (after[st.BASELINE + 1] == 1) is is_learnt
    state = bound()
    state[st.BASELINE], state[st.BASELINE + 1] = 3600 << 10, DEFAULT.baseline_ready_min
    after, _ = alarms.step(state, QUIET._replace(temp_cc=3600 + DEFAULT.rise_cc), NOW_MS, AT_ONCE)
    assert after[st.BASELINE + 1] == DEFAULT.baseline_ready_min


def test_another_patient_starts_without_what_the_last_one_had() -> None:
    had, _ = alarms.step(bound(), QUIET._replace(temp_cc=3950, button=st.BUTTON_LONG), NOW_MS, AT_ONCE)
    for is_bound in (0, 1):
        state = list(had)
        if is_bound:
            state[st.FLAGS] &= ~st.FLAG_BOUND
        after, _ = alarms.step(state, QUIET._replace(bound=is_bound), NOW_MS + 1_000, AT_ONCE)
        assert alarms.active(after) == []
        assert after[st.FLAGS] == is_bound * st.FLAG_BOUND
    kept, _ = alarms.step(had, QUIET, NOW_MS + 1_000, AT_ONCE)
    assert dict(alarms.active(kept))[reasons.PATIENT_BUTTON] == MEDIUM, "the same patient keeps it"


def test_what_is_too_old_is_no_value() -> None:
    old = {"temp_age_ms": DEFAULT.alarm_temp_max_age_ms + 1, "temp_cc": 3900}
    assert raised(**old) == {reasons.NO_DATA: LOW}
    assert raised(**(old | {"temp_age_ms": DEFAULT.alarm_temp_max_age_ms}))[reasons.FEVER] == MEDIUM
    worn_off = {"temp_cc": 3900, "wear": units.WEAR_OFF}
    assert reasons.FEVER not in raised(**worn_off)
    weak = {"spo2_tenths": 800, "pi_hundredths": DEFAULT.pi_min_hundredths - 1}
    assert reasons.HYPOXAEMIA not in raised(**weak)
    assert reasons.HYPOXAEMIA in raised(**(weak | {"pi_hundredths": DEFAULT.pi_min_hundredths}))


def test_changes_are_told_once_and_the_end_as_priority_0() -> None:
    state, changes = alarms.step(
        bound(), QUIET._replace(spo2_tenths=899, told=st.TOLD_ICE_LOW), NOW_MS, AT_ONCE
    )
    assert changes == [(reasons.HYPOXAEMIA, HIGH), (reasons.ICE_LOW, MEDIUM)]
    again, changes = alarms.step(
        state, QUIET._replace(spo2_tenths=899, told=st.TOLD_ICE_LOW), NOW_MS + 1_000, AT_ONCE
    )
    assert changes == []
    _, changes = alarms.step(again, QUIET._replace(spo2_tenths=899), NOW_MS + 2_000, AT_ONCE)
    assert changes == [(reasons.ICE_LOW, 0)]


def test_what_holds_at_once_is_all_told_and_nothing_hides_another() -> None:
    said = raised(temp_cc=3900, spo2_tenths=919, hr_bpm=121, button=st.BUTTON_LONG, told=511 & ~st.TOLD_DEATH)
    assert said == {
        reasons.FEVER: MEDIUM,
        reasons.HYPOXAEMIA: MEDIUM,
        reasons.LIFE_THREATENING: HIGH,
        reasons.PATIENT_BUTTON: MEDIUM,
        reasons.HYPOTENSION: HIGH,
        reasons.ICE_LOW: MEDIUM,
        reasons.NEW_OXYGEN: MEDIUM,
        reasons.REASSESS: MEDIUM,
    }
    lost = {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_NO_PULSE}
    said = raised(temp_cc=3900, button=st.BUTTON_LONG, told=st.TOLD_ORGAN, faults=255, **lost)
    assert said == {
        reasons.FEVER: MEDIUM,
        reasons.SPO2_LOST: MEDIUM,
        reasons.PULSE_LOST: HIGH,
        reasons.LIFE_THREATENING: HIGH,
        reasons.PATIENT_BUTTON: MEDIUM,
        reasons.NO_DATA: HIGH,
        reasons.SENSOR_FAULT: HIGH,
        reasons.JOURNAL_FAULT: HIGH,
        reasons.HOST_AWAY: HIGH,
        reasons.LOW_BATTERY: HIGH,
        reasons.RECORDS_LOST: HIGH,
        reasons.NOT_MONITORING: HIGH,
    }


def test_a_question_for_a_pressure_and_a_contradicted_record_stand_beside_the_others() -> None:
    rules = AT_ONCE._replace(measure_bp_ms=0, contradicts_ms=0)
    said = raised(rules, temp_cc=3800, hr_bpm=121, told=511 & ~st.TOLD_PRESSURE_KNOWN)
    assert set(said) >= set(range(reasons.HYPOTENSION, reasons.REASSESS + 1)) - {reasons.PROMPT_MISSED}
    assert said[reasons.MEASURE_BP] == MEDIUM and said[reasons.RECORD_CONTRADICTS] == HIGH
