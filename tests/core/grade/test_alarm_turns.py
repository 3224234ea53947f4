"""Alarm conditions from one step to the next: calls, records, late steps, ends, another patient, what holds at once."""

import pytest
from crs_core import codes, units
from crs_core.grade import alarm_state as st
from crs_core.grade import alarms
from crs_core.grade.rules import DEFAULT

from tests.fakes.one_step import AT_ONCE, HIGH, MEDIUM, NOW_MS, QUIET, bound, raised


def test_the_patients_call_stands_until_a_person_accepts_it() -> None:
    called, _ = alarms.step(bound(), QUIET._replace(button=st.BUTTON_LONG), NOW_MS, AT_ONCE)
    for button, is_raised in ((st.BUTTON_NONE, True), (st.BUTTON_SHORT, True), (st.BUTTON_ACCEPTED, False)):
        said = raised(state=called, now_ms=NOW_MS + 1_000, button=button)
        assert (said == {codes.PATIENT_BUTTON: MEDIUM}) is is_raised


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
    assert said[codes.RECORD_CONTRADICTS] == HIGH and said[codes.HYPOXAEMIA] == HIGH
    no_pulse = everything | {"hr_bpm": None}
    assert raised(rules, state=state, now_ms=NOW_MS + 1_000, **no_pulse) == {}
    unbound = raised(rules, bound=0, faults=st.FAULT_JOURNAL, told=st.TOLD_DEATH)
    assert unbound == {codes.JOURNAL_FAULT: HIGH}, "a record belongs to a binding"


def test_a_fast_heart_with_fever_asks_for_a_pressure_that_nobody_knows() -> None:
    rules = AT_ONCE._replace(measure_bp_ms=1_000)
    hot = {"temp_cc": 3800, "hr_bpm": 121}
    assert raised(rules, **hot)[codes.MEASURE_BP] == MEDIUM
    for values in (
        hot | {"hr_bpm": 120},
        hot | {"temp_cc": 3700},
        hot | {"told": st.TOLD_PRESSURE_KNOWN},
        hot | {"ppg_age_ms": DEFAULT.alarm_ppg_max_age_ms + 1},
        hot | {"hr_bpm": None},
    ):
        assert codes.MEASURE_BP not in raised(rules, **values)
    assert codes.MEASURE_BP not in raised(AT_ONCE._replace(measure_bp_ms=1_010), **hot)
    asked, _ = alarms.step(bound(), QUIET._replace(**hot), NOW_MS, rules)
    known = raised(rules, state=asked, now_ms=NOW_MS + 1_000, **hot, told=st.TOLD_PRESSURE_KNOWN)
    assert codes.MEASURE_BP not in known, "an answer ends the question"


def test_a_late_step_counts_as_five_seconds_towards_an_alarm() -> None:
    no_pulse = {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_NO_PULSE}
    for delay_ms, is_raised in ((5_000, True), (5_001, False)):
        rules = AT_ONCE._replace(pulse_lost_ms=delay_ms)
        said = raised(rules, state=bound(), now_ms=NOW_MS + 60_000, **no_pulse)
        assert (codes.PULSE_LOST in said) is is_raised
    first = alarms.new_state()
    said = raised(AT_ONCE._replace(pulse_lost_ms=1), state=first, **no_pulse)
    assert codes.PULSE_LOST not in said, "before the first step no time is known to have passed"


def test_a_late_step_counts_as_two_seconds_towards_an_end() -> None:
    for end_ms, is_raised in ((2_000, False), (2_001, True), (2_100, True)):
        rules = AT_ONCE._replace(spo2_end_ms=end_ms)
        state = bound(SPO2_FAST=0)
        state[st.SPO2_FAST + 2] = 1
        said = raised(rules, state=state, now_ms=NOW_MS + 60_000)
        assert (codes.HYPOXAEMIA in said) is is_raised


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
    assert raised(state=list(state), temp_cc=limit_cc) == {codes.POSSIBLE_FEVER: MEDIUM}
    assert raised(state=list(state), temp_cc=limit_cc - 1) == {}
    assert raised(state=list(state), temp_cc=limit_cc, site=units.SITE_ORAL) == {}
    state[st.BASELINE + 1] -= 1
    assert raised(state=list(state), temp_cc=limit_cc) == {}, "not known yet"


def test_the_baseline_learns_from_what_suggests_no_fever() -> None:
    ready = DEFAULT.baseline_ready_min
    for minutes, values, is_learnt in (
        (0, {}, True),
        (0, {"temp_cc": 3749}, True),
        (0, {"temp_cc": 3750}, False),
        (0, {"site": units.SITE_ORAL}, False),
        (0, {"temp_state": units.TEMP_SETTLING}, False),
        (ready, {"temp_cc": 3600 + DEFAULT.rise_cc - 1}, True),
        (ready, {"temp_cc": 3600 + DEFAULT.rise_cc}, False),
    ):
        state = bound(BASELINE=3600 << 10 if minutes else 0)
        state[st.BASELINE + 1] = minutes
        after, _ = alarms.step(state, QUIET._replace(**values), NOW_MS, AT_ONCE)
        assert (after[st.BASELINE + 1] == minutes + 1) is is_learnt, values


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
    assert dict(alarms.active(kept))[codes.PATIENT_BUTTON] == MEDIUM, "the same patient keeps it"


def test_changes_are_told_once_and_the_end_as_priority_0() -> None:
    state, changes = alarms.step(
        bound(), QUIET._replace(spo2_tenths=899, told=st.TOLD_ICE_LOW), NOW_MS, AT_ONCE
    )
    assert changes == [(codes.HYPOXAEMIA, HIGH), (codes.ICE_LOW, MEDIUM)]
    again, changes = alarms.step(
        state, QUIET._replace(spo2_tenths=899, told=st.TOLD_ICE_LOW), NOW_MS + 1_000, AT_ONCE
    )
    assert changes == []
    _, changes = alarms.step(again, QUIET._replace(spo2_tenths=899), NOW_MS + 2_000, AT_ONCE)
    assert changes == [(codes.ICE_LOW, 0)]


def test_a_question_for_a_pressure_and_a_contradicted_record_stand_beside_the_others() -> None:
    rules = AT_ONCE._replace(measure_bp_ms=0, contradicts_ms=0)
    said = raised(rules, temp_cc=3800, hr_bpm=121, told=511 & ~st.TOLD_PRESSURE_KNOWN)
    assert set(said) >= set(range(codes.HYPOTENSION, codes.REASSESS + 1)) - {codes.PROMPT_MISSED}
    assert said[codes.MEASURE_BP] == MEDIUM and said[codes.RECORD_CONTRADICTS] == HIGH


@pytest.mark.parametrize("slot", ["FEVER", "HIGH_TEMP", "POSSIBLE", "RISE"])
def test_each_clock_of_a_temperature_has_its_own_reset_and_the_same_end(slot: str) -> None:
    at = getattr(st, slot)
    reset_ms = 2_000 if slot in ("FEVER", "HIGH_TEMP") else 1_000
    rules = DEFAULT._replace(fever_reset_ms=2_000, possible_reset_ms=1_000, fever_end_ms=3_000)
    for is_raised, until_ms in ((0, reset_ms), (1, 3_000)):
        state = bound(**{slot: 0}, BASELINE=3700 << 10)
        state[st.BASELINE + 1], state[at + 2] = DEFAULT.baseline_ready_min, is_raised
        for second in range(1, 5):
            state, _ = alarms.step(state, QUIET, NOW_MS + 1_000 * (second - 1), rules)
            assert (state[at] is None) is (1_000 * second >= until_ms)


def test_the_clock_of_a_question_stays_whole_when_it_drains_and_when_it_is_full() -> None:
    """Integers decide: a fraction in a state could not be written down."""
    state = bound(FEVER=0)
    state[st.FEVER + 2] = 1
    state[st.MEASURE_BP + 1] = 777
    after, _ = alarms.step(state, QUIET._replace(temp_cc=3800, hr_bpm=120), NOW_MS, AT_ONCE)
    assert type(after[st.MEASURE_BP + 1]) is int and 0 <= after[st.MEASURE_BP + 1] < 777
    rules = AT_ONCE._replace(measure_bp_ms=1_000)
    after, _ = alarms.step(bound(), QUIET._replace(temp_cc=3800, hr_bpm=121), NOW_MS, rules)
    clock = after[st.MEASURE_BP + 1 : st.MEASURE_BP + 3]
    assert clock == [100, 1] and type(clock[0]) is int
