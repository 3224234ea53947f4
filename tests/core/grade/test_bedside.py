"""The wearable's grader once it was told something: what entries settle, how long, and what takes them away."""

import pytest
from crs_core import codes, units
from crs_core.grade import bedside, grader
from crs_core.grade import grader_state as st
from crs_core.grade import signs as bits_of
from crs_core.grade.alarm_state import TOLD_HYPOTENSION
from crs_core.grade.assessment import Assessment
from crs_core.grade.rules import DEFAULT
from crs_core.units import Reading, make_status

from tests.fakes.bed import Bed, interval, said

MIN, HOUR = 60_000, 3_600_000
DAY = 24 * HOUR
SEEN = {"blood_pressure": "normal", "vasopressors": [], "oxygen": "room_air", "fever_earlier": False}
WORSE = {"blood_pressure": "hypotension", "vasopressors": ["other"], "oxygen": "nasal_cannula_low"}
LOW_FLOW, HIGH_FLOW = {"oxygen": "nasal_cannula_low"}, {"oxygen": "nasal_cannula_high"}
NO_DRUG, NORMAL = {"vasopressors": []}, {"blood_pressure": "normal"}
ALL_MISSING = (codes.MISSING_BLOOD_PRESSURE, codes.MISSING_VASOPRESSORS, codes.MISSING_OXYGEN)


def test_entries_settle_a_fever_to_one_number() -> None:
    told = Bed().tell(0, **SEEN).read(0, 3840)
    assert told == Assessment(
        codes.SCALE_ASTCT, 2019, 1, 1, codes.FEVER_MET, codes.PROVISIONAL, (codes.R_FEVER_MET,), (), 0, 0
    )


def test_entries_raise_it_with_their_reasons_in_the_order_of_the_table() -> None:
    told = Bed().tell(0, **WORSE).read(0, 3840)
    of_entries = (codes.R_HYPOTENSION, codes.R_ONE_VASOPRESSOR, codes.R_OXYGEN_LOW)
    assert (interval(told), told.missing) == ((3, 3), ())
    assert told.reasons == (codes.R_FEVER_MET, *of_entries)


def test_what_is_not_told_stays_missing_and_open() -> None:
    told = Bed().tell(0, **LOW_FLOW).read(0, 3840)
    assert (interval(told), told.missing) == ((2, 4), ALL_MISSING[1:2]), "a pressure alone could be no more"
    told = Bed().tell(0, seizure="brief").read(0, 3840)
    assert (interval(told), told.missing, told.reasons) == ((1, 4), ALL_MISSING, (codes.R_FEVER_MET,))


def test_an_entry_alone_makes_it_gradable_and_says_that_the_temperature_is_missing() -> None:
    told = Bed().tell(0, oxygen="cpap").read(0, None, spo2=None)
    assert (said(told), told.status) == ("unknown 0-4", codes.PROVISIONAL)
    assert told.reasons == (codes.R_TEMP_ABSENT, codes.R_POSITIVE_PRESSURE)
    assert codes.MISSING_TEMPERATURE in told.missing
    assert (told.temp_age_ms, told.ppg_age_ms) == (None, None)
    for unread in ({"seizure": "brief"}, {"steroid": True}):
        told = Bed().tell(0, **unread).read(0, None, spo2=None)
        assert (interval(told), told.status) == ((None, None), codes.NOT_GRADABLE), (
            "no row of the table reads it"
        )
        assert told.reasons[0] == codes.R_TEMP_ABSENT


def test_ages_count_from_the_last_usable_value() -> None:
    bed = Bed().tell(0, **SEEN)
    bed.read(0, 3700)
    told = bed.read(5_000, None)
    assert (told.temp_age_ms, told.ppg_age_ms) == (5_000, 0)
    told = bed.read(7_000, 3700, spo2=None)
    assert (told.temp_age_ms, told.ppg_age_ms) == (0, 2_000)


@pytest.mark.parametrize(
    ("hand_cc", "site", "sensor_cc", "expected", "first_reason"),
    [
        (3800, "oral", 3700, "met 1-4", codes.R_FEVER_BY_HAND),
        (3800, "skin", 3700, "met 1-4", codes.R_FEVER_BY_HAND),
        (3799, "oral", 3700, "not_met 0-4", codes.R_BELOW),
        (3799, "axilla", 3700, "not_met 0-4", codes.R_BELOW_AT_AXILLA),
        (3799, "skin", 3700, "not_met 0-4", codes.R_BELOW_AT_AXILLA),
        (3700, "core", 3800, "met 1-4", codes.R_FEVER_MET),  # a lower reading does not cancel the sensor
        (3700, "oral", None, "not_met 0-4", codes.R_BELOW),
    ],
)
def test_any_source_at_the_limit_is_met_and_a_lower_one_settles_only_at_a_site_that_may(
    hand_cc: int, site: str, sensor_cc: int, expected: str, first_reason: int
) -> None:
    bed = Bed().tell(0, temperature_cc=hand_cc, site=site)
    told = bed.read(0, sensor_cc)
    assert (said(told), told.reasons[0]) == (expected, first_reason)
    is_met = int(told.fever == codes.FEVER_MET)
    assert bed.slots("LATCH", "FLAGS") == (is_met, st.FEBRILE * is_met)


@pytest.mark.parametrize(
    ("hand", "sensor_cc", "expected"),
    [
        ({"temperature_cc": 3700, "site": "oral"}, None, "not_met 0-0"),
        ({"temperature_cc": 3700, "site": "oral"}, 3700, "not_met 0-0"),
        ({}, 3700, "unknown 0-1"),
    ],
)
def test_a_reading_by_hand_stands_in_where_the_sensor_settles_nothing(
    hand: dict, sensor_cc: int | None, expected: str
) -> None:
    assert said(Bed().tell(0, **SEEN, **hand).read(0, sensor_cc, site=units.SITE_SKIN)) == expected


def test_a_fever_of_another_cause_is_no_fever_of_the_syndrome_and_leaves_no_latch() -> None:
    bed = Bed().tell(0, **SEEN, fever_other_cause=True)
    told = bed.read(0, 3900)
    assert (said(told), told.reasons[:2]) == ("met 0-0", (codes.R_FEVER_MET, codes.R_OTHER_CAUSE))
    assert bed.slots("LATCH", "FLAGS") == (0, st.FEBRILE), "it shortens what reassures all the same"


@pytest.mark.parametrize(("drug", "window_ms"), [("antipyretic", DAY), ("steroid", 7 * DAY)])
def test_a_mask_leaves_the_fever_open_until_its_window_is_over_and_unknown_afterwards(
    drug: str, window_ms: int
) -> None:
    bed = Bed().tell(0, **{drug: True})
    told = bed.read(0, 3700)
    assert (said(told), told.reasons[0]) == ("masked 0-4", codes.R_MASKED)
    assert bed.read(window_ms, 3701).fever == codes.FEVER_MASKED
    told = bed.read(window_ms + 1, 3702)
    assert (said(told), told.reasons[0]) == ("unknown 0-4", codes.R_MASK_WINDOW_OVER)
    assert told.status == codes.PROVISIONAL
    assert bed.tell(window_ms + 2, **{drug: False}).read(window_ms + 3, 3703).fever == codes.FEVER_NOT_MET


def test_a_mask_hides_no_fever_that_is_there_and_no_temperature_would_settle_it() -> None:
    Bed((0, {"anticytokine": True}), (0, 3800, "met 1-4"))
    bed = Bed().tell(0, steroid=True, fever_earlier=False)
    assert codes.MISSING_TEMPERATURE not in bed.read(0, 3700).missing
    assert codes.MISSING_TEMPERATURE in bed.tell(1, steroid=False).read(2, 3701).missing


def test_a_worrying_entry_that_runs_out_is_held_until_a_fresh_one() -> None:
    # a fever shortens only what reassures
    bed = Bed((0, HIGH_FLOW), (0, 3840, "met 3-4"), (4 * HOUR, 3841, "met 3-4"))
    told = bed.read(4 * HOUR + 1, 3842)
    assert (interval(told), told.reasons[-1], bed.slots("HELD")) == ((1, 4), codes.R_HELD_3, (3,))
    assert bed.read(4 * HOUR + 2, None).reasons[-1] == codes.R_HELD_3, "a lost temperature takes it not away"
    told = bed.tell(4 * HOUR + 3, **LOW_FLOW).read(4 * HOUR + 4, 3843)
    assert (interval(told), bed.slots("HELD")) == ((2, 4), (0,))
    assert codes.R_HELD_3 not in told.reasons


def test_what_is_held_is_not_told_while_the_grade_says_as_much() -> None:
    bed = Bed((0, LOW_FLOW | {"blood_pressure": "hypotension"}), (0, 3840, "met 2-4"), (30 * MIN, LOW_FLOW))
    told = bed.read(4 * HOUR + 1, 3841)
    assert (interval(told), bed.slots("HELD")) == ((2, 4), (2,)) and codes.R_HELD_2 not in told.reasons
    bed = Bed((0, {"seizure": "brief"}), (4 * HOUR + 1, None, "unknown None-None"))
    assert (bed.state[st.TOLD][0][3], *bed.slots("HELD")) == (1, 0), "nothing was gradable: nothing is held"


# what was told and read, and the entries that are left
LIVES = {
    "a rise of the temperature stops what reassured before it": (
        [(0, SEEN), (0, 3700, "not_met 0-1"), (9_000, NO_DRUG), (10_000, 3850, "met 1-4")], []),
    "it does not stop what was seen after it had risen": (
        [(0, 3850, "met 1-4"), (5_000, SEEN), (10_000, 3860, "met 1-1")], sorted(SEEN)),
    "nor what was seen at the same moment": (
        [(0, NORMAL), (0, 3700, "not_met 0-4"), (10_000, NO_DRUG), (10_000, 3850, "met 1-4")], ["vasopressors"]),
    "the return of a lost temperature is no rise": (
        [(0, SEEN), (0, 3850, "met 1-1"), (1_000, SEEN), (2_000, 3850, "met 1-1"), (3_000, None, "unknown 0-1"),
         (4_000, 3851, "met 1-1")], sorted(SEEN)),
    "a rise counts from itself and not from an older worry": (
        [(5_000, {"seizure": "brief"}), (6_000, NORMAL), (7_000, 3700, "not_met 0-4"), (10_000, 3850, "met 1-4")],
        ["seizure"]),
    "a rise by an entry stops what was seen before it": (
        [(0, SEEN), (0, 3850, "met 1-1"), (2_000, SEEN), (5_000, LOW_FLOW), (10_000, 3850, "met 2-4")], ["oxygen"]),
    "the judged pressure beside a measured one is where a rise came from": (
        [(0, 3850, "met 1-4"), (1_000, NO_DRUG), (2_000, 3851, "met 1-4"),
         (5_000, {"blood_pressure": "hypotension", "systolic_mmhg": 85}), (10_000, 3852, "met 2-4")],
        ["blood_pressure", "systolic_mmhg"]),
    "a figure alone takes no older reassurance away": (
        [(0, 3850, "met 1-4"), (1_000, NO_DRUG | {"age_months": 600}), (2_000, 3851, "met 1-4"),
         (5_000, {"systolic_mmhg": 85}), (10_000, 3852, "met 2-4")], ["age_months", "systolic_mmhg", "vasopressors"]),
    "a worry that raises nothing takes nothing": (
        [(0, 3840, "met 1-4"), (1_000, HIGH_FLOW), (2_000, 3841, "met 3-4"), (3_000, NORMAL), (4_000, 3842, "met 3-4"),
         (5_000, LOW_FLOW), (6_000, 3843, "met 2-4")], ["blood_pressure", "oxygen"]),
    "a new crossing outdates what was said of an earlier fever": (
        [(0, SEEN | {"fever_other_cause": True}), (1_000, 3700, "not_met 0-0"), (2_000, 3840, "met 1-4"),
         (3_000, {"fever_other_cause": True}), (4_000, 3841, "met 0-4")], ["fever_other_cause"]),
}  # fmt: skip


@pytest.mark.parametrize(("life", "left"), LIVES.values(), ids=LIVES)
def test_what_a_rise_takes_away(life: list, left: list) -> None:
    assert Bed(*life).told_keys() == left


def test_a_saturation_that_falls_stops_what_reassured_before_it() -> None:
    bed = Bed().tell(0, **SEEN)
    bed.read(0, 3700, spo2=920)
    assert bed.told_keys() == sorted(SEEN)
    assert interval(bed.read(1_000, 3701, spo2=919)) == (0, 4) and bed.told_keys() == []
    bed.tell(2_000, **SEEN).read(3_000, 3702, spo2=919)
    assert bed.told_keys() == sorted(SEEN), "it was low already when they were seen"


@pytest.mark.parametrize(("spo2", "bounds"), [(900, (1, 1)), (899, (1, 4))])
def test_room_air_needs_a_saturation_at_the_limit(spo2: int, bounds: tuple) -> None:
    bed = Bed()
    bed.read(0, 3850, spo2=spo2)
    assert interval(bed.tell(0, **SEEN).read(1_000, 3850, spo2=spo2)) == bounds


def test_a_saturation_counts_for_its_time_and_then_one_by_hand_does() -> None:
    max_ms = DEFAULT.grade_ppg_max_age_ms
    bed = Bed((0, 3850, "met 1-4"), (0, SEEN))
    assert interval(bed.read(max_ms, 3851, spo2=None)) == (1, 1)
    assert interval(bed.read(max_ms + 1, 3852, spo2=None)) == (1, 4)
    assert interval(bed.tell(max_ms + 2, spo2_tenths=970).read(max_ms + 3, 3853, spo2=None)) == (1, 1)


def test_the_patients_button_takes_what_reassured_before_it_and_nothing_that_worries() -> None:
    bed = Bed((0, NORMAL | LOW_FLOW), (5_000, NO_DRUG))
    before = bed.state
    bed.state = bedside.doubt(bed.state, 5_000)
    assert bed.told_keys() == ["oxygen", "vasopressors"]
    assert len(before[st.TOLD]) == 3, "the state given is not touched"


def test_after_a_boot_all_that_counts_for_a_time_ran_out() -> None:
    bed = Bed((0, NORMAL | HIGH_FLOW | {"fever_earlier": True}), (0, 3840, "met 3-4"))
    bed.state = grader.after_boot(bed.state, DEFAULT)
    assert bed.state[st.TOLD] == [["fever_earlier", True, 0, 0], ["oxygen", "nasal_cannula_high", 0, 1]]
    told = bed.read(10, 3840)
    assert (interval(told), told.reasons[-2:]) == ((1, 4), (codes.R_HELD_3, codes.R_CONTEXT_AGE_UNKNOWN))
    told = bed.tell(20, **HIGH_FLOW).read(30, 3840)
    assert interval(told) == (3, 4)
    assert not {codes.R_HELD_3, codes.R_CONTEXT_AGE_UNKNOWN} & set(told.reasons)


def test_a_boot_that_makes_nothing_run_out_says_nothing() -> None:
    bed = Bed().tell(0, fever_earlier=True)
    bed.state = grader.after_boot(bed.state, DEFAULT)
    assert bed.slots("FLAGS") == (0,)
    assert codes.R_CONTEXT_AGE_UNKNOWN not in bed.read(10, 3840).reasons


def test_a_fever_that_was_told_latches_and_is_named_while_none_is_present() -> None:
    bed = Bed().tell(0, fever_earlier=True)
    told = bed.read(0, 3700)
    assert bed.slots("LATCH") == (1,) and codes.MISSING_FEVER_EARLIER not in told.missing
    assert told.reasons == (codes.R_BELOW_AT_AXILLA, codes.R_FEVER_EARLIER)
    assert codes.R_FEVER_EARLIER not in bed.read(1_000, 3840).reasons
    assert Bed().tell(0, fever_earlier=False).slots("LATCH") == (0,)


def test_a_signed_end_of_the_episode_starts_the_next_one() -> None:
    bed = Bed((0, HIGH_FLOW | {"anticytokine": True}), (0, 3840, "met 3-4"), (4 * HOUR + 1, 3841, "met 1-4"))
    assert bed.slots("LATCH", "HELD") == (1, 3)
    bed.tell(4 * HOUR + 2, episode_closed=True, **NORMAL)
    assert (bed.slots("LATCH", "HELD", "LOWER"), bed.told_keys()) == ((0, 0, None), ["blood_pressure"])
    bed.read(5 * HOUR, 3700)
    told = bed.read(5 * HOUR + 10 * MIN, 3701)
    assert (told.fever, told.reasons) == (codes.FEVER_NOT_MET, (codes.R_BELOW_AT_AXILLA,))
    assert Bed().tell(0, steroid=True).tell(1, episode_closed=False).told_keys() == ["steroid"]


@pytest.mark.parametrize("entered", [{}, {"age_months": 600}])
def test_flag_and_lowest_grade_follow_what_is_measured_and_not_what_is_lost(entered: dict) -> None:
    """With entries and without any: the step of a wearable that was told nothing is another one."""
    bed = Bed((0, entered)) if entered else Bed()
    for at_ms, temp_cc, febrile, lower in (
        (0, 3840, 1, 1),
        (1, None, 1, 1),
        (2, 3700, 0, 0),
        (3, None, 0, 0),
    ):
        bed.read(at_ms, temp_cc)
        assert bed.slots("FLAGS", "LOWER") == (febrile * st.FEBRILE, lower)
    assert Bed((0, {"blood_pressure": "hypotension"}), (0, 3840, "met 2-4")).slots("LOWER") == (2,)


def test_the_alarm_conditions_get_the_bits_of_what_was_told() -> None:
    assert bedside.signs(grader.new_state(), DEFAULT) == 0
    bed = Bed().tell(0, blood_pressure="hypotension")
    assert bedside.signs(bed.state, DEFAULT) == bits_of.of_entries(bed.state[st.TOLD], DEFAULT)
    assert bedside.signs(bed.state, DEFAULT) & TOLD_HYPOTENSION


def test_what_was_worked_out_by_other_rules_is_not_used() -> None:
    bed = Bed()
    bed.read(0, 3850, spo2=930)
    assert interval(bed.tell(0, **SEEN).read(1, 3850, spo2=930)) == (1, 1)
    stricter = DEFAULT._replace(spo2_need_tenths=940)
    status = make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)
    _, told = grader.step(bed.state, Reading(2, 3850, 930, 80, 150, status), 2, stricter)
    assert interval(told) == (1, 4)
