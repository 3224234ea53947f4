"""Entries that come late, out of order, or between two steps: none makes a wearer look better than the truth."""

import pytest
from crs_core import codes
from crs_core.grade import grader
from crs_core.grade import grader_state as st
from crs_core.grade.rules import DEFAULT

from tests.fakes.bed import Bed

HOUR = 3_600_000
HIGH_FLOW = {"oxygen": "nasal_cannula_high"}
SEEN = {"blood_pressure": "normal", "vasopressors": [], "oxygen": "room_air"}


@pytest.mark.parametrize(("ended_ms", "left"), [(9_999, (1, 1)), (10_000, (0, None))])
def test_an_end_of_the_episode_that_comes_late_leaves_a_fever_after_it(ended_ms: int, left: tuple) -> None:
    """It was signed for an earlier moment: the fever since then is one of the next episode."""
    bed = Bed((0, {"anticytokine": True}), (10_000, 3840, "met 1-4"))
    assert bed.slots("MET_AT") == (10_000,)
    bed.tell(ended_ms, episode_closed=True)
    assert (bed.told_keys(), bed.slots("LATCH", "LOWER")) == ([], left)
    assert (codes.R_FEVER_EARLIER in bed.read(20_000, 3700).reasons) is bool(left[0])


ORAL = {"temperature_cc": 3800, "site": "oral"}


@pytest.mark.parametrize(
    ("life", "left"),
    [
        ([(5_000, ORAL)], (1, 5_000)),
        (
            [(5_000, ORAL), (3_000, {"fever_earlier": True})],
            (1, 5_000),
        ),  # an earlier one does not move it back
        ([(5_000, ORAL), (7_000, {"fever_earlier": True})], (1, 7_000)),
        ([(5_000, ORAL | {"temperature_cc": 3799})], (0, None)),
        ([(5_000, {"fever_earlier": False})], (0, None)),
        ([(5_000, ORAL | {"fever_other_cause": True})], (0, None)),
        # the fever by hand is newer than the statement about another one
        ([(0, {"fever_other_cause": True}), (5_000, ORAL)], (1, 5_000)),
        # the grader of a wearable that was told nothing remembers it too
        ([(1_000, 3799, "not_met 0-4")], (0, None)),
        ([(2_000, 3800, "met 1-4"), (3_000, 3700, "not_met 0-4")], (1, 2_000)),
    ],
)
def test_the_last_fever_is_remembered_from_wherever_it_was_told(life: list, left: tuple) -> None:
    assert Bed(*life).slots("LATCH", "MET_AT") == left


def test_what_lapsed_and_was_observed_after_the_end_stays_held() -> None:
    for ended_ms, held in ((999, 3), (1_000, 0)):
        bed = Bed(
            (0, 3840, "met 1-4"),
            (1_000, HIGH_FLOW),
            (2_000, 3841, "met 3-4"),
            (4 * HOUR + 1_001, 3842, "met 1-4"),
        )
        assert bed.slots("HELD") == (3,)
        assert bed.tell(ended_ms, episode_closed=True).slots("HELD") == (held,)


def test_a_lower_reading_by_hand_cancels_none_that_still_counts() -> None:
    bed = Bed((1_000, ORAL), (2_000, {"temperature_cc": 3799, "site": "core", "hr_bpm": 80}))
    first = [["site", "oral", 1_000, 0], ["temperature_cc", 3800, 1_000, 0]]
    assert bed.state[st.TOLD] == [["hr_bpm", 80, 2_000, 0], *first]
    bed.tell(3_000, temperature_cc=3801, site="core")
    assert bed.state[st.TOLD][1:] == [["site", "core", 3_000, 0], ["temperature_cc", 3801, 3_000, 0]]
    bed.tell(4_000, temperature_cc=None, site=None).tell(5_000, temperature_cc=3700, site="oral")
    assert bed.state[st.TOLD][-1] == ["temperature_cc", 3700, 5_000, 0], "withdrawn, it counts no longer"


@pytest.mark.parametrize(
    ("hand", "is_sign"),
    [
        ({"spo2_tenths": DEFAULT.spo2_medium_tenths - 1}, True),
        ({"spo2_tenths": DEFAULT.spo2_medium_tenths}, False),
        ({"temperature_cc": DEFAULT.fever_cc, "site": "skin"}, True),
        ({"temperature_cc": DEFAULT.fever_cc - 1, "site": "core"}, False),
        ({"hr_bpm": 200}, False),
    ],
)
def test_a_bad_reading_by_hand_stops_what_was_seen_before_it(hand: dict, is_sign: bool) -> None:
    bed = Bed().tell(0, **SEEN).tell(1_000, fever_earlier=False, **hand)
    left = [key for key in bed.told_keys() if key not in hand]
    assert left == (["fever_earlier"] if is_sign else sorted([*SEEN, "fever_earlier"]))


def test_a_fever_by_hand_is_no_new_sign_while_the_sensor_has_one() -> None:
    bed = Bed((0, 3840, "met 1-4"), (1_000, SEEN), (2_000, ORAL | {"temperature_cc": 3850}))
    assert set(SEEN) < set(bed.told_keys())


@pytest.mark.parametrize(
    ("again", "is_new"),
    [
        ({"oxygen": "nasal_cannula_low"}, False),
        ({"oxygen": None}, False),
        ({"vasopressors": []}, False),
        ({"oxygen": "face_mask"}, True),
        ({"seizure": "brief"}, True),
    ],
)
def test_a_worry_before_any_grade_takes_older_reassurance_and_the_same_worry_again_does_not(
    again: dict, is_new: bool
) -> None:
    bed = Bed((0, {"vasopressors": []}), (1_000, {"oxygen": "nasal_cannula_low"}))
    assert bed.state[st.FLAGS] & st.WORRIED
    bed.read(2_000, 3700)
    assert bed.told_keys() == ["oxygen"] and not bed.state[st.FLAGS] & st.WORRIED, "until the next step"
    assert bool(bed.tell(3_000, **again).state[st.FLAGS] & st.WORRIED) is is_new


def test_what_is_withdrawn_before_any_step_saw_it_is_held() -> None:
    withdrawn = ((2_000, {"oxygen": "cpap"}), (3_000, {"oxygen": None}))
    bed = Bed((0, 3840, "met 1-4"), (1_000, 3700, "not_met 0-4"), *withdrawn)
    assert bed.slots("HELD") == (4,) and codes.R_HELD_4 in bed.read(4_000, 3701).reasons
    assert Bed(*withdrawn).slots("HELD") == (0,), "without a fever of the syndrome it made sure of nothing"


def test_after_a_boot_the_age_stays_unknown_until_each_worry_was_renewed() -> None:
    bed = Bed().tell(0, oxygen="nasal_cannula_low", blood_pressure="hypotension")
    bed.read(1_000, 3840)
    bed.state = grader.after_boot(bed.state, DEFAULT)
    bed.tell(10, oxygen="nasal_cannula_low")
    assert bed.state[st.FLAGS] & st.AGE_UNKNOWN
    assert codes.R_CONTEXT_AGE_UNKNOWN in bed.read(20, 3841).reasons
    bed.tell(30, blood_pressure="normal")
    assert not bed.state[st.FLAGS] & st.AGE_UNKNOWN


@pytest.mark.parametrize(
    ("hand_ms", "fever"),
    [(9_999, codes.FEVER_POSSIBLE), (10_000, codes.FEVER_NOT_MET), (500_000, codes.FEVER_NOT_MET)],
)
def test_a_reading_by_hand_settles_no_possible_fever_that_began_after_it(hand_ms: int, fever: int) -> None:
    """It was possible since the first reading at that level, not since the delay made it one."""
    bed = Bed().tell(0, blood_pressure="normal")
    seen = [bed.read(at_ms, 3760 + at_ms // 10_000 % 2).fever for at_ms in range(10_000, 620_000, 10_000)]
    assert seen[-1] == codes.FEVER_POSSIBLE
    assert bed.tell(hand_ms, temperature_cc=3700, site="oral").read(620_000, 3761).fever == fever
