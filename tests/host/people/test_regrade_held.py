"""The host's own grade over time: what counts, what is held, what a loss, a doubt or an expiry leaves."""

import pytest
from crs_core import codes, units
from crs_core.grade import course

from host_agent.views.context_rows import rows_in_force
from tests.host.people.people_world import HOUR_MS, MIN_MS, PROFILE
from tests.host.people.regrade_world import bounds, counting, graded, held, replay


def test_expiry_of_what_reassures_widens_and_never_lowers(world, rows):
    rows.grade(codes.FEVER_NOT_MET, ago_ms=MIN_MS)
    world.enter(world.nurse, temperature_cc=3650, site="oral", blood_pressure="normal", oxygen="room_air",
                vasopressors=[], spo2_tenths=970)  # fmt: skip
    rows.reading()
    lower, upper = bounds(world)
    world.now_ms += 4 * HOUR_MS + 1000
    rows.reading()
    after = bounds(world)
    assert after[0] >= lower and after[1] > upper and held(world) is None


def test_what_a_worrying_entry_made_sure_of_is_held_until_it_is_entered_anew(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=MIN_MS)
    world.enter(world.nurse, blood_pressure="hypotension", vasopressors=["norepinephrine"])
    rows.reading(3850)
    assert bounds(world)[0] == 3 and held(world) is None
    begun = world.now_ms
    world.now_ms += 4 * HOUR_MS + 1
    rows.reading(3850)
    assert bounds(world) == (1, 4)
    found = graded(world).grades["ASTCT"]["held"]
    assert found == {"lower": 3, "utc_ms": begun + 4 * HOUR_MS + 1}
    assert graded(world).grades["Penn"]["held"] is not None
    world.enter(world.nurse, oxygen="room_air")
    assert held(world) == 3, "another key renews nothing"
    world.enter(world.nurse, vasopressors=[])
    assert held(world) == 3, "the pressure is still open"
    world.enter(world.nurse, blood_pressure="normal")
    rows.reading(3850)
    assert held(world) is None and bounds(world)[0] == 1


def test_a_scale_that_only_a_lapsed_entry_opened_still_shows_what_is_held(world, rows):
    world.enter(world.nurse, ice=1)
    lower = bounds(world, "ICANS")[0]
    assert lower == 3
    world.now_ms += 4 * HOUR_MS + 1
    assert held(world, "ICANS") == 3 and bounds(world, "ICANS") == (None, None)


def test_withdrawing_a_worry_is_held_and_correcting_a_mistake_is_not(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=MIN_MS)
    rows.reading(3850)
    wrong = world.enter(world.nurse, oxygen="cpap", ago_ms=MIN_MS)
    assert bounds(world)[0] == 4
    world.enter(world.nurse, corrects=wrong.entry.id, oxygen="nasal_cannula_low")
    assert bounds(world)[0] == 2 and held(world) is None
    world.enter(world.nurse, oxygen=None)
    assert held(world) == 2


def test_a_lost_temperature_lowers_nothing(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=10 * MIN_MS)
    world.enter(world.nurse, blood_pressure="hypotension", vasopressors=[], oxygen="nasal_cannula_low")
    rows.reading(3850)
    before = {name: (one["lower"], one["upper"]) for name, one in graded(world).grades.items()}
    rows.grade(codes.FEVER_UNKNOWN)
    rows.reading(None, None, None, temp_state=units.TEMP_ABSENT, ppg_state=units.PPG_ABSENT)
    after = graded(world)
    assert after.fever == "unknown"
    for name, (lower, upper) in before.items():
        one = after.grades[name]
        assert one["upper"] is None or one["upper"] >= upper, name
        assert name not in ("ASTCT", "CARTOX") or one["lower"] == lower, name


@pytest.mark.parametrize("how", ["button", "saturation", "fever", "worry"])
def test_a_newer_sign_ends_what_reassures(world, rows, how):
    rows.grade(codes.FEVER_NOT_MET, ago_ms=30 * MIN_MS)
    rows.reading(3680, 970, ago_ms=20 * MIN_MS)
    world.enter(world.nurse, ago_ms=15 * MIN_MS, blood_pressure="normal", vasopressors=[], oxygen="room_air")
    assert {"blood_pressure", "oxygen"} <= counting(world)
    if how == "button":
        rows.alarm(codes.PATIENT_BUTTON, ago_ms=5 * MIN_MS)
    elif how == "saturation":
        rows.reading(3680, 905, ago_ms=5 * MIN_MS)
        rows.reading(3680, 960, ago_ms=4 * MIN_MS)
    elif how == "fever":
        rows.grade(codes.FEVER_MET, ago_ms=5 * MIN_MS)
    else:
        rows.grade(codes.FEVER_MET, ago_ms=20 * MIN_MS)
        world.enter(world.nurse, oxygen="face_mask")
    assert counting(world) == ({"oxygen"} if how == "worry" else set())


def test_a_measured_pressure_is_judged_by_age_and_own_usual_pressure_of_the_profile(world, rows):
    assert "systolic_mmhg=130" in PROFILE
    rows.grade(codes.FEVER_MET)
    rows.reading(3850)
    world.enter(world.nurse, systolic_mmhg=98, vasopressors=[])
    assert bounds(world)[0] == 2
    world.now_ms += 4 * HOUR_MS + 1
    assert held(world) == 2, "a low measured pressure is no reassurance that just ends"


def test_a_mask_whose_window_is_over_stays_until_somebody_says_none_since(world, rows):
    world.enter(world.nurse, antipyretic=True)
    world.now_ms += 25 * HOUR_MS
    rows.reading(3650)
    assert replay(world).is_at_risk and graded(world).fever == "masked"
    world.enter(world.nurse, antipyretic=False)
    assert not replay(world).is_at_risk


def test_the_order_of_entering_changes_nothing(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=3 * HOUR_MS)
    rows.reading(3850)
    world.enter(world.nurse, oxygen="nasal_cannula_low", ago_ms=10 * MIN_MS)
    world.enter(world.nurse, oxygen="cpap", ago_ms=100 * MIN_MS)
    assert bounds(world)[0] == 2 and replay(world).answered["oxygen"] == world.now_ms - 10 * MIN_MS - 1000


def test_the_same_course_is_graded_as_the_grader_s_own_course(world, rows):
    """Step for step against `cytowatch grade --sequence`, which runs the wearable's machines."""
    start = world.now_ms
    rows.started(0)
    steps, grades = [], []
    plan = [
        (0, codes.FEVER_NOT_MET, 3700, {"temperature_cc": 3700, "site": "oral", "spo2_tenths": 970}),
        (10, None, None, {"blood_pressure": "normal", "vasopressors": [], "oxygen": "room_air"}),
        (30, codes.FEVER_MET, 3860, {"temperature_cc": 3860, "site": "oral", "spo2_tenths": 960}),
        (40, None, None, {"blood_pressure": "hypotension", "vasopressors": ["norepinephrine"]}),
        (50, None, None, {"oxygen": "face_mask"}),
        (290, codes.FEVER_MET, 3860, {"temperature_cc": 3860, "site": "oral", "spo2_tenths": 960}),
        (300, None, None, {"oxygen": "room_air"}),
        (301, None, None, {"blood_pressure": "normal", "vasopressors": []}),
    ]
    own = {"age_months": 54 * 12, "baseline_systolic_mmhg": 130}
    for minutes, fever, temp_cc, inputs in plan:
        world.now_ms = start + minutes * MIN_MS
        if fever is None:
            world.sign(world.nurse, "context", inputs)
        else:
            rows.grade(fever, why=codes.R_BELOW if fever == codes.FEVER_NOT_MET else None)
            rows.reading(temp_cc, inputs["spo2_tenths"], None, site=units.SITE_ORAL)
        steps.append({"at_ms": minutes * MIN_MS, "inputs": {**(own if not steps else {}), **inputs}})
        grades.append(graded(world).grades)
    for said, mine in zip(course.run(steps), grades, strict=True):
        for name, grade in mine.items():
            theirs = said["grades"][name]
            where = (said["at_ms"], name)
            assert (grade["lower"], grade["upper"]) == (theirs["lower"], theirs["upper"]), where
            assert (grade["held"] or {}).get("lower") == theirs.get("held", {}).get("lower"), where


def test_a_loss_and_its_return_are_no_rise_and_doubt_nothing(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=60 * MIN_MS)
    world.enter(world.nurse, ago_ms=30 * MIN_MS, blood_pressure="normal", oxygen="room_air")
    rows.grade(codes.FEVER_UNKNOWN, ago_ms=20 * MIN_MS)
    rows.grade(codes.FEVER_MET, ago_ms=10 * MIN_MS)
    assert {"blood_pressure", "oxygen"} <= counting(world)


def test_a_fever_that_begins_doubts_also_what_was_entered_after_the_last_worry(world, rows):
    rows.grade(codes.FEVER_NOT_MET, ago_ms=60 * MIN_MS)
    world.enter(world.nurse, ago_ms=30 * MIN_MS, blood_pressure="hypotension")
    world.enter(world.nurse, ago_ms=20 * MIN_MS, oxygen="room_air")
    assert "oxygen" in counting(world)
    rows.grade(codes.FEVER_MET, ago_ms=10 * MIN_MS)
    assert sorted(counting(world)) == ["blood_pressure"]


def test_what_reassures_counts_for_four_hours_again_once_a_fever_is_over(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=5 * HOUR_MS)
    world.enter(world.nurse, ago_ms=2 * HOUR_MS, oxygen="room_air")
    assert replay(world).entered == [] and replay(world).is_at_risk
    rows.grade(codes.FEVER_NOT_MET, ago_ms=4 * HOUR_MS)
    assert sorted(counting(world)) == ["oxygen"]


def test_what_lapsed_before_the_fever_had_made_sure_of_nothing(world, rows):
    world.enter(world.nurse, ago_ms=3 * HOUR_MS, blood_pressure="hypotension")
    world.now_ms += 2 * HOUR_MS
    rows.grade(codes.FEVER_MET, ago_ms=30 * MIN_MS)
    assert "ASTCT" not in replay(world).held
    rows.write("DELETE FROM grades")
    rows.grade(codes.FEVER_MET, ago_ms=90 * MIN_MS)
    assert replay(world).held["ASTCT"].lower == 2
    assert replay(world).held["ASTCT"].utc_ms == world.now_ms - HOUR_MS + 1


@pytest.mark.parametrize(
    "after_ms, is_febrile, keys",
    [
        (HOUR_MS, True, {"oxygen", "ice"}), (HOUR_MS + 1, True, {"oxygen"}), (HOUR_MS + 1, False, {"oxygen", "ice"}),
        (4 * HOUR_MS, False, {"oxygen", "ice"}), (4 * HOUR_MS + 1, False, set()),
    ],
)  # fmt: skip
def test_what_expired_is_unknown_and_no_longer_in_the_case(world, rows, after_ms, is_febrile, keys):
    rows.grade(codes.FEVER_MET if is_febrile else codes.FEVER_NOT_MET, ago_ms=MIN_MS)
    world.enter(world.nurse, oxygen="cpap", ice=10)
    world.now_ms += after_ms
    assert set(replay(world).inputs({})) - {"fever_earlier", "age_months", "baseline_systolic_mmhg"} == keys


def test_complete_is_written_out_and_a_correction_by_it_leaves_nothing_of_what_it_corrects(world, rows):
    first = world.enter(world.nurse, oxygen="cpap", systolic_mmhg=84, ago_ms=MIN_MS)
    world.enter(world.nurse, corrects=first.entry.id, context="complete", ice=8)
    inputs = replay(world).inputs({})
    assert (inputs["oxygen"], inputs["blood_pressure"], inputs["ice"]) == ("room_air", "normal", 8)
    assert "systolic_mmhg" not in inputs and "context" not in inputs and held(world) is None


WORSE_AND_LESS = [
    ({"oxygen": "nasal_cannula_high"}, {"oxygen": "nasal_cannula_low"}), ({"oxygen": "cpap"}, {"oxygen": "face_mask"}),
    ({"oxygen": "nasal_cannula_high", "flow_lpm": 40}, {"oxygen": "nasal_cannula_low", "flow_lpm": 2}),
    ({"vasopressors": ["norepinephrine", "epinephrine"]}, {"vasopressors": ["norepinephrine"]}),
    ({"consciousness": "unarousable"}, {"consciousness": "voice"}), ({"seizure": "prolonged"}, {"seizure": "brief"}),
    ({"ice": 0}, {"ice": 8}), ({"organ_grade": 4}, {"organ_grade": 2}), ({"capd": 20}, {"capd": 9}),
]  # fmt: skip
MEASURED = [
    ({"temperature_cc": 4010, "site": "oral"}, {"temperature_cc": 3810, "site": "oral"}),
    ({"spo2_tenths": 800}, {"spo2_tenths": 900}), ({"hr_bpm": 160}, {"hr_bpm": 125}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("worse", "less", "gone_ms"),
    [(*one, gone_ms) for one in WORSE_AND_LESS for gone_ms in (0, 5 * HOUR_MS)]
    + [(*one, 0) for one in MEASURED],
)
def test_a_lesser_worry_of_no_known_time_takes_the_place_of_no_worse_one(world, rows, worse, less, gone_ms):
    rows.grade(codes.FEVER_MET, ago_ms=MIN_MS)
    world.enter(world.nurse, **worse)
    world.now_ms += gone_ms
    before, inputs, worst = bounds(world), replay(world).inputs({}), held(world)
    world.now_ms += 48 * HOUR_MS
    world.enter(world.nurse, **less)
    world.now_ms -= 48 * HOUR_MS
    assert bounds(world)[0] == before[0] and held(world) == worst
    assert {key: replay(world).inputs({}).get(key) for key in worse} == {
        key: inputs.get(key) for key in worse
    }


@pytest.mark.parametrize(("worse", "less"), WORSE_AND_LESS + MEASURED)
def test_a_greater_worry_of_no_known_time_counts(world, rows, worse, less):
    world.enter(world.nurse, **less)
    world.now_ms += 48 * HOUR_MS
    world.enter(world.nurse, **worse)
    world.now_ms -= 48 * HOUR_MS
    inputs = replay(world).inputs({})
    assert {key: inputs.get(key) for key in worse} == worse


def test_of_an_entry_dated_ahead_of_the_clock_only_what_worries_counts(world, rows):
    def in_force():
        found = world.store.read_now(lambda tx: rows_in_force(tx, 1, world.now_ms))
        return {row["key"]: (row["age_s"], row["expired"]) for row in found}

    rows.grade(codes.FEVER_MET, ago_ms=MIN_MS)
    world.enter(world.nurse, antipyretic=True)
    alone = bounds(world)
    world.now_ms += 2 * 24 * HOUR_MS
    world.enter(world.nurse, blood_pressure="normal", oxygen="room_air", vasopressors=[], ice=10, antipyretic=False,
                temperature_cc=3650, site="oral")  # fmt: skip
    world.enter(world.nurse, context="complete", systolic_mmhg=130)
    world.enter(world.nurse, corrects=world.enter(world.nurse, ice=10).entry.id, ice=8)
    world.now_ms -= 2 * 24 * HOUR_MS
    assert bounds(world) == alone and counting(world) == {"antipyretic", "ice"}
    assert in_force()["oxygen"] == (None, True) and in_force()["ice"] == (None, False)
    world.now_ms += 2 * 24 * HOUR_MS
    world.enter(world.nurse, systolic_mmhg=84, oxygen="cpap")
    world.now_ms -= 2 * 24 * HOUR_MS
    assert bounds(world)[0] >= 3 and replay(world).inputs({})["blood_pressure"] == "hypotension"
    # what is entered afterwards by the clock that is right now is newer
    world.enter(world.nurse, blood_pressure="normal", oxygen="room_air")
    inputs = replay(world).inputs({})
    assert (inputs["blood_pressure"], inputs["oxygen"]) == ("normal", "room_air")
