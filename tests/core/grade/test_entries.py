"""Lists of entries: how long each counts, what replaces what, what a newer sign takes away, what a rise came from."""

from typing import Any

import pytest
from crs_core.grade import entries
from crs_core.grade.entries import IN_FORCE, LAPSED, RISING_NEED
from crs_core.grade.rules import DEFAULT

SEEN_MS = 1_000
NEVER_MS = 10**12
LIMIT_MS = DEFAULT.entry_ms
WORRIES: dict[str, Any] = {
    "blood_pressure": "hypotension", "vasopressors": ["norepinephrine"], "oxygen": "nasal_cannula_low", "ice": 9,
    "seizure": "brief", "organ_grade": 3, RISING_NEED: True,
}  # fmt: skip
# kind, key, value, how long it counts. calm: caps a grade, counts less while febrile or masked, leaves nothing;
# worry: is kept when it runs out, and somebody must assess again; mask: kept as well, and is a question, not a worry.
COUNTED = [
    *[("calm", key, value, LIMIT_MS) for key, value in entries.NONE.items()],
    # whether a measured pressure is low needs an age, which only the host has: the judged one beside it worries
    *[("calm", key, mmhg, LIMIT_MS) for key in entries.PRESSURES for mmhg in (40, 118)],
    ("calm", "fever_other_cause", True, LIMIT_MS),
    ("calm", "ventilation_not_for_hypoxia", True, LIMIT_MS),
    ("calm", "fever_earlier", False, LIMIT_MS),
    *[("worry", key, value, LIMIT_MS) for key, value in WORRIES.items()],
    ("other", "fever_earlier", True, None),
    ("other", "temperature_cc", 3700, DEFAULT.grade_temp_max_age_ms),
    ("other", "site", "oral", DEFAULT.grade_temp_max_age_ms),
    ("other", "spo2_tenths", 970, DEFAULT.grade_ppg_max_age_ms),
    ("other", "hr_bpm", 80, DEFAULT.grade_ppg_max_age_ms),
    ("mask", "antipyretic", True, DEFAULT.antipyretic_ms),
    ("mask", "steroid", True, DEFAULT.steroid_ms),
    ("mask", "anticytokine", True, None),
    *[("other", drug, False, None) for drug in entries.MASKS],
    ("other", "age_months", 60, None),
    ("other", "death", "crs", None),
]


def entered(values: dict, t_ms: int = 0, before: list | None = None) -> list:
    return entries.enter(before or [], values, t_ms)


@pytest.mark.parametrize(
    ("kind", "key", "value", "limit_ms"), COUNTED, ids=[f"{c[0]}-{c[1]}-{c[2]}" for c in COUNTED]
)
def test_an_entry_counts_for_its_time_and_leaves_what_must_not_be_lost(
    kind: str, key: str, value: object, limit_ms: int | None
) -> None:
    one = entered({key: value}, SEEN_MS)
    assert one == [[key, value, SEEN_MS, IN_FORCE]] and entries.lapsed(one) == []
    left = [[key, value, SEEN_MS, LAPSED]] if kind in ("worry", "mask") else []
    at_risk_ms = DEFAULT.entry_febrile_ms if kind == "calm" else limit_ms
    for at_risk, counts_ms in ((False, limit_ms), (True, at_risk_ms)):
        assert entries.expire(one, SEEN_MS + (counts_ms or NEVER_MS), at_risk, DEFAULT) is one
        if counts_ms:
            assert entries.expire(one, SEEN_MS + counts_ms + 1, at_risk, DEFAULT) == left
    assert entries.boot(one, DEFAULT) == (left if limit_ms else one), "what is timed runs out with a boot"
    assert entered({key: None}, SEEN_MS + 1, one) == left, "so does what is withdrawn"
    assert one == [[key, value, SEEN_MS, IN_FORCE]], "the list given is not touched"
    assert entries.is_worrying(key, value) is (kind == "worry")
    assert entries.is_reassuring(key, value) is (kind == "calm")
    assert entries.lapsed(left) == ([key] if kind == "worry" else [])
    assert entries.in_force(left) == ({key: value} if kind == "mask" else {}), "its row is open again"
    assert entries.values_of(left) == ({key: value} if left else {}), "what it raised stays raised"
    assert entries.is_masked(one) is entries.is_masked(left) is entries.mask_is_over(left) is (kind == "mask")
    assert not entries.mask_is_over(one)
    if kind == "mask":
        assert not entries.is_masked(entered({key: False}, SEEN_MS, left)), "none since: entered"


def test_a_mask_is_over_when_the_window_of_each_drug_is() -> None:
    over, runs = ["steroid", True, 0, LAPSED], ["antipyretic", True, 0, IN_FORCE]
    assert not entries.mask_is_over([over, runs]) and not entries.mask_is_over([])
    assert not entries.mask_is_over([["steroid", False, 0, IN_FORCE]])
    mixed = [over, ["ice", 9, 0, LAPSED], ["seizure", "brief", 0, IN_FORCE], ["capd", 9, 0, LAPSED]]
    assert entries.lapsed(mixed) == ["ice", "capd"]


VALUES = {"vasopressors": ["other"], "blood_pressure": "normal", "oxygen": "cpap", "vasopressor_dose": "low"}


@pytest.mark.parametrize(
    ("second", "firsts"),
    [
        ("blood_pressure", ("systolic_mmhg", "diastolic_mmhg", "map_mmhg", "fluids_for_bp")),
        ("systolic_mmhg", ("blood_pressure", "diastolic_mmhg", "map_mmhg", "fluids_for_bp")),
        ("map_mmhg", ("blood_pressure", "systolic_mmhg", "diastolic_mmhg", "fluids_for_bp")),
        ("vasopressors", ("vasopressor_dose", "vasopressor_hours", "refractory")),
        ("oxygen", ("flow_lpm", "fio2_pct", "ventilation_not_for_hypoxia")),
        ("vasopressor_dose", ()),
        ("capd", ()),
    ],
)
def test_other_words_for_a_row_and_details_of_it_go_with_a_newer_entry(second: str, firsts: tuple) -> None:
    for first in (*firsts, "vasopressors", "ice"):
        if first == second:
            continue
        old, new = {first: VALUES.get(first, 30)}, {second: VALUES.get(second, 30)}
        left = [second] if first in firsts else sorted([first, second])
        earlier = entered(old)
        assert [entry[0] for entry in entered(new, 1, earlier)] == left, first
        assert [entry[0] for entry in entered({second: None}, 1, earlier)] == [first]
        assert [entry[0] for entry in entered(old | new, 1, earlier)] == sorted([first, second])


def test_only_a_newer_entry_of_the_same_row_takes_a_lapsed_one_away() -> None:
    old = [["blood_pressure", "hypotension", 0, LAPSED]]
    assert entries.lapsed(entered({"oxygen": "room_air"}, 9, old))
    assert entered({"blood_pressure": "normal"}, 9, old) == [["blood_pressure", "normal", 9, IN_FORCE]]
    assert entries.values_of(entered({"systolic_mmhg": 118}, 9, old)) == {"systolic_mmhg": 118}


def test_what_comes_later_counts_whatever_its_time() -> None:
    """A correction has the moment of what it corrects, and the link adds some milliseconds to either."""
    wrong = entered({"systolic_mmhg": 120, "blood_pressure": "normal"}, 50)
    right = {"map_mmhg": 60, "blood_pressure": "hypotension"}
    assert entries.values_of(entered(right, 10, wrong)) == right


def test_a_newer_sign_drops_what_reassures_and_was_seen_before_it() -> None:
    told_list = entered({"blood_pressure": "normal", "seizure": "brief"}, 1000)
    told_list = entered({"oxygen": "room_air"}, 2000, told_list)
    assert entries.in_force(entries.doubt(told_list, 2000)) == {"oxygen": "room_air", "seizure": "brief"}
    assert entries.in_force(entries.doubt(told_list, 2001)) == {"seizure": "brief"}


def test_a_rise_came_from_the_newest_worry_in_force() -> None:
    """A measured pressure does not count here; the judged one, which the host sends beside it, does."""
    told_list = [
        ["capd", 9, 5, IN_FORCE], ["oxygen", "cpap", 7, IN_FORCE], ["seizure", "brief", 9, LAPSED],
        ["systolic_mmhg", 60, 10, IN_FORCE], ["vasopressors", [], 11, IN_FORCE],
    ]  # fmt: skip
    assert entries.newest_worry_ms(told_list, 99) == 7
    assert entries.newest_worry_ms(told_list[2:], 99) == 99
    assert entries.newest_worry_ms([], 99) == 99
    assert entries.newest_worry_ms([*told_list, ["blood_pressure", "hypotension", 10, IN_FORCE]], 99) == 10


def test_the_end_of_an_episode_takes_what_was_observed_up_to_it() -> None:
    """Up to its very millisecond; a mask of another kind and what is in force belong to no episode."""
    ended_ms = 50
    for key, value, mark, is_taken in (
        ("anticytokine", True, IN_FORCE, True),
        ("fever_earlier", True, IN_FORCE, True),
        ("fever_earlier", False, IN_FORCE, True),
        ("fever_other_cause", True, IN_FORCE, True),
        ("ice", 8, LAPSED, True),
        (RISING_NEED, True, LAPSED, True),
        ("ice", 8, IN_FORCE, False),
        ("steroid", True, LAPSED, False),
        ("antipyretic", True, LAPSED, False),
        ("antipyretic", True, IN_FORCE, False),
    ):
        at, after = [key, value, ended_ms, mark], [key, value, ended_ms + 1, mark]
        assert entries.close_episode([at], ended_ms) == ([] if is_taken else [at]), key
        assert entries.close_episode([after], ended_ms) == [after], key


def need(device: str, flow_lpm: int = 0, fio2_pct: int = 0, **more: object) -> dict:
    told = {"oxygen": device, "flow_lpm": flow_lpm, "fio2_pct": fio2_pct}
    return {key: value for key, value in told.items() if value} | more


@pytest.mark.parametrize(
    ("first", "second", "is_rise"),
    [
        (need("nasal_cannula_low"), need("nasal_cannula_high"), True),
        (need("nasal_cannula_low"), need("face_mask"), True),
        (need("face_mask"), need("cpap"), True),
        (need("bipap"), need("invasive_ventilation"), True),
        (need("face_mask", 6), need("face_mask", 7), True),
        (need("blow_by", 1), need("blow_by", 2), True),
        (need("venturi", fio2_pct=22), need("venturi", fio2_pct=24), True),
        (need("face_mask", fio2_pct=35), {"fio2_pct": 40}, True),
        (need("face_mask", 6), {"flow_lpm": 8}, True),
        ({}, need("nasal_cannula_low"), False),
        (need("room_air"), need("nasal_cannula_low"), False),  # new, which is an alarm of its own
        (need("room_air", 1), need("room_air", 2), False),
        (need("blow_by"), need("nasal_cannula_low"), False),
        (need("face_mask"), need("non_rebreather"), False),
        (need("face_mask"), need("nasal_cannula_low"), False),
        (need("cpap"), need("face_mask"), False),
        (need("face_mask", 6), need("face_mask", 6), False),
        (need("face_mask"), need("face_mask", 7), False),  # told for the first time
        (need("face_mask", fio2_pct=35), need("face_mask", fio2_pct=35), False),
        (need("face_mask", fio2_pct=21), need("face_mask", fio2_pct=30), False),
        (need("nasal_cannula_low"), need("invasive_ventilation", ventilation_not_for_hypoxia=True), False),
    ],
)
def test_a_need_that_goes_up_between_two_entries_is_a_rising_need(
    first: dict, second: dict, is_rise: bool
) -> None:
    told_list = entered(second, 10, entered(first))
    assert ([RISING_NEED, True, 10, IN_FORCE] in told_list) is is_rise
    assert RISING_NEED not in entries.in_force(told_list), "it is a sign, not an input of a table"
    gone = entered(dict.fromkeys(["oxygen", *second]), 20, told_list)
    assert (RISING_NEED in entries.values_of(gone)) is is_rise, "not known is no fall"
    assert RISING_NEED not in entries.values_of(entered(need("room_air"), 20, told_list))


def test_a_rising_need_told_again_is_the_same_for_ten_minutes_either_way() -> None:
    """The link and a correction move the moment of an observation; a need that stays does not rise for ever."""
    at_ms, same_ms = 5_000_000, 600_000
    rising = [RISING_NEED, True, at_ms, IN_FORCE]
    told = entered(need("face_mask", 6), at_ms, entered(need("nasal_cannula_low")))
    assert rising in told
    for moved_ms, is_kept in ((same_ms, True), (same_ms + 1, False), (-same_ms, True), (-same_ms - 1, False)):
        assert (rising in entered(need("face_mask", 6), at_ms + moved_ms, told)) is is_kept, moved_ms
        assert rising in entered({"ice": 10}, at_ms + moved_ms, told), "another entry says nothing of it"
    for lower in (need("nasal_cannula_low"), need("face_mask", 5), {"flow_lpm": 5}):
        assert RISING_NEED not in entries.values_of(entered(lower, at_ms + 1, told)), lower
