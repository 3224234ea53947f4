"""What is in force: the newest observation, corrections in their place, withdrawals, groups, and the episode's end."""

import pytest
from crs_core import context
from crs_core.errors import LocalError
from crs_core.grade import case, entries, vocabulary
from crs_core.grade.rules import DEFAULT, with_limits

from host_agent.people import context_values, for_wearable, outgoing
from host_agent.people.asking import EntryRefused
from host_agent.people.context_state import in_force
from host_agent.people.validity import OF_ANY_AGE, expires_utc_ms, oldest_ms
from tests.host.people.people_world import HOUR_MS, MIN_MS


def test_the_newest_observation_counts_whatever_the_order_of_entering(world):
    world.enter(world.nurse, oxygen="face_mask", ago_ms=10 * MIN_MS)
    world.enter(world.nurse, oxygen="room_air", ago_ms=60 * MIN_MS)
    assert world.state() == {"oxygen": "face_mask"}
    world.enter(world.nurse, oxygen="cpap", ago_ms=10 * MIN_MS)
    assert world.state() == {"oxygen": "cpap"}


def test_an_entry_that_is_older_than_what_counts_is_kept_and_not_sent(world):
    world.enter(world.nurse, oxygen="face_mask")
    late = world.enter(world.nurse, oxygen="room_air", ice=8, ago_ms=60 * MIN_MS)
    assert world.waiting() == [{context.OXYGEN: 4}, {context.ICE: 8}]
    nothing = world.enter(world.nurse, oxygen="room_air", ago_ms=70 * MIN_MS)
    assert late.for_wearable and not nothing.for_wearable
    assert world.query("SELECT count(*) FROM context_entries") == [(3,)]


def test_a_correction_takes_the_place_of_what_it_corrects_and_deletes_nothing(world):
    wrong = world.enter(world.nurse, blood_pressure="normal", ice=9, ago_ms=30 * MIN_MS)
    world.enter(world.nurse, ice=7, ago_ms=5 * MIN_MS)
    world.enter(world.nurse, corrects=wrong.entry.id, blood_pressure="hypotension")
    assert world.state() == {"blood_pressure": "hypotension", "ice": 7}
    found = world.query("SELECT corrects FROM context_entries ORDER BY audit")
    assert found == [(None,), (None,), (wrong.audit,)]
    assert world.query("SELECT count(*) FROM context_values") == [(4,)]
    assert world.waiting()[-1] == {context.BLOOD_PRESSURE: 1}
    assert world.queued()[-1].observed_utc_ms == wrong.entry.observed_utc_ms, "the age of what was observed"


def test_a_correction_of_what_is_no_longer_the_newest_changes_nothing_in_force(world):
    old = world.enter(world.nurse, ice=9, ago_ms=30 * MIN_MS)
    world.enter(world.nurse, ice=7)
    fixed = world.enter(world.nurse, corrects=old.entry.id, ice=2)
    assert world.state() == {"ice": 7} and not fixed.for_wearable


def test_corrections_that_are_refused(world):
    first = world.enter(world.nurse, ice=9)
    other = world.sign(world.nurse, "context", {"ice": 3}, patient="P-2")
    for why, target, observed in (
        ("no_such_entry", "ab" * 16, first.entry.observed_utc_ms),
        ("wrong_patient", other.entry.id, other.entry.observed_utc_ms),
        ("bad_value", first.entry.id, first.entry.observed_utc_ms + 1),
    ):
        world.refuses_entry(
            why, world.nurse, "context", {"ice": 8}, refers_to=target, observed_utc_ms=observed
        )  # fmt: skip
    assert world.state() == {"ice": 9}


def test_a_caregiver_neither_corrects_nor_withdraws_what_a_nurse_entered(world):
    first = world.enter(world.nurse, temperature_cc=3910, site="rectal", hr_bpm=120)
    with pytest.raises(EntryRefused, match="A nurse may correct"):
        world.enter(world.carer, corrects=first.entry.id, hr_bpm=80)
    with pytest.raises(EntryRefused, match="A nurse may withdraw"):
        world.enter(world.carer, hr_bpm=None)
    own = world.enter(world.carer, hr_bpm=121)
    world.enter(world.carer, corrects=own.entry.id, hr_bpm=112)
    assert world.state()["hr_bpm"] == 112
    world.enter(world.carer, hr_bpm=None)
    assert world.state()["hr_bpm"] is None


def test_withdrawn_is_unknown_and_told_to_the_wearable(world):
    world.enter(world.nurse, blood_pressure="normal", temperature_cc=3700, site="oral", ice=10)
    world.enter(world.nurse, blood_pressure=None, temperature_cc=None, site=None, ice=None)
    assert set(world.state().values()) == {None}
    assert world.waiting()[-1] == {
        context.TEMPERATURE_CC: None, context.SITE: None, context.BLOOD_PRESSURE: None, context.ICE: None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "first, second, left",
    [
        ({"blood_pressure": "normal"}, {"systolic_mmhg": 82}, {"systolic_mmhg": 82}),
        ({"systolic_mmhg": 120, "diastolic_mmhg": 70}, {"blood_pressure": "hypotension"},
         {"blood_pressure": "hypotension"}),
        ({"systolic_mmhg": 120, "map_mmhg": 80}, {"systolic_mmhg": 118}, {"systolic_mmhg": 118}),
        ({"oxygen": "face_mask", "fio2_pct": 60, "flow_lpm": 15}, {"oxygen": "nasal_cannula_low"},
         {"oxygen": "nasal_cannula_low"}),
        ({"oxygen": "face_mask", "fio2_pct": 40}, {"fio2_pct": 60}, {"oxygen": "face_mask", "fio2_pct": 60}),
        ({"vasopressors": ["norepinephrine"], "vasopressor_dose": "high", "vasopressor_hours": 30},
         {"vasopressors": []}, {"vasopressors": []}),
        ({"vasopressors": ["norepinephrine"]}, {"vasopressor_dose": "high"},
         {"vasopressors": ["norepinephrine"], "vasopressor_dose": "high"}),
    ],
)  # fmt: skip
def test_a_newer_value_silences_what_belonged_to_the_older_one(world, first, second, left):
    world.enter(world.nurse, **first)
    world.enter(world.nurse, **second)
    assert world.state() == left


def test_complete_says_none_to_every_key_that_was_not_listed(world):
    world.enter(world.nurse, fever_earlier=True, anticytokine=True)
    world.enter(world.nurse, context="complete", systolic_mmhg=84, oxygen="nasal_cannula_low")
    state = world.state()
    assert state["systolic_mmhg"] == 84 and "blood_pressure" not in state
    assert state["vasopressors"] == [] and state["ice"] == 10 and state["seizure"] == "none"
    assert state["fever_earlier"] is True and state["anticytokine"] is True, "taken back by name only"
    assert state["steroid"] is False and "temperature_cc" not in state and "spo2_tenths" not in state
    sent = world.waiting()[-1]
    assert sent[context.BLOOD_PRESSURE] == 1 and sent[context.OXYGEN] == 1 and sent[context.VASOPRESSORS] == 0
    assert context.FEVER_EARLIER not in sent and context.DEATH not in sent


def test_the_values_of_complete_are_those_that_the_grader_reads_from_it():
    full = {**context_values.NONE_VALUES, "temperature_cc": 3900, "site": "oral"}
    short = {"context": "complete", "temperature_cc": 3900, "site": "oral"}
    vocabulary.check(full)
    for name, grade in case.assess(short)["grades"].items():
        same = case.assess({**full, "spo2_tenths": 970})["grades"][name]
        assert (grade["lower"], grade["upper"]) == (same["lower"], same["upper"]), name


def test_the_signed_end_of_the_episode_takes_its_fever_and_its_masking_along(world):
    world.enter(world.nurse, fever_earlier=True, anticytokine=True, ice=9)
    world.sign(world.doctor, "close_episode", {})
    assert world.state() == {"ice": 9} and world.waiting()[-1] == {context.EPISODE_CLOSED: 1}
    world.enter(world.nurse, fever_earlier=True)
    assert world.state() == {"ice": 9, "fever_earlier": True}, "a new episode"


# -- the numbers of the wearable ------------------------------------------------------------


@pytest.mark.parametrize(
    "values, numbers",
    [({"temperature_cc": 3870, "site": "oral"}, {1: 3870, 2: 2}), ({"blood_pressure": "normal"}, {3: 0}),
     ({"blood_pressure": "hypotension"}, {3: 1}), ({"systolic_mmhg": 89}, {3: 1}), ({"systolic_mmhg": 125}, {3: 0}),
     ({"diastolic_mmhg": 60}, {3: None}), ({"vasopressors": []}, {4: 0}), ({"vasopressors": ["dopamine"]}, {4: 1}),
     ({"vasopressors": ["dopamine", "dopamine"]}, {4: 1}), ({"vasopressors": ["dopamine", "vasopressin"]}, {4: 1}),
     ({"vasopressors": ["dopamine", "epinephrine"]}, {4: 2}), ({"vasopressors": ["other", "other"]}, {4: 2}),
     ({"vasopressors": ["vasopressin"]}, {4: 3}), ({"oxygen": "room_air"}, {5: 0}),
     ({"oxygen": "invasive_ventilation"}, {5: 9}),
     ({"antipyretic": True, "steroid": False, "anticytokine": True}, {6: 1, 7: 0, 8: 1}),
     ({"fever_earlier": False, "fever_other_cause": True}, {9: 0, 10: 1}),
     ({"ventilation_not_for_hypoxia": True}, {11: 1}), ({"ice": 0, "capd": 32}, {12: 0, 13: 32}),
     ({"consciousness": "unarousable", "seizure": "brief"}, {14: 3, 15: 1}), ({"motor_weakness": True}, {16: 1}),
     ({"organ_grade": 1, "transaminase_grade": 3, "creatinine_grade": 2}, {17: 3}),
     ({"spo2_tenths": 905, "hr_bpm": 111}, {20: 905, 21: 111}),
     ({"constitutional": True, "fluids_for_bp": "single", "hospitalised_for_crs": True}, {})],
)  # fmt: skip
def test_each_key_has_the_number_of_the_protocol(world, values, numbers):
    taken = world.enter(world.doctor, **values)
    assert world.waiting() == ([numbers] if numbers else []) and taken.for_wearable == bool(numbers)


def test_words_of_the_wearable_are_in_the_order_of_the_vocabulary():
    assert vocabulary.WORDS["consciousness"] == for_wearable.CONSCIOUSNESS
    assert vocabulary.WORDS["seizure"] == for_wearable.SEIZURE
    assert list(for_wearable.DEATH) == list(vocabulary.WORDS["death"])


def test_the_worst_organ_counts_over_all_entries(world):
    world.enter(world.nurse, transaminase_grade=4)
    world.enter(world.nurse, creatinine_grade=1)
    assert world.waiting()[-1] == {context.ORGAN_GRADE_WORST: 4}
    world.enter(world.nurse, transaminase_grade=None)
    assert world.waiting()[-1] == {context.ORGAN_GRADE_WORST: 1}


def test_a_number_that_the_wearable_would_refuse_never_gets_into_the_queue(world):
    with pytest.raises(LocalError, match="outside"):
        world.store.write_now(
            lambda tx: outgoing.queue(tx, 1, 1, b"12345678", observed_utc_ms=0, numbers={context.ICE: 11})
        )


# -- for how long ----------------------------------------------------------------------


def held(world, key):
    return world.store.read_now(lambda tx: in_force(tx, 1))[key]


@pytest.mark.parametrize(
    "key, value, hours, hours_at_risk",
    [("blood_pressure", "normal", 4, 1), ("blood_pressure", "hypotension", 4, 4), ("oxygen", "room_air", 4, 1),
     ("oxygen", "cpap", 4, 4), ("ice", 10, 4, 1), ("ice", 9, 4, 4), ("vasopressors", [], 4, 1),
     ("antipyretic", True, 24, 24), ("steroid", True, 168, 168), ("fever_other_cause", True, 4, 1),
     ("anticytokine", True, None, None), ("fever_earlier", True, None, None), ("fever_earlier", False, 4, 1)],
)  # fmt: skip
def test_how_long_a_value_counts(world, key, value, hours, hours_at_risk):
    world.enter(world.doctor, **{key: value})
    one = held(world, key)
    begun = one.given.observed_utc_ms
    assert expires_utc_ms(key, one, is_at_risk=False) == (None if hours is None else begun + hours * HOUR_MS)
    assert expires_utc_ms(key, one, is_at_risk=True) == (
        None if hours_at_risk is None else begun + hours_at_risk * HOUR_MS
    )
    assert entries.is_reassuring(key, value) == (hours != hours_at_risk)


def test_a_reading_by_hand_counts_as_long_as_one_of_the_wearable_and_may_be_entered_later(world):
    world.enter(world.nurse, temperature_cc=3900, site="oral", spo2_tenths=960)
    for key, minutes in (("temperature_cc", 15), ("site", 15), ("spo2_tenths", 5)):
        one = held(world, key)
        until_ms = one.given.observed_utc_ms + minutes * MIN_MS
        assert expires_utc_ms(key, one, is_at_risk=False) == until_ms
        assert oldest_ms(key, one.value) == 4 * HOUR_MS


def test_signed_rules_decide_how_long_a_value_counts_and_how_old_it_may_be(world):
    rules = with_limits(DEFAULT, {"entry_ms": 2 * HOUR_MS})
    world.enter(world.nurse, oxygen="cpap")
    one = held(world, "oxygen")
    until_ms = expires_utc_ms("oxygen", one, is_at_risk=False, rules=rules)
    assert until_ms == one.given.observed_utc_ms + 2 * HOUR_MS
    assert oldest_ms("oxygen", "cpap", rules) == 2 * HOUR_MS


def test_every_key_of_the_vocabulary_has_an_oldest_age():
    for key in (*vocabulary.WORDS, *vocabulary.INTEGERS, *vocabulary.NUMBERS, "vasopressors"):
        span = oldest_ms(key, True)
        assert (span is None) == (key in OF_ANY_AGE), key
        assert span is None or span >= HOUR_MS, key
