"""The host's own grade over a real store: what counts, what is held, what a loss or an expiry leaves."""

import pytest
from crs_core import codes, units
from crs_core.grade import course
from crs_core.grade.rules import DEFAULT

from host_agent.people.regrade import regrade, replayed
from host_agent.people.wearable_says import fresh
from host_agent.sync.timebase import record_time
from tests.host.people.people_world import HOUR_MS, MIN_MS, PROFILE
from tests.host.people.wearable_rows import WearableRows

DAY_MS = 24 * HOUR_MS


@pytest.fixture
def rows(world):
    return WearableRows(world)


def graded(world):
    return world.store.read_now(lambda tx: regrade(tx, 1, world.now_ms, record_time))


def bounds(world, scale="ASTCT"):
    grade = graded(world).grades[scale]
    return grade["lower"], grade["upper"]


def held(world, scale="ASTCT"):
    found = graded(world).grades[scale]["held"]
    return found and found["lower"]


def replay(world):
    return world.store.read_now(lambda tx: replayed(tx, 1, DEFAULT, world.now_ms, record_time))


def counting(world):
    """The keys of the entries that count now."""
    return {entry[0] for entry in replay(world).entered}


# -- what the wearable answers ----------------------------------------------------------------------------------------


def sensors(world):
    return world.store.read_now(lambda tx: fresh(tx, 1, DEFAULT, world.now_ms, record_time))


def test_the_newest_reading_answers_while_it_is_fresh(world, rows):
    rows.reading(3712, 965, 91, ago_ms=10_000)
    assert sensors(world)[0] == {"temperature_cc": 3712, "site": "axilla", "spo2_tenths": 965, "hr_bpm": 91}
    assert sensors(world)[1] == {"temperature_cc": 10_000, "spo2_tenths": 10_000}
    for age_ms, keys in (
        (DEFAULT.grade_ppg_max_age_ms, {"temperature_cc", "site", "spo2_tenths", "hr_bpm"}),
        (DEFAULT.grade_ppg_max_age_ms + 1, {"temperature_cc", "site"}),
        (DEFAULT.grade_temp_max_age_ms, {"temperature_cc", "site"}),
        (DEFAULT.grade_temp_max_age_ms + 1, set()),
    ):
        moved = world.now_ms
        world.now_ms += age_ms - 10_000
        assert set(sensors(world)[0]) == keys, age_ms
        world.now_ms = moved


@pytest.mark.parametrize(
    "change, keys",
    [({"temp_state": units.TEMP_SETTLING}, {"spo2_tenths", "hr_bpm"}),
     ({"temp_state": units.TEMP_OFF_BODY}, {"spo2_tenths", "hr_bpm"}), ({"wear": units.WEAR_OFF}, set()),
     ({"ppg_state": units.PPG_MOTION}, {"temperature_cc", "site"}),
     ({"ppg_state": units.PPG_LOW_PERFUSION}, {"temperature_cc", "site"}), ({"boot": 7}, set()),
     ({"ago_ms": -10 * MIN_MS}, set()), ({"site": units.SITE_NONE}, {"spo2_tenths", "hr_bpm"})],
)  # fmt: skip
def test_what_may_not_be_graded_answers_nothing(world, rows, change, keys):
    rows.reading(**change)
    assert set(sensors(world)[0]) == keys


def test_a_temperature_lost_since_is_not_kept_and_a_saturation_is_for_its_time(world, rows):
    rows.reading(ago_ms=60_000)
    rows.reading(None, None, None, temp_state=units.TEMP_ABSENT, ppg_state=units.PPG_MOTION)
    assert sensors(world)[0] == {"spo2_tenths": 970, "hr_bpm": 84}


def test_a_thermometer_that_stands_still_by_the_wearables_own_word_answers_nothing(world, rows):
    rows.reading()
    rows.grade(codes.FEVER_UNKNOWN, why=codes.R_TEMP_FLAT)
    assert set(sensors(world)[0]) == {"spo2_tenths", "hr_bpm"}


# -- grades -----------------------------------------------------------------------------------------------------


def test_without_an_entry_there_is_no_grade_of_the_host(world, rows):
    rows.reading(3890)
    found = graded(world)
    assert found.grades == {} and found.fever == "met"


def test_every_scale_is_graded_over_entries_and_readings(world, rows):
    rows.reading(3890, 960)
    world.enter(world.nurse, blood_pressure="hypotension", vasopressors=["norepinephrine"], oxygen="room_air")
    found = graded(world)
    assert set(found.grades) == {"ASTCT", "Lee14", "v5", "v6", "Penn", "CARTOX", "MSKCC"}
    astct = found.grades["ASTCT"]
    assert (astct["lower"], astct["upper"], astct["status"], astct["missing"]) == (3, 3, "provisional", [])
    assert astct["held"] is None
    assert astct["data_age"] == {"temp_age_ms": 1000, "ppg_age_ms": 1000, "oldest_entry_age_ms": 0}
    world.enter(world.nurse, ice=4)
    assert "ICANS" in graded(world).grades


def test_any_source_at_the_limit_is_met_and_a_lower_one_does_not_cancel_it(world, rows):
    rows.reading(3700)
    world.enter(world.nurse, temperature_cc=3800, site="oral")
    assert graded(world).fever == "met"
    world.enter(world.nurse, temperature_cc=3650, site="oral")
    assert graded(world).fever == "met", "nor does a lower one of the same site, while the first still counts"
    rows.reading(3801)
    assert graded(world).fever == "met"
    assert graded(world).grades["ASTCT"]["lower"] == 1


def test_the_mouth_settles_what_the_axilla_leaves_open(world, rows):
    rows.reading(3770)
    world.enter(world.nurse, oxygen="room_air")
    assert graded(world).fever == "possible"
    world.enter(world.nurse, temperature_cc=3799, site="oral")
    assert graded(world).fever == "not_met"


def test_a_fever_of_the_episode_stays_until_a_clinician_signs_its_end(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=20 * HOUR_MS)
    rows.grade(codes.FEVER_NOT_MET, ago_ms=19 * HOUR_MS)
    rows.reading()
    world.enter(world.nurse, blood_pressure="hypotension", vasopressors=[])
    assert bounds(world)[0] == 2 and replay(world).is_latched
    world.sign(world.doctor, "close_episode", {})
    assert not replay(world).is_latched and bounds(world)[0] == 0


def test_a_statement_about_a_fever_does_not_cover_the_next_one(world, rows):
    world.enter(world.doctor, fever_other_cause=True, ago_ms=30 * MIN_MS)
    rows.grade(codes.FEVER_MET, ago_ms=20 * MIN_MS)
    assert replay(world).is_latched, "it crossed after the statement, which was about an earlier one"
    assert "fever_other_cause" not in replay(world).inputs({})


def test_a_statement_about_the_present_fever_counts_for_an_hour(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=20 * MIN_MS)
    world.enter(world.doctor, fever_other_cause=True, ago_ms=10 * MIN_MS)
    assert "fever_other_cause" in replay(world).inputs({})
    assert replay(world).is_latched, "what was met before it stays met until the episode is signed closed"
    world.now_ms += HOUR_MS
    assert "fever_other_cause" not in replay(world).inputs({})


def test_an_undated_fever_counts_and_an_undated_end_of_it_does_not(world, rows):
    rows.grade(codes.FEVER_MET, boot=9)
    rows.grade(codes.FEVER_NOT_MET, boot=9)
    assert replay(world).is_latched and replay(world).is_at_risk


def test_a_five_comes_from_the_signed_death_alone(world, rows):
    rows.reading(4100, 800, 180)
    world.enter(world.nurse, vasopressors=["norepinephrine", "epinephrine"], oxygen="invasive_ventilation")
    death = world.sign(world.doctor, "death", {"cause": "crs"})
    assert all(grade["upper"] <= 4 for grade in graded(world).grades.values()), "not countersigned"
    world.sign(world.second, "countersign", {}, refers_to=death.entry.id)
    found = graded(world)
    assert (found.grades["ASTCT"]["lower"], found.grades["ASTCT"]["status"]) == (5, "signed")
    assert found.prompts.due == found.prompts.missed == []
    world.sign(world.doctor, "reverse", {"reason": "wrong patient"}, refers_to=death.entry.id)
    assert bounds(world) == (4, 4)


def test_no_computed_grade_carries_a_code(world, rows):
    rows.reading(3890)
    world.enter(world.nurse, oxygen="cpap")
    for grade in graded(world).grades.values():
        assert "D89" not in repr(grade) and "icd" not in repr(grade).lower()


# -- expiry, held, doubt ----------------------------------------------------------------------------------------------


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
    world.now_ms += DAY_MS + HOUR_MS
    rows.reading(3650)
    assert replay(world).is_at_risk and graded(world).fever == "masked"
    world.enter(world.nurse, antipyretic=False)
    assert not replay(world).is_at_risk


def test_the_order_of_entering_changes_nothing(world, rows):
    rows.grade(codes.FEVER_MET, ago_ms=3 * HOUR_MS)
    rows.reading(3850)
    world.enter(world.nurse, oxygen="nasal_cannula_low", ago_ms=10 * MIN_MS)
    world.enter(world.nurse, oxygen="cpap", ago_ms=100 * MIN_MS)
    assert bounds(world)[0] == 2
    assert replay(world).answered["oxygen"] == world.now_ms - 10 * MIN_MS - 1000


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
