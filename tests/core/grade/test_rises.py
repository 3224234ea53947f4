"""What a rise takes away and what a baseline learns: the decisions in which several things happen at once."""

from crs_core import codes, units
from crs_core.grade import alarm_state as st
from crs_core.grade import alarms, case, grader, grader_state, scale
from crs_core.grade.rules import DEFAULT
from crs_core.grade.scales import SCALES

from tests.fakes.bed import Bed, interval
from tests.fakes.one_step import AT_ONCE, NOW_MS, QUIET, bound


def test_a_rise_of_the_temperature_counts_from_itself_and_not_from_an_older_worry() -> None:
    """The pressure was seen after the seizure and before the fever: of the fever it says nothing."""
    bed = Bed().tell(5_000, seizure="brief").tell(6_000, blood_pressure="normal")
    bed.read(7_000, 3700)
    bed.read(10_000, 3850)
    assert bed.told_keys() == ["seizure"]


def test_a_low_pressure_that_was_judged_is_where_a_rise_came_from() -> None:
    """The host judges a measured pressure and says "hypotension": a figure alone takes no older reassurance away."""
    for entered, left in (
        ({"blood_pressure": "hypotension"}, ["age_months", "blood_pressure"]),
        (
            {"blood_pressure": "hypotension", "systolic_mmhg": 85},
            ["age_months", "blood_pressure", "systolic_mmhg"],
        ),
        ({"systolic_mmhg": 85}, ["age_months", "systolic_mmhg", "vasopressors"]),
    ):
        bed = Bed()
        bed.read(0, 3850)
        bed.tell(1_000, vasopressors=[], age_months=600)
        bed.read(2_000, 3851)
        bed.tell(5_000, **entered)
        told = bed.read(10_000, 3852)
        assert told.lower == 2
        assert bed.told_keys() == left


def test_a_boot_keeps_a_judged_low_pressure_as_a_worry_and_drops_what_was_measured() -> None:
    bed = Bed().tell(
        0,
        blood_pressure="hypotension",
        systolic_mmhg=85,
        temperature_cc=3700,
        site="oral",
        steroid=True,
        age_months=600,
    )
    state = grader.after_boot(bed.state, DEFAULT)
    assert state[grader_state.TOLD] == [
        ["age_months", 600, 0, 0],
        ["blood_pressure", "hypotension", 0, 1],
        ["steroid", True, 0, 1],
    ]


def test_the_graders_baseline_does_not_learn_from_a_rise_or_a_high_level() -> None:
    limit_cc = 3600 + DEFAULT.rise_cc
    for temp_cc, site, is_learnt in (
        (limit_cc - 1, units.SITE_AXILLA, True),
        (limit_cc, units.SITE_AXILLA, False),
        (3750, units.SITE_AXILLA, False),
        (3600, units.SITE_ORAL, False),
    ):
        bed = Bed()
        bed.state[grader_state.BASELINE] = 3600 << 10
        bed.state[grader_state.BASELINE + 1] = DEFAULT.baseline_ready_min
        bed.read(0, temp_cc, site=site)
        assert (bed.state[grader_state.BASELINE + 1] > DEFAULT.baseline_ready_min) is is_learnt


def test_the_clock_of_a_question_stays_whole_while_it_drains() -> None:
    """Integers decide: a fraction in a state could not be written down."""
    state = bound(FEVER=0)
    state[st.FEVER + 2] = 1
    state[st.MEASURE_BP + 1] = 777
    after, _ = alarms.step(state, QUIET._replace(temp_cc=3800, hr_bpm=120), NOW_MS, AT_ONCE)
    assert type(after[st.MEASURE_BP + 1]) is int
    assert 0 <= after[st.MEASURE_BP + 1] < 777


def test_another_reading_of_a_row_counts_behind_a_gate_too() -> None:
    rows = (scale.Row("row", ("a",), ((2, (("a", 1),)),), ()),)
    made = scale.make(1, "S", 2000, rows, (("g", "yes"),))
    possible = {"a": (0, 1), "g": ("yes",)}
    assert scale.interval(made, possible) == (0, 2)
    assert scale.interval(made, possible, ("row", 3)) == (3, 3)
    assert scale.interval(made, possible | {"g": ("no", "yes")}, ("row", 3)) == (0, 3)
    assert scale.interval(made, possible | {"g": ("no",)}, ("row", 3)) == (0, 0)


def test_a_reading_whose_condition_only_it_reads_goes_by_the_measured_pressure() -> None:
    inputs = {
        "temperature_cc": 3840,
        "site": "oral",
        "systolic_mmhg": 85,
        "age_months": 600,
        "context": "complete",
    }
    inputs["fluids_for_bp"] = "multiple"
    together = case.assess(inputs)["grades"]
    for one in SCALES:
        assert case.assess_scale(one, inputs, DEFAULT, {}) == together[one.name]
    assert together["MSKCC"]["ambiguous"] and together["Penn"]["ambiguous"]


def test_a_mask_settles_that_no_temperature_would_help() -> None:
    bed = Bed().tell(0, steroid=True, fever_earlier=False)
    assert codes.MISSING_TEMPERATURE not in bed.read(0, 3700).missing
    assert codes.MISSING_TEMPERATURE in bed.tell(1, steroid=False).read(2, 3701).missing


def test_after_a_fever_the_higher_rows_need_no_present_one() -> None:
    bed = Bed()
    bed.read(0, 3850, site=units.SITE_ORAL)
    bed.tell(1, blood_pressure="hypotension")
    told = bed.read(2, 3700, site=units.SITE_ORAL)
    assert (interval(told), told.fever) == ((2, 4), codes.FEVER_NOT_MET)
    never = Bed().tell(1, blood_pressure="hypotension", fever_earlier=False)
    assert interval(never.read(2, 3700, site=units.SITE_ORAL)) == (0, 0)


def test_each_clock_of_a_temperature_is_reset_by_its_own_time() -> None:
    rules = DEFAULT._replace(fever_reset_ms=2_000, possible_reset_ms=1_000, fever_end_ms=10**6)
    for slot, reset_ms in (("FEVER", 2_000), ("HIGH_TEMP", 2_000), ("POSSIBLE", 1_000), ("RISE", 1_000)):
        state = bound(**{slot: 0})
        state[st.BASELINE], state[st.BASELINE + 1] = 3700 << 10, DEFAULT.baseline_ready_min
        for second in range(1, 4):
            state, _ = alarms.step(state, QUIET, NOW_MS + 1_000 * (second - 1), rules)
            assert (state[getattr(st, slot)] is None) is (1_000 * second >= reset_ms), slot


def test_each_clock_of_a_temperature_ends_after_the_end_time() -> None:
    rules = DEFAULT._replace(fever_reset_ms=1_000, possible_reset_ms=1_000, fever_end_ms=2_000)
    for slot in ("FEVER", "HIGH_TEMP", "POSSIBLE", "RISE"):
        state = bound(**{slot: 0})
        state[getattr(st, slot) + 2] = 1
        state[st.BASELINE], state[st.BASELINE + 1] = 3700 << 10, DEFAULT.baseline_ready_min
        after, _ = alarms.step(state, QUIET, NOW_MS, rules)
        assert after[getattr(st, slot) + 2] == 1, slot
        after, _ = alarms.step(after, QUIET, NOW_MS + 1_000, rules)
        assert after[getattr(st, slot) + 2] == 0, slot


def test_a_grader_that_was_told_nothing_keeps_its_lowest_grade_for_what_it_may_be_told() -> None:
    bed = Bed()
    assert bed.state[grader_state.LOWER] is None and bed.state[grader_state.HELD] == 0
    bed.read(0, 3840)
    assert bed.state[grader_state.LOWER] == 1
    bed.read(1, None)
    assert bed.state[grader_state.LOWER] == 1, "a loss is no fall"
    bed.read(2, 3700)
    assert bed.state[grader_state.LOWER] == 0


def test_a_boot_forgets_when_and_keeps_what() -> None:
    state: list = [*range(100, 119), [], 120]
    after = grader.after_boot(state, DEFAULT)
    forgotten = {
        grader_state.LAST,
        grader_state.TEMP_AT,
        grader_state.PPG_AT,
        grader_state.FLAT_CC,
        grader_state.FLAT_SINCE,
        grader_state.BASELINE + 2,
    }
    assert after == [None if at in forgotten else value for at, value in enumerate(state)]


def test_a_judged_low_pressure_that_is_withdrawn_is_kept_as_a_worry_and_a_figure_is_not() -> None:
    bed = Bed().tell(0, blood_pressure="hypotension", systolic_mmhg=85)
    bed.tell(1, blood_pressure=None, systolic_mmhg=None)
    assert bed.state[grader_state.TOLD] == [["blood_pressure", "hypotension", 0, 1]]
    for systolic_mmhg in (85, 95):
        bed = Bed().tell(0, systolic_mmhg=systolic_mmhg).tell(1, systolic_mmhg=None)
        assert bed.told_keys() == []
    assert Bed().tell(0, blood_pressure="normal").tell(1, blood_pressure=None).told_keys() == []


def test_a_grader_that_was_told_nothing_remembers_whether_it_is_febrile_and_names_the_site() -> None:
    bed = Bed()
    for at_ms, temp_cc, is_febrile in ((0, 3840, True), (1, None, True), (2, 3700, False), (3, None, False)):
        told = bed.read(at_ms, temp_cc, site=units.SITE_ORAL)
        assert bool(bed.state[grader_state.FLAGS] & grader_state.FEBRILE) is is_febrile
    assert codes.R_BELOW in Bed().read(0, 3700, site=units.SITE_ORAL).reasons
    assert told.fever == codes.FEVER_UNKNOWN


def test_a_ready_baseline_goes_on_learning_below_a_rise() -> None:
    state = bound()
    state[st.BASELINE], state[st.BASELINE + 1] = 3600 << 10, DEFAULT.baseline_ready_min
    after, _ = alarms.step(state, QUIET._replace(temp_cc=3600 + DEFAULT.rise_cc - 1), NOW_MS, AT_ONCE)
    assert after[st.BASELINE + 1] == DEFAULT.baseline_ready_min + 1


def test_a_full_clock_of_a_question_is_whole() -> None:
    rules = AT_ONCE._replace(measure_bp_ms=1_000)
    after, _ = alarms.step(bound(), QUIET._replace(temp_cc=3800, hr_bpm=121), NOW_MS, rules)
    assert (type(after[st.MEASURE_BP + 1]), after[st.MEASURE_BP + 1], after[st.MEASURE_BP + 2]) == (
        int,
        100,
        1,
    )
