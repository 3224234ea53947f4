"""Signed rule sets: every number stated, inside its bounds, with a reason where it differs; known to the re-run."""

import pytest
from crs_core.grade import rules
from crs_core.grade.rules import DEFAULT

from host_agent.people.asking import EntryRefused
from host_agent.people.rule_sets import signed_rules

NUMBERS = DEFAULT._asdict()


def sign(world, changes, reasons, signer=None):
    numbers = {name: value for name, value in {**NUMBERS, **changes}.items() if value is not None}
    return world.sign(signer or world.doctor, "rules", {"rules": numbers, "reasons": reasons}, patient=None)


def known(world):
    return world.store.read_now(signed_rules)


def test_a_signed_set_is_known_by_its_hash(world):
    sign(world, {"spo2_medium_tenths": 930}, {"spo2_medium_tenths": "ward standard"})
    other = rules.with_limits(DEFAULT, {"spo2_medium_tenths": 930})
    assert known(world) == {rules.rule_hash(other): other}


def test_the_default_may_be_signed_without_reasons(world):
    sign(world, {}, {})
    assert known(world) == {rules.rule_hash(DEFAULT): DEFAULT}


@pytest.mark.parametrize(
    "changes, reasons, named",
    [
        ({"spo2_medium_tenths": 930}, {}, "spo2_medium_tenths: 930 differs from 920"),
        ({"spo2_medium_tenths": 930}, {"spo2_medium_tenths": "  "}, "Give a reason"),
        ({"spo2_medium_tenths": 930}, {"spo2_medium_tenths": 7}, "text"),
        ({"spo2_medium_tenths": 930}, {"hr_high_bpm": "x"}, "Give a reason"),
        ({"spo2_fast_tenths": 849}, {"spo2_fast_tenths": "x"}, "spo2_fast_tenths: 849 is outside"),
        ({"fever_cc": 3790}, {"fever_cc": "x"}, "fever_cc"),
        ({"spo2_medium_tenths": 890}, {"spo2_medium_tenths": "x"}, "HIGH limit"),
        ({"hr_high_bpm": True}, {"hr_high_bpm": "x"}, "hr_high_bpm"),
        ({"hr_high_bpm": None}, {}, "hr_high_bpm is missing"),
        ({"no_such": 1}, {}, "no_such: there is no rule"),
        ({}, {"no_such": "x"}, "no_such: there is no rule"),
        ({}, {"hr_high_bpm": "x" * 201}, "hr_high_bpm"),
    ],
)
def test_sets_that_cannot_be_signed(world, changes, reasons, named):
    with pytest.raises(EntryRefused, match=named) as caught:
        sign(world, changes, reasons)
    assert caught.value.why == "bad_value" and known(world) == {}


def test_only_a_clinician_signs_rules(world):
    with pytest.raises(EntryRefused, match="clinician"):
        sign(world, {}, {}, signer=world.nurse)


def test_what_another_version_of_the_table_wrote_is_left_out(world):
    sign(world, {}, {})
    world.store.write_now(lambda tx: tx.execute("UPDATE rule_sets SET rules = CAST('logic=999' AS BLOB)"))
    assert known(world) == {}


def test_the_re_run_knows_the_default_and_every_signed_set():
    from host_agent.sync.verify import Verifier

    other = rules.with_limits(DEFAULT, {"hr_high_bpm": 110})
    assert set(Verifier({rules.rule_hash(other): other}).rules_by_hash) == {
        rules.rule_hash(DEFAULT), rules.rule_hash(other),
    }  # fmt: skip
