"""The host's own grade over a real store: what the wearable answers and how every scale is graded."""

import pytest
from crs_core import codes, units
from crs_core.grade.rules import DEFAULT

from tests.host.people.people_world import HOUR_MS, MIN_MS
from tests.host.people.regrade_world import bounds, graded, replay, sensors

# -- what the wearable answers ----------------------------------------------------------------------------------------


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
    assert graded(world).fever == "met" and graded(world).grades["ASTCT"]["lower"] == 1


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
