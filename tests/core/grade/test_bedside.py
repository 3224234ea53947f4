"""The wearable's grader once it was told something: what entries settle, how long, and what takes them away."""

import pytest
from crs_core import codes, units
from crs_core.grade import bedside, grader
from crs_core.grade import grader_state as st
from crs_core.grade import signs as bits_of
from crs_core.grade.alarm_state import TOLD_HYPOTENSION
from crs_core.grade.rules import DEFAULT
from crs_core.units import Reading, make_status

from tests.fakes.bed import Bed, interval

MIN = 60_000
HOUR = 60 * MIN
DAY = 24 * HOUR
SEEN = {"blood_pressure": "normal", "vasopressors": [], "oxygen": "room_air", "fever_earlier": False}
WORSE = {"blood_pressure": "hypotension", "vasopressors": ["other"], "oxygen": "nasal_cannula_low"}
ALL_MISSING = (codes.MISSING_BLOOD_PRESSURE, codes.MISSING_VASOPRESSORS, codes.MISSING_OXYGEN)


def test_entries_settle_a_fever_to_one_number() -> None:
    told = Bed().tell(0, **SEEN).read(0, 3840)
    assert told == grader.Assessment(
        codes.SCALE_ASTCT,
        2019,
        1,
        1,
        codes.FEVER_MET,
        codes.PROVISIONAL,
        (codes.R_FEVER_MET,),
        (),
        0,
        0,
    )


def test_entries_raise_it_with_their_reasons_in_the_order_of_the_table() -> None:
    told = Bed().tell(0, **WORSE).read(0, 3840)
    assert interval(told) == (3, 3)
    assert told.reasons == (
        codes.R_FEVER_MET,
        codes.R_HYPOTENSION,
        codes.R_ONE_VASOPRESSOR,
        codes.R_OXYGEN_LOW,
    )
    assert told.missing == ()


def test_what_is_not_told_stays_missing_and_open() -> None:
    told = Bed().tell(0, oxygen="nasal_cannula_low").read(0, 3840)
    assert (interval(told), told.missing) == ((2, 4), ALL_MISSING[1:2]), "a pressure alone could be no more"
    told = Bed().tell(0, seizure="brief").read(0, 3840)
    assert (interval(told), told.missing, told.reasons) == ((1, 4), ALL_MISSING, (codes.R_FEVER_MET,))


def test_an_entry_alone_makes_it_gradable_and_says_that_the_temperature_is_missing() -> None:
    told = Bed().tell(0, oxygen="cpap").read(0, None, spo2=None)
    assert interval(told) == (0, 4)
    assert (told.status, told.fever) == (codes.PROVISIONAL, codes.FEVER_UNKNOWN)
    assert told.reasons == (codes.R_TEMP_ABSENT, codes.R_POSITIVE_PRESSURE)
    assert codes.MISSING_TEMPERATURE in told.missing
    assert (told.temp_age_ms, told.ppg_age_ms) == (None, None)
    told = Bed().tell(0, seizure="brief").read(0, None, spo2=None)
    assert (interval(told), told.status) == ((None, None), codes.NOT_GRADABLE), "no row of the table reads it"


def test_ages_count_from_the_last_usable_value() -> None:
    bed = Bed().tell(0, **SEEN)
    bed.read(0, 3700)
    told = bed.read(5_000, None)
    assert (told.temp_age_ms, told.ppg_age_ms) == (5_000, 0)
    told = bed.read(7_000, 3700, spo2=None)
    assert (told.temp_age_ms, told.ppg_age_ms) == (0, 2_000)


@pytest.mark.parametrize(
    ("hand", "fever", "first_reason", "bounds"),
    [
        ({"temperature_cc": 3800, "site": "oral"}, codes.FEVER_MET, codes.R_FEVER_BY_HAND, (1, 4)),
        ({"temperature_cc": 3800, "site": "skin"}, codes.FEVER_MET, codes.R_FEVER_BY_HAND, (1, 4)),
        ({"temperature_cc": 3799, "site": "oral"}, codes.FEVER_NOT_MET, codes.R_BELOW, (0, 4)),
        (
            {"temperature_cc": 3799, "site": "axilla"},
            codes.FEVER_NOT_MET,
            codes.R_BELOW_AT_AXILLA,
            (0, 4),
        ),
        ({"temperature_cc": 3799, "site": "skin"}, codes.FEVER_NOT_MET, codes.R_BELOW_AT_AXILLA, (0, 4)),
    ],
)
def test_any_source_at_the_limit_is_met_and_a_lower_one_settles_only_at_a_site_that_may(
    hand: dict, fever: int, first_reason: int, bounds: tuple
) -> None:
    bed = Bed().tell(0, **hand)
    told = bed.read(0, 3700)
    assert (told.fever, told.reasons[0], interval(told)) == (fever, first_reason, bounds)
    assert bed.state[st.LATCH] == int(fever == codes.FEVER_MET)
    assert bool(bed.state[st.FLAGS] & st.FEBRILE) is (fever == codes.FEVER_MET)


def test_a_lower_reading_by_hand_does_not_cancel_the_sensor() -> None:
    told = Bed().tell(0, temperature_cc=3700, site="core").read(0, 3800)
    assert (told.fever, told.reasons[0]) == (codes.FEVER_MET, codes.R_FEVER_MET)


def test_a_reading_by_hand_stands_in_where_the_sensor_says_nothing() -> None:
    told = Bed().tell(0, **SEEN, temperature_cc=3700, site="oral").read(0, None)
    assert (told.fever, interval(told)) == (codes.FEVER_NOT_MET, (0, 0))
    told = Bed().tell(0, **SEEN, temperature_cc=3700, site="oral").read(0, 3700, site=units.SITE_SKIN)
    assert (told.fever, interval(told)) == (codes.FEVER_NOT_MET, (0, 0))
    told = Bed().tell(0, **SEEN).read(0, 3700, site=units.SITE_SKIN)
    assert (told.fever, interval(told)) == (codes.FEVER_UNKNOWN, (0, 1)), "the skin settles nothing below"


def test_a_fever_of_another_cause_is_no_fever_of_the_syndrome_and_leaves_no_latch() -> None:
    bed = Bed().tell(0, **SEEN, fever_other_cause=True)
    told = bed.read(0, 3900)
    assert (told.fever, interval(told)) == (codes.FEVER_MET, (0, 0))
    assert told.reasons[:2] == (codes.R_FEVER_MET, codes.R_OTHER_CAUSE)
    assert bed.state[st.LATCH] == 0
    assert bed.state[st.FLAGS] & st.FEBRILE, "it shortens what reassures all the same"


@pytest.mark.parametrize(("drug", "window_ms"), [("antipyretic", DAY), ("steroid", 7 * DAY)])
def test_a_mask_leaves_the_fever_open_until_its_window_is_over_and_unknown_afterwards(
    drug: str, window_ms: int
) -> None:
    bed = Bed().tell(0, **{drug: True})
    told = bed.read(0, 3700)
    assert (told.fever, told.reasons[0], interval(told)) == (codes.FEVER_MASKED, codes.R_MASKED, (0, 4))
    assert bed.read(window_ms, 3701).fever == codes.FEVER_MASKED
    told = bed.read(window_ms + 1, 3702)
    assert (told.fever, told.reasons[0]) == (codes.FEVER_UNKNOWN, codes.R_MASK_WINDOW_OVER)
    assert (interval(told), told.status) == ((0, 4), codes.PROVISIONAL)
    bed.tell(window_ms + 2, **{drug: False})
    assert bed.read(window_ms + 3, 3703).fever == codes.FEVER_NOT_MET


def test_a_mask_does_not_hide_a_fever_that_is_there() -> None:
    assert Bed().tell(0, anticytokine=True).read(0, 3800).fever == codes.FEVER_MET


def test_without_any_temperature_a_mask_changes_nothing() -> None:
    told = Bed().tell(0, steroid=True).read(0, None)
    assert told.reasons[0] == codes.R_TEMP_ABSENT
    assert told.status == codes.NOT_GRADABLE


def test_a_worrying_entry_that_runs_out_is_held_until_a_fresh_one() -> None:
    bed = Bed().tell(0, oxygen="nasal_cannula_high")
    assert interval(bed.read(0, 3840)) == (3, 4)
    assert interval(bed.read(4 * HOUR, 3841)) == (3, 4), "a fever shortens only what reassures"
    told = bed.read(4 * HOUR + 1, 3842)
    assert interval(told) == (1, 4)
    assert told.reasons[-1] == codes.R_HELD_3
    assert bed.state[st.HELD] == 3
    told = bed.read(4 * HOUR + 2, None)
    assert told.reasons[-1] == codes.R_HELD_3, "a lost temperature does not take it away"
    bed.tell(4 * HOUR + 3, oxygen="nasal_cannula_low")
    told = bed.read(4 * HOUR + 4, 3843)
    assert (interval(told), bed.state[st.HELD]) == ((2, 4), 0)
    assert codes.R_HELD_3 not in told.reasons


def test_what_is_held_is_not_told_while_the_grade_says_as_much() -> None:
    bed = Bed().tell(0, oxygen="nasal_cannula_low", blood_pressure="hypotension")
    bed.read(0, 3840)
    bed.tell(30 * MIN, oxygen="nasal_cannula_low")
    told = bed.read(4 * HOUR + 1, 3841)
    assert (interval(told), bed.state[st.HELD]) == ((2, 4), 2)
    assert codes.R_HELD_2 not in told.reasons


def test_an_entry_that_runs_out_after_nothing_was_gradable_holds_nothing() -> None:
    bed = Bed().tell(0, seizure="brief")
    bed.read(4 * HOUR + 1, None)
    assert (bed.state[st.TOLD][0][3], bed.state[st.HELD]) == (1, 0)


def test_a_rise_of_the_temperature_stops_what_reassured_before_it() -> None:
    bed = Bed().tell(0, **SEEN)
    assert interval(bed.read(0, 3700)) == (0, 1), "the axilla excludes no fever"
    bed.tell(9_000, vasopressors=[])
    told = bed.read(10_000, 3850)
    assert (interval(told), told.missing) == ((1, 4), ALL_MISSING)
    assert bed.told_keys() == []


def test_it_does_not_stop_what_was_seen_at_the_same_moment_or_after_it_had_risen() -> None:
    bed = Bed()
    bed.read(0, 3850)
    bed.tell(5_000, **SEEN)
    assert interval(bed.read(10_000, 3860)) == (1, 1)
    bed = Bed().tell(0, blood_pressure="normal")
    bed.read(0, 3700)
    bed.tell(10_000, vasopressors=[])
    bed.read(10_000, 3850)
    assert bed.told_keys() == ["vasopressors"]


def test_a_rise_by_an_entry_stops_what_was_seen_before_that_entry() -> None:
    bed = Bed().tell(0, **SEEN)
    bed.read(0, 3850)
    bed.tell(5_000, oxygen="nasal_cannula_low")
    told = bed.read(10_000, 3850)
    assert (interval(told), told.missing) == ((2, 4), ALL_MISSING[1:2])


def test_the_return_of_a_lost_temperature_is_no_rise() -> None:
    bed = Bed().tell(0, **SEEN)
    bed.read(0, 3850)
    bed.tell(1_000, **SEEN)
    assert interval(bed.read(2_000, 3850)) == (1, 1)
    bed.read(3_000, None)
    assert interval(bed.read(4_000, 3851)) == (1, 1)


def test_a_saturation_that_falls_stops_what_reassured_before_it() -> None:
    bed = Bed().tell(0, **SEEN)
    bed.read(0, 3700, spo2=920)
    assert bed.told_keys() == sorted(SEEN)
    told = bed.read(1_000, 3701, spo2=919)
    assert bed.told_keys() == []
    assert interval(told) == (0, 4)
    bed.tell(2_000, **SEEN)
    bed.read(3_000, 3702, spo2=919)
    assert bed.told_keys() == sorted(SEEN), "it was low already when they were seen"


@pytest.mark.parametrize(("spo2", "bounds"), [(900, (1, 1)), (899, (1, 4))])
def test_room_air_needs_a_saturation_at_the_limit(spo2: int, bounds: tuple) -> None:
    bed = Bed()
    bed.read(0, 3850, spo2=spo2)
    assert interval(bed.tell(0, **SEEN).read(1_000, 3850, spo2=spo2)) == bounds


def test_a_saturation_counts_for_its_time_and_then_one_by_hand_does() -> None:
    max_ms = DEFAULT.grade_ppg_max_age_ms
    bed = Bed()
    bed.read(0, 3850)
    bed.tell(0, **SEEN)
    assert interval(bed.read(max_ms, 3851, spo2=None)) == (1, 1)
    assert interval(bed.read(max_ms + 1, 3852, spo2=None)) == (1, 4)
    bed.tell(max_ms + 2, spo2_tenths=970)
    assert interval(bed.read(max_ms + 3, 3853, spo2=None)) == (1, 1)


def test_the_patients_button_takes_what_reassured_before_it_and_nothing_that_worries() -> None:
    bed = Bed().tell(0, blood_pressure="normal", oxygen="nasal_cannula_low").tell(5_000, vasopressors=[])
    before = bed.state
    bed.state = bedside.doubt(bed.state, 5_000)
    assert bed.told_keys() == ["oxygen", "vasopressors"]
    assert len(before[st.TOLD]) == 3, "the state given is not touched"


def test_after_a_boot_all_that_counts_for_a_time_ran_out() -> None:
    bed = Bed().tell(0, blood_pressure="normal", oxygen="nasal_cannula_high", fever_earlier=True)
    bed.read(0, 3840)
    bed.state = grader.after_boot(bed.state, DEFAULT)
    assert bed.state[st.TOLD] == [
        ["fever_earlier", True, 0, 0],
        ["oxygen", "nasal_cannula_high", 0, 1],
    ]
    told = bed.read(10, 3840)
    assert interval(told) == (1, 4)
    assert told.reasons[-2:] == (codes.R_HELD_3, codes.R_CONTEXT_AGE_UNKNOWN)
    bed.tell(20, oxygen="nasal_cannula_high")
    told = bed.read(30, 3840)
    assert interval(told) == (3, 4)
    assert not {codes.R_HELD_3, codes.R_CONTEXT_AGE_UNKNOWN} & set(told.reasons)


def test_a_boot_that_makes_nothing_run_out_says_nothing() -> None:
    bed = Bed().tell(0, fever_earlier=True)
    bed.state = grader.after_boot(bed.state, DEFAULT)
    assert bed.state[st.FLAGS] == 0
    assert codes.R_CONTEXT_AGE_UNKNOWN not in bed.read(10, 3840).reasons


def test_a_fever_that_was_told_latches_and_is_named_while_none_is_present() -> None:
    bed = Bed().tell(0, fever_earlier=True)
    told = bed.read(0, 3700)
    assert bed.state[st.LATCH] == 1
    assert told.reasons == (codes.R_BELOW_AT_AXILLA, codes.R_FEVER_EARLIER)
    assert codes.MISSING_FEVER_EARLIER not in told.missing
    assert codes.R_FEVER_EARLIER not in bed.read(1_000, 3840).reasons
    assert Bed().tell(0, fever_earlier=False).state[st.LATCH] == 0


def test_the_febrile_flag_goes_by_the_last_usable_temperature() -> None:
    bed = Bed().tell(0, oxygen="nasal_cannula_low")
    for at_ms, temp_cc, is_febrile in ((0, 3840, True), (1, None, True), (2, 3700, False), (3, None, False)):
        bed.read(at_ms, temp_cc)
        assert bool(bed.state[st.FLAGS] & st.FEBRILE) is is_febrile


def test_a_signed_end_of_the_episode_starts_the_next_one() -> None:
    bed = Bed().tell(0, oxygen="nasal_cannula_high", anticytokine=True)
    bed.read(0, 3840)
    bed.read(4 * HOUR + 1, 3841)
    assert (bed.state[st.LATCH], bed.state[st.HELD]) == (1, 3)
    bed.tell(4 * HOUR + 2, episode_closed=True, blood_pressure="normal")
    assert (bed.state[st.LATCH], bed.state[st.HELD], bed.state[st.LOWER]) == (0, 0, None)
    assert bed.told_keys() == ["blood_pressure"]
    told = bed.read(5 * HOUR, 3700)
    told = bed.read(5 * HOUR + 10 * MIN, 3701)
    assert (told.fever, told.reasons) == (codes.FEVER_NOT_MET, (codes.R_BELOW_AT_AXILLA,))
    kept = Bed().tell(0, steroid=True).tell(1, episode_closed=False)
    assert kept.told_keys() == ["steroid"]


def test_the_lowest_grade_follows_what_is_measured_and_not_what_is_lost() -> None:
    bed = Bed().tell(0, blood_pressure="hypotension")
    bed.read(0, 3840)
    assert bed.state[st.LOWER] == 2
    bed.read(1, None)
    assert bed.state[st.LOWER] == 2
    bed.tell(2, blood_pressure="normal")
    bed.read(3, 3840)
    assert bed.state[st.LOWER] == 1


def test_the_alarm_conditions_get_the_bits_of_what_was_told() -> None:
    assert bedside.signs(grader.new_state(), DEFAULT) == 0
    bed = Bed().tell(0, blood_pressure="hypotension")
    assert bedside.signs(bed.state, DEFAULT) == bits_of.of_entries(bed.state[st.TOLD], DEFAULT)
    assert bedside.signs(bed.state, DEFAULT) & TOLD_HYPOTENSION


def test_what_was_worked_out_by_other_rules_is_not_used() -> None:
    bed = Bed()
    bed.read(0, 3850, spo2=930)
    bed.tell(0, **SEEN)
    assert interval(bed.read(1, 3850, spo2=930)) == (1, 1)
    stricter = DEFAULT._replace(spo2_need_tenths=940)
    status = make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)
    _, told = grader.step(bed.state, Reading(2, 3850, 930, 80, 150, status), 2, stricter)
    assert interval(told) == (1, 4)


@pytest.mark.parametrize(
    ("temp_cc", "told", "counts_ms"),
    [(3700, {}, 4 * HOUR), (3840, {}, HOUR), (3700, {"steroid": True}, HOUR)],
)
def test_what_reassures_counts_four_hours_and_one_while_febrile_or_masked(
    temp_cc: int, told: dict, counts_ms: int
) -> None:
    bed = Bed()
    bed.read(0, temp_cc)
    bed.tell(0, blood_pressure="normal", **told)
    bed.read(counts_ms, temp_cc + 1)
    assert "blood_pressure" in bed.told_keys()
    bed.read(counts_ms + 1, temp_cc)
    assert "blood_pressure" not in bed.told_keys()


def test_an_entry_of_the_same_moment_corrects_and_so_does_one_of_an_older_moment() -> None:
    """The wearable knows times as ages only; the host keeps the order, and the last word is the one that counts."""
    bed = Bed().tell(5, oxygen="cpap").tell(5, oxygen="blow_by")
    assert bed.state[st.TOLD] == [["oxygen", "blow_by", 5, 0]]
    bed.tell(4, oxygen="venturi")
    assert bed.state[st.TOLD] == [["oxygen", "venturi", 4, 0], ["rising_need", True, 4, 0]]
    bed.tell(3, oxygen="room_air")
    assert bed.state[st.TOLD] == [["oxygen", "room_air", 3, 0]]


def test_a_wearable_that_has_prepared_needs_the_scale_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets that code go for its heap: every case that a reading can be must have been worked out."""
    expected = {
        (3800, units.SITE_AXILLA): (1, 4),
        (3700, units.SITE_AXILLA): (0, 4),
        (3700, units.SITE_ORAL): (0, 4),
        (3700, units.SITE_SKIN): (0, 4),
    }
    grader._intervals.clear()
    grader.prepare()
    monkeypatch.setattr("crs_core.grade.astct.from_sensors", None)
    for latch in (0, 1):
        for (temp_cc, site), bounds in expected.items():
            bed = Bed()
            bed.state[st.LATCH] = latch
            told = bed.read(0, temp_cc, site=site)
            assert interval(told) == bounds
            assert (codes.MISSING_FEVER_EARLIER in told.missing) is (not latch and temp_cc < 3800)
    assert len(grader._intervals) == 6
