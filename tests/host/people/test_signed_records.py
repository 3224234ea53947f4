"""Signed grades, deaths and ends of an episode: what counts, what never does, and which code stands with it."""

import pytest
from crs_core import context

from host_agent.people.signed_records import SCALE_VERSIONS, death_in_force, signed
from tests.host.people.people_world import HOUR_MS


def grade(world, value, scale="ASTCT", signer=None, **change):
    values = {"scale": scale, "scale_version": SCALE_VERSIONS[scale], "grade": value, **change}
    return world.sign(signer or world.doctor, "grade", values)


def records(world, binding=1):
    return world.store.read_now(lambda tx: signed(tx, binding))


def in_force(world):
    return world.store.read_now(lambda tx: death_in_force(tx, 1))


def death(world, cause="crs"):
    return world.sign(world.doctor, "death", {"cause": cause})


@pytest.mark.parametrize(
    "value, code", [(1, "D89.831"), (2, "D89.832"), (3, "D89.833"), (4, "D89.834"), (None, "D89.839")]
)
def test_a_signed_grade_has_its_code(world, value, code):
    grade(world, value)
    (one,) = records(world)
    assert (one.grade, one.icd10cm, one.account, one.scale, one.scale_version) == (
        value, code, "clinician-1", "ASTCT", 2019,
    )  # fmt: skip
    assert world.waiting() == [], "the wearable grades by itself"


def test_a_grade_of_another_syndrome_has_no_code_of_this_one(world):
    grade(world, 3, scale="ICANS")
    assert records(world)[0].icd10cm is None


def test_a_reversed_grade_has_no_code(world):
    one = grade(world, 3)
    world.sign(world.second, "reverse", {"reason": "another cause was found"}, refers_to=one.entry.id)
    (record,) = records(world)
    assert record.icd10cm is None and record.reversed_by == "clinician-2"
    assert record.reversal_reason == "another cause was found"


@pytest.mark.parametrize(
    "change, match",
    [({"grade": 5}, "5 is death"), ({"grade": 0}, "1 to 4"), ({"grade": 6}, "1 to 4"), ({"grade": True}, "1 to 4"),
     ({"grade": "2"}, "1 to 4"), ({"scale": "Seed"}, "scale"), ({"scale": []}, "scale"),
     ({"scale_version": 2014}, "scale_version"), ({"more": 1}, "scale_version and grade")],
)  # fmt: skip
def test_grades_that_cannot_be_signed(world, change, match):
    values = {"scale": "ASTCT", "scale_version": 2019, "grade": 2, **change}
    world.refuses_entry("bad_value", world.doctor, "grade", values, match)
    assert records(world) == []


def test_no_grade_of_five_gets_past_the_store_either(world):
    from host_agent.errors import StoreError

    with pytest.raises(StoreError):
        world.store.write_now(
            lambda tx: tx.execute(
                "INSERT INTO signed_records (audit, entry_id, binding, kind, account, observed_utc_ms,"
                " entered_utc_ms, grade, simulated) VALUES (1, 'x', 1, 'grade', 'nurse-1', 0, 0, 5, 0)"
            )
        )


def test_a_death_counts_only_with_two_clinicians_and_is_told_to_the_wearable_then(world):
    first = death(world)
    assert in_force(world) is None and world.waiting() == [] and records(world)[0].icd10cm is None
    world.sign(world.second, "countersign", {}, refers_to=first.entry.id)
    counted = in_force(world)
    assert counted is not None and counted.countersigned_by == "clinician-2" and counted.icd10cm == "D89.835"
    assert world.waiting() == [{context.DEATH: 1}]
    assert world.queued()[0].observed_utc_ms == first.entry.observed_utc_ms


@pytest.mark.parametrize(
    ("cause", "number", "code"), [("crs", 1, "D89.835"), ("icans", 2, None), ("other", 3, None)]
)
def test_only_a_death_of_this_syndrome_has_its_code(world, cause, number, code):
    first = death(world, cause)
    world.sign(world.second, "countersign", {}, refers_to=first.entry.id)
    assert world.waiting() == [{context.DEATH: number}] and in_force(world).icd10cm == code


def test_one_clinician_cannot_do_both(world):
    first = death(world)
    world.refuses_entry(
        "not_allowed", world.doctor, "countersign", {}, "second clinician", refers_to=first.entry.id
    )
    assert in_force(world) is None and world.waiting() == []


def test_nobody_but_a_clinician_countersigns_or_reverses(world):
    first = death(world)
    for signer in (world.nurse, world.carer):
        world.refuses_entry("not_allowed", signer, "countersign", {}, refers_to=first.entry.id)
        world.refuses_entry("not_allowed", signer, "reverse", {"reason": "x"}, refers_to=first.entry.id)
    assert in_force(world) is None


def test_a_countersignature_by_a_disabled_clinician_does_not_count(world):
    first = death(world)
    world.sign(world.doctor, "account_disable", {"name": "clinician-2"}, patient=None)
    world.refuses_entry("disabled_account", world.second, "countersign", {}, refers_to=first.entry.id)
    assert in_force(world) is None


def test_a_countersignature_about_another_patient_does_not_count(world):
    first = death(world)
    world.refuses_entry(
        "wrong_patient", world.second, "countersign", {}, patient="P-2", refers_to=first.entry.id
    )
    assert in_force(world) is None


@pytest.mark.parametrize("target", ["grade", "close_episode", "nothing"])
def test_only_a_death_is_countersigned(world, target):
    about = {
        "grade": lambda: grade(world, 4).entry.id,
        "close_episode": lambda: world.sign(world.doctor, "close_episode", {}).entry.id,
        "nothing": lambda: "ab" * 16,
    }[target]()
    why = "no_such_entry" if target == "nothing" else "conflict"
    world.refuses_entry(why, world.second, "countersign", {}, refers_to=about)


def test_a_second_countersignature_and_one_with_values_are_refused(world):
    first = death(world)
    world.refuses_entry("bad_value", world.second, "countersign", {"cause": "crs"}, refers_to=first.entry.id)
    world.sign(world.second, "countersign", {}, refers_to=first.entry.id)
    world.refuses_entry("conflict", world.second, "countersign", {}, "already", refers_to=first.entry.id)
    world.refuses_entry("conflict", world.second, "death", {"cause": "other"}, "counts already")


def test_a_reversal_needs_a_reason_takes_the_death_back_and_is_final(world):
    first = death(world)
    world.sign(world.second, "countersign", {}, refers_to=first.entry.id)
    for reason in ("", "  ", "x" * 201, None):
        world.refuses_entry(
            "bad_value", world.doctor, "reverse", {"reason": reason}, refers_to=first.entry.id
        )
    world.refuses_entry("bad_value", world.doctor, "reverse", {}, refers_to=first.entry.id)
    assert in_force(world) is not None
    world.sign(world.doctor, "reverse", {"reason": "entered for another bed"}, refers_to=first.entry.id)
    assert in_force(world) is None and world.waiting() == [{context.DEATH: 1}, {context.DEATH: None}]
    (record,) = records(world)
    assert record.icd10cm is None and record.reversal_reason == "entered for another bed"
    world.refuses_entry("conflict", world.second, "countersign", {}, "reversed", refers_to=first.entry.id)
    world.refuses_entry(
        "conflict", world.doctor, "reverse", {"reason": "x"}, "reversed", refers_to=first.entry.id
    )
    death(world)  # a new one may be signed, and again needs two
    assert in_force(world) is None


def test_a_death_reversed_before_it_counted_never_reaches_the_wearable(world):
    first = death(world)
    world.sign(world.doctor, "reverse", {"reason": "wrong bed"}, refers_to=first.entry.id)
    world.refuses_entry("conflict", world.second, "countersign", {}, refers_to=first.entry.id)
    assert in_force(world) is None and world.waiting() == []


def test_the_end_of_an_episode_is_not_reversed(world):
    closed = world.sign(world.doctor, "close_episode", {})
    world.refuses_entry("conflict", world.doctor, "reverse", {"reason": "x"}, refers_to=closed.entry.id)
    world.refuses_entry("bad_value", world.doctor, "close_episode", {"x": 1})


def test_causes_that_there_are_not_and_dates_too_far_back(world):
    for values in ({"cause": "crs2"}, {}, {"cause": "crs", "more": 1}, {"cause": None}):
        world.refuses_entry("bad_value", world.doctor, "death", values)
    world.refuses_entry("expired", world.doctor, "death", {"cause": "crs"}, ago_ms=168 * HOUR_MS + 1)
    world.refuses_entry("from_future", world.doctor, "death", {"cause": "crs"}, ago_ms=-61_000)


def test_records_of_one_patient_are_not_those_of_another(world):
    grade(world, 2)
    world.sign(world.doctor, "death", {"cause": "crs"}, patient="P-2")
    assert [one.kind for one in records(world)] == ["grade"]
    assert [one.kind for one in records(world, 2)] == ["death"]
