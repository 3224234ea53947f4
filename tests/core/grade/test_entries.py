"""Entries over time: what counts, for how long, what a newer sign takes away, and what never gets better by age."""

import pytest
from crs_core import context
from crs_core.errors import RemoteError
from crs_core.grade import entries, told, vocabulary
from crs_core.grade.rules import DEFAULT

HOUR = 3_600_000


def entered(values: dict, t_ms: int = 0, before: list | None = None) -> list:
    return entries.enter(before or [], values, t_ms)


def after(told_list: list, age_ms: int, at_risk: bool = False) -> dict:
    return entries.in_force(entries.expire(told_list, age_ms, at_risk, DEFAULT))


REASSURING = [
    {"blood_pressure": "normal"},
    {"vasopressors": []},
    {"oxygen": "room_air"},
    {"ice": 10},
    {"fever_other_cause": True},
    {"fever_earlier": False},
    {"context": "complete"},
    {"systolic_mmhg": 118},
]
WORRYING = [
    {"blood_pressure": "hypotension"},
    {"vasopressors": ["norepinephrine"]},
    {"oxygen": "nasal_cannula_low"},
    {"ice": 9},
    {"seizure": "brief"},
    {"organ_grade": 3},
]


@pytest.mark.parametrize("values", REASSURING)
def test_a_reassuring_entry_counts_four_hours_and_one_while_febrile_or_masked(values: dict) -> None:
    told_list = entered(values)
    assert after(told_list, 4 * HOUR) == values
    assert after(told_list, 4 * HOUR + 1) == {}
    assert after(told_list, HOUR, at_risk=True) == values
    assert after(told_list, HOUR + 1, at_risk=True) == {}
    assert entries.expire(told_list, 5 * HOUR, False, DEFAULT) == [], "nothing is left to be held"


@pytest.mark.parametrize("values", WORRYING)
def test_a_worrying_entry_that_runs_out_is_kept_and_asks_for_an_assessment(values: dict) -> None:
    told_list = entered(values)
    assert not entries.lapsed(told_list)
    old = entries.expire(told_list, 4 * HOUR + 1, False, DEFAULT)
    assert entries.in_force(old) == {}, "its row is open again"
    assert entries.values_of(old) == values, "what it raised stays raised"
    assert entries.lapsed(old)
    assert after(told_list, HOUR + 1, at_risk=True) == values, (
        "only what reassures counts for less while febrile"
    )
    assert after(told_list, 4 * HOUR, at_risk=True) == values
    assert entries.expire(told_list, 4 * HOUR + 1, True, DEFAULT) == old


@pytest.mark.parametrize("values", WORRYING)
def test_a_worrying_entry_that_is_withdrawn_is_kept_too(values: dict) -> None:
    gone = entered(dict.fromkeys(values), 1000, entered(values))
    assert entries.in_force(gone) == {}
    assert entries.values_of(gone) == values
    assert entries.lapsed(gone)


def test_only_a_newer_entry_of_the_same_key_takes_a_lapsed_one_away() -> None:
    old = entries.expire(entered({"blood_pressure": "hypotension"}), 5 * HOUR, False, DEFAULT)
    assert entries.lapsed(entered({"oxygen": "room_air"}, 5 * HOUR, old))
    fresh = entered({"blood_pressure": "normal"}, 5 * HOUR, old)
    assert not entries.lapsed(fresh)
    assert entries.in_force(fresh) == {"blood_pressure": "normal"}
    measured = entered({"systolic_mmhg": 118}, 5 * HOUR, old)
    assert entries.values_of(measured) == {"systolic_mmhg": 118}, "other words for the same row"


def test_a_newer_sign_drops_what_reassures_and_was_seen_before_it() -> None:
    told_list = entered({"blood_pressure": "normal", "seizure": "brief"}, 1000)
    told_list = entered({"oxygen": "room_air"}, 2000, told_list)
    assert entries.in_force(entries.doubt(told_list, 2000)) == {"oxygen": "room_air", "seizure": "brief"}
    assert entries.in_force(entries.doubt(told_list, 2001)) == {"seizure": "brief"}


@pytest.mark.parametrize(
    ("drug", "window_ms"), [("antipyretic", 24 * HOUR), ("steroid", 7 * 24 * HOUR), ("anticytokine", None)]
)
def test_a_drug_masks_for_its_window_and_afterwards_nobody_knows(drug: str, window_ms: int | None) -> None:
    told_list = entered({drug: True})
    until_ms = window_ms or 100 * 24 * HOUR
    assert not entries.mask_is_over(entries.expire(told_list, until_ms, True, DEFAULT))
    later = entries.expire(told_list, until_ms + 1, True, DEFAULT)
    assert entries.mask_is_over(later) == (window_ms is not None)
    assert entries.is_masked(later), "whether more was given is not known"
    assert not entries.lapsed(later), "that is a question, not a worry"
    assert not entries.is_masked(entered({drug: False}, until_ms, later)), "none since: entered"


def test_closing_the_episode_ends_what_belongs_to_it_and_nothing_observed_after_it() -> None:
    told_list = entered(
        {"anticytokine": True, "steroid": True, "fever_earlier": True, "fever_other_cause": True, "ice": 8}
    )
    old = entries.expire(told_list, 5 * HOUR, False, DEFAULT)
    old = entered({"oxygen": "nasal_cannula_low"}, 5 * HOUR, old)
    closed = entries.close_episode(old, 5 * HOUR)
    assert entries.values_of(closed) == {"steroid": True, "oxygen": "nasal_cannula_low"}, "a steroid masks on"
    assert entries.close_episode(old, -1) == old, "closed before any of it was observed"


def test_what_comes_later_counts_whatever_its_time() -> None:
    """A correction has the moment of what it corrects, and the link adds some milliseconds to either."""
    wrong = entered({"blood_pressure": "normal"}, 50)
    assert entries.in_force(entered({"blood_pressure": "hypotension"}, 10, wrong)) == {
        "blood_pressure": "hypotension"
    }
    older = entered({"systolic_mmhg": 120, "blood_pressure": "normal"}, 50)
    assert entries.values_of(entered({"map_mmhg": 60, "blood_pressure": "hypotension"}, 10, older)) == {
        "map_mmhg": 60,
        "blood_pressure": "hypotension",
    }


def test_a_boot_makes_everything_that_is_timed_run_out() -> None:
    told_list = entered(
        {"blood_pressure": "normal", "oxygen": "face_mask", "antipyretic": True, "anticytokine": True}
    )
    left = entries.boot(told_list, DEFAULT)
    assert entries.values_of(left) == {"oxygen": "face_mask", "antipyretic": True, "anticytokine": True}
    assert entries.lapsed(left)
    assert not entries.mask_is_over(left), "the anticytokine has no window"


RISES = [
    ({"oxygen": "nasal_cannula_low"}, {"oxygen": "face_mask"}, True),
    ({"oxygen": "face_mask"}, {"oxygen": "bipap"}, True),
    ({"oxygen": "bipap"}, {"oxygen": "invasive_ventilation"}, True),
    ({"oxygen": "nasal_cannula_low", "flow_lpm": 2}, {"oxygen": "nasal_cannula_low", "flow_lpm": 4}, True),
    ({"oxygen": "venturi", "fio2_pct": 28}, {"oxygen": "venturi", "fio2_pct": 40}, True),
    ({"oxygen": "room_air"}, {"oxygen": "nasal_cannula_low"}, False),
    ({}, {"oxygen": "nasal_cannula_low"}, False),
    ({"oxygen": "face_mask"}, {"oxygen": "non_rebreather"}, False),
    ({"oxygen": "face_mask"}, {"oxygen": "nasal_cannula_low"}, False),
    ({"oxygen": "nasal_cannula_low", "flow_lpm": 4}, {"oxygen": "nasal_cannula_low", "flow_lpm": 4}, False),
    (
        {"oxygen": "nasal_cannula_low"},
        {"oxygen": "invasive_ventilation", "ventilation_not_for_hypoxia": True},
        False,
    ),
]


@pytest.mark.parametrize(("first", "second", "is_rise"), RISES)
def test_a_need_that_goes_up_between_two_entries_is_a_rising_need(
    first: dict, second: dict, is_rise: bool
) -> None:
    told_list = entered(second, 1000, entered(first, 0))
    assert (entries.RISING_NEED in entries.values_of(told_list)) == is_rise
    assert entries.RISING_NEED not in entries.in_force(told_list), "no key of a case"
    twice = entered(second, 2000, told_list)
    assert (entries.RISING_NEED in entries.values_of(twice)) == is_rise, "the same observation told twice"
    gone = entered(dict.fromkeys(second), 3000, told_list)
    assert (entries.RISING_NEED in entries.values_of(gone)) == is_rise, "a withdrawal is no fall"
    later = entered(second, 3_600_000, told_list)
    assert entries.RISING_NEED not in entries.values_of(later), "the same need an hour later does not rise"


def test_every_key_of_the_link_has_words_in_the_vocabulary_and_comes_back() -> None:
    for number, (name, low, high) in context.KEYS.items():
        for value in {low, high}:
            if number == context.SITE:
                continue
            words = told.values_of({number: value})
            (key,) = words
            if name not in ("episode_closed", "death"):
                vocabulary.check_key(key)
            out = bytearray()
            told.put(out, [[key, words[key], 500, 1]], 2000)
            back, end = told.get(bytes(out), 0, 2000)
            assert (back, end) == ([[key, words[key], 500, 1]], len(out))


def test_entries_that_cannot_be_are_refused() -> None:
    out = bytearray()
    told.put(out, [["ice", 9, 0, 0], ["oxygen", "bipap", 0, 1]], 1000)
    good = bytes(out)
    for bad in (
        b"\0",
        good[:-1],
        b"\x03" + good[1:],
        good[:1] + b"\x63" + good[2:],
        good[:4] + b"\x02" + good[5:],
    ):
        with pytest.raises(RemoteError):
            told.get(bad, 0, 1000)
    with pytest.raises(RemoteError):
        told.get(b"", 0, 0)
    with pytest.raises(RemoteError, match="no meaning"):
        told.values_of({context.VASOPRESSORS: 4})
    with pytest.raises(RemoteError, match="unknown"):
        told.values_of({99: 1})
