"""Limits of one patient: signed with a reason, inside the bounds, on top of the site's rules, and judged by."""

import pytest
from crs_core import context
from crs_core.grade.rules import DEFAULT

from host_agent.people.asking import EntryRefused
from host_agent.people.chain_check import verify
from host_agent.people.limits import NAMES, limits_of, rules_for


def sign(world, limits, reason="lives at 2600 m", signer=None, **change):
    return world.sign(signer or world.doctor, "limits", {"limits": limits, "reason": reason}, **change)


def rules(world, binding=1):
    return world.store.read_now(lambda tx: rules_for(tx, binding))


def test_limits_lie_on_top_of_the_default_for_that_patient_alone_and_the_newest_count(world):
    assert rules(world) == DEFAULT
    sign(world, {"spo2_medium_tenths": 900, "spo2_slow_tenths": 880})
    assert rules(world) == DEFAULT._replace(spo2_medium_tenths=900, spo2_slow_tenths=880)
    sign(world, {"hr_high_bpm": 130})
    assert rules(world) == DEFAULT._replace(hr_high_bpm=130) and rules(world, 2) == DEFAULT
    assert world.store.read_now(lambda tx: limits_of(tx, 1)) == {"hr_high_bpm": 130}


def test_limits_lie_on_top_of_the_newest_rule_set_and_give_way_to_one_that_contradicts_them(world):
    def site(**changes):
        numbers = {**DEFAULT._asdict(), **changes}
        values = {"rules": numbers, "reasons": dict.fromkeys(changes, "ward standard")}
        world.sign(world.doctor, "rules", values, patient=None)

    sign(world, {"spo2_medium_tenths": 900})
    site(hr_high_bpm=110)
    assert rules(world) == DEFAULT._replace(hr_high_bpm=110, spo2_medium_tenths=900)
    site(spo2_slow_tenths=910)
    assert rules(world) == DEFAULT._replace(spo2_slow_tenths=910)


def test_a_pressure_is_judged_by_the_limit_of_the_patient(world):
    world.enter(world.nurse, systolic_mmhg=105)
    sign(world, {"hypotension_systolic_mmhg": 110}, "hypertensive before")
    world.enter(world.nurse, systolic_mmhg=105)
    assert world.waiting() == [{context.BLOOD_PRESSURE: 0}, {context.BLOOD_PRESSURE: 1}]
    assert world.store.read_now(verify).problems == []


@pytest.mark.parametrize(
    "limits, reason, named",
    [({}, "x", "at least one"), ({"hr_high_bpm": 130}, " ", "reason"), ({"hr_high_bpm": 130}, "x" * 201, "reason"),
     ({"fever_cc": 3800}, "x", "fever_cc is not a limit"), ({"spo2_fast_tenths": 849}, "x", "spo2_fast_tenths"),
     ({"spo2_medium_tenths": 880}, "x", "HIGH limit"), ({"hr_high_bpm": "130"}, "x", "hr_high_bpm"),
     ({"hr_high_bpm": True}, "x", "hr_high_bpm")],
)  # fmt: skip
def test_limits_that_cannot_be_signed(world, limits, reason, named):
    with pytest.raises(EntryRefused, match=named) as caught:
        sign(world, limits, reason)
    assert caught.value.why == "bad_value" and rules(world) == DEFAULT


def test_only_a_clinician_signs_limits_and_only_for_who_is_bound(world):
    for signer in (world.nurse, world.carer):
        with pytest.raises(EntryRefused, match="clinician"):
            sign(world, {"hr_high_bpm": 130}, signer=signer)
    with pytest.raises(EntryRefused) as caught:
        sign(world, {"hr_high_bpm": 130}, patient=None)
    assert caught.value.why == "wrong_patient"


def test_a_changed_limit_or_rule_set_is_named_by_the_check(world):
    sign(world, {"hr_high_bpm": 130})
    world.sign(world.doctor, "rules", {"rules": DEFAULT._asdict(), "reasons": {}}, patient=None)
    assert world.store.read_now(verify).problems == []
    world.store.write_now(
        lambda tx: tx.execute("UPDATE patient_limits SET limits = '{\"hr_high_bpm\": 200}'")
    )
    world.store.write_now(lambda tx: tx.execute("UPDATE rule_sets SET rule_hash = randomblob(8)"))
    text = "the stored rules or limits are not the signed ones"
    assert [tuple(one) for one in world.store.read_now(verify).problems] == [(6, text), (7, text)]


def test_every_name_is_a_rule_that_has_room():
    for name in NAMES:
        assert name in DEFAULT._fields
