"""Entries that come late, out of order, or between two steps: none makes a wearer look better than the truth."""

import pytest
from crs_core import codes, units
from crs_core.grade import grader
from crs_core.grade import grader_state as st
from crs_core.grade.rules import DEFAULT

from tests.fakes.bed import Bed, interval

HOUR = 3_600_000
SEEN = {"blood_pressure": "normal", "vasopressors": [], "oxygen": "room_air"}


def _copied(bed: Bed) -> Bed:
    other = Bed()
    other.state = bed.state
    return other


def test_an_end_of_the_episode_that_comes_late_leaves_a_fever_after_it() -> None:
    """It was signed for an earlier moment: the fever since then is one of the next episode."""
    for ended_ms, is_over in ((9_999, False), (10_000, True)):
        bed = Bed().tell(0, anticytokine=True)
        bed.read(10_000, 3840)
        assert bed.state[st.MET_AT] == 10_000
        bed.tell(ended_ms, episode_closed=True)
        assert bed.told_keys() == []
        assert (bed.state[st.LATCH], bed.state[st.LOWER]) == ((0, None) if is_over else (1, 1))
        told = bed.read(20_000, 3700)
        assert (codes.R_FEVER_EARLIER in told.reasons) is not is_over


def test_the_last_fever_is_remembered_from_readings_by_hand_and_statements_too() -> None:
    bed = Bed().tell(5_000, temperature_cc=3800, site="oral")
    assert (bed.state[st.LATCH], bed.state[st.MET_AT]) == (1, 5_000)
    bed.tell(3_000, fever_earlier=True)
    assert bed.state[st.MET_AT] == 5_000, "one that was earlier does not move it back"
    bed.tell(7_000, fever_earlier=True)
    assert bed.state[st.MET_AT] == 7_000
    for values in (
        {"temperature_cc": 3799, "site": "oral"},
        {"fever_earlier": False},
        {"temperature_cc": 3900, "site": "oral", "fever_other_cause": True},
    ):
        bed = Bed().tell(5_000, **values)
        assert (bed.state[st.LATCH], bed.state[st.MET_AT]) == (0, None), values
    bed = Bed().tell(0, fever_other_cause=True).tell(5_000, temperature_cc=3900, site="oral")
    # the fever by hand is newer than the statement about another one
    assert (bed.state[st.LATCH], bed.state[st.MET_AT]) == (1, 5_000)


def test_the_grader_alone_remembers_the_last_fever_too() -> None:
    bed = Bed()
    bed.read(1_000, 3799)
    assert bed.state[st.MET_AT] is None
    bed.read(2_000, 3800)
    bed.read(3_000, 3700)
    assert bed.state[st.MET_AT] == 2_000


def test_what_lapsed_and_was_observed_after_the_end_stays_held() -> None:
    for ended_ms, held in ((999, 3), (1_000, 0)):
        bed = Bed()
        bed.read(0, 3840)
        bed.tell(1_000, oxygen="nasal_cannula_high")
        bed.read(2_000, 3841)
        bed.read(4 * HOUR + 1_001, 3842)
        assert bed.state[st.HELD] == 3
        bed.tell(ended_ms, episode_closed=True)
        assert bed.state[st.HELD] == held


def test_a_lower_reading_by_hand_cancels_none_that_still_counts() -> None:
    bed = Bed().tell(1_000, temperature_cc=3800, site="oral")
    bed.tell(2_000, temperature_cc=3799, site="core", hr_bpm=80)
    assert bed.state[st.TOLD] == [
        ["hr_bpm", 80, 2_000, 0],
        ["site", "oral", 1_000, 0],
        ["temperature_cc", 3800, 1_000, 0],
    ]
    bed.tell(3_000, temperature_cc=3801, site="core")
    assert bed.state[st.TOLD][1:] == [["site", "core", 3_000, 0], ["temperature_cc", 3801, 3_000, 0]]
    bed.tell(4_000, temperature_cc=None, site=None)
    bed.tell(5_000, temperature_cc=3700, site="oral")
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
    bed = Bed()
    bed.read(0, 3840)
    bed.tell(1_000, **SEEN).tell(2_000, temperature_cc=3850, site="oral")
    assert set(SEEN) < set(bed.told_keys())


def test_a_new_crossing_outdates_what_was_said_of_an_earlier_fever() -> None:
    bed = Bed().tell(0, fever_other_cause=True, **SEEN)
    assert interval(bed.read(1_000, 3700, site=units.SITE_ORAL)) == (0, 0)
    told = bed.read(2_000, 3840)
    assert bed.told_keys() == []
    assert (interval(told), bed.state[st.LATCH]) == ((1, 4), 1)
    bed.tell(3_000, fever_other_cause=True)
    bed.read(4_000, 3841)
    assert bed.told_keys() == ["fever_other_cause"], "the same fever, of which it was said"


def test_a_worry_before_any_grade_takes_older_reassurance_and_the_same_worry_again_does_not() -> None:
    bed = Bed().tell(0, vasopressors=[]).tell(1_000, oxygen="nasal_cannula_low")
    assert bed.state[st.FLAGS] & st.WORRIED
    bed.read(2_000, 3700)
    assert bed.told_keys() == ["oxygen"]
    assert not bed.state[st.FLAGS] & st.WORRIED, "until the next step"
    for again, is_new in (
        ({"oxygen": "nasal_cannula_low"}, False),
        ({"oxygen": None}, False),
        ({"vasopressors": []}, False),
        ({"oxygen": "face_mask"}, True),
        ({"seizure": "brief"}, True),
    ):
        assert bool(_copied(bed).tell(3_000, **again).state[st.FLAGS] & st.WORRIED) is is_new, again


def test_a_worry_that_raises_nothing_takes_nothing() -> None:
    """A lower need than the one that was graded already is told; what was seen before it still counts."""
    bed = Bed()
    bed.read(0, 3840)
    bed.tell(1_000, oxygen="nasal_cannula_high")
    bed.read(2_000, 3841)
    bed.tell(3_000, blood_pressure="normal")
    bed.read(4_000, 3842)
    bed.tell(5_000, oxygen="nasal_cannula_low")
    bed.read(6_000, 3843)
    assert bed.told_keys() == ["blood_pressure", "oxygen"]


def test_what_is_withdrawn_before_any_step_saw_it_is_held() -> None:
    bed = Bed()
    bed.read(0, 3840)
    bed.read(1_000, 3700)
    bed.tell(2_000, oxygen="cpap").tell(3_000, oxygen=None)
    assert bed.state[st.HELD] == 4
    assert codes.R_HELD_4 in bed.read(4_000, 3701).reasons
    never = Bed().tell(2_000, oxygen="cpap").tell(3_000, oxygen=None)
    assert never.state[st.HELD] == 0, "without a fever of the syndrome it made sure of nothing"


def test_after_a_boot_the_age_stays_unknown_until_each_worry_was_renewed() -> None:
    bed = Bed().tell(0, oxygen="nasal_cannula_low", blood_pressure="hypotension")
    bed.read(1_000, 3840)
    bed.state = grader.after_boot(bed.state, DEFAULT)
    bed.tell(10, oxygen="nasal_cannula_low")
    assert bed.state[st.FLAGS] & st.AGE_UNKNOWN
    assert codes.R_CONTEXT_AGE_UNKNOWN in bed.read(20, 3841).reasons
    bed.tell(30, blood_pressure="normal")
    assert not bed.state[st.FLAGS] & st.AGE_UNKNOWN


def test_a_reading_by_hand_settles_no_possible_fever_that_began_after_it() -> None:
    """It was possible since the first reading at that level, not since the delay made it one."""
    for hand_ms, fever in (
        (9_999, codes.FEVER_POSSIBLE),
        (10_000, codes.FEVER_NOT_MET),
        (500_000, codes.FEVER_NOT_MET),
    ):
        bed = Bed().tell(0, blood_pressure="normal")
        seen = [bed.read(at_ms, 3760 + at_ms // 10_000 % 2).fever for at_ms in range(10_000, 620_000, 10_000)]
        assert seen[-1] == codes.FEVER_POSSIBLE
        bed.tell(hand_ms, temperature_cc=3700, site="oral")
        assert bed.read(620_000, 3761).fever == fever, hand_ms
