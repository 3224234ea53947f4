"""Each resource of each kind of event before three judges: published definitions, a second parser, allowed codes."""

import json

import fhirkit
import httpx2
import pytest

from host_agent.forward.fhir_resources import Systems, resources
from tools.rig import fhir_peer

SYSTEMS = Systems("urn:example:patients", "urn:example:cytowatch")
EVENT = {
    "key": "k1", "stage": "raised", "priority": "HIGH", "text": "URGENT 14:05, JS-60: fever", "simulated": False,
    "occurred_at": "2026-03-31T14:05:09.250Z", "device": {"id": "a1b2", "name": "blue-7"},
    "patient": {"id": "JS-60"}, "alarm": None, "grade": None, "values": None, "signed": None,
}  # fmt: skip
VALUES = {"temperature_cc": 3841, "site": "axilla", "spo2_tenths": 861, "heart_rate_bpm": 84}
ALARM = {**EVENT, "alarm": {"id": 1, "name": "FEVER"}, "values": VALUES}
GRADE = {**EVENT, "grade": {"scale": "ASTCT-2019", "lower": 1, "upper": 4, "missing": ["blood_pressure"]}}
SIGNED = {
    "entry": "e1", "kind": "grade", "account": "nurse-1", "record": "e1", "record_kind": "grade", "in_force": True,
    "scale": "ASTCT", "grade": 2, "cause": None,
}  # fmt: skip
EVENTS = {
    "alarm": ALARM,
    "alarm that is over": {**ALARM, "stage": "over"},
    "simulated": {**ALARM, "simulated": True},
    "test": {**EVENT, "stage": "test", "patient": None},
    "alarm without a patient": {**ALARM, "patient": None},
    "alarm at a time not known": {**ALARM, "occurred_at": None},
    "alarm without values": {**ALARM, "values": dict.fromkeys(VALUES)},
    "alarm of the agent": {**ALARM, "device": None, "patient": None, "values": None},
    "grade": GRADE,
    "grade that is certain": {**GRADE, "grade": {**GRADE["grade"], "lower": 2, "upper": 2, "missing": []}},
    "signed grade": {**EVENT, "signed": SIGNED},
    "grade without a number": {**EVENT, "signed": {**SIGNED, "grade": None}},
    "reversed": {**EVENT, "signed": {**SIGNED, "kind": "reverse", "in_force": False}},
    "a death that waits": {
        **EVENT, "signed": {**SIGNED, "kind": "death", "record_kind": "death", "cause": "crs", "in_force": False},
    },
    "an account": {**EVENT, "patient": None, "signed": {**SIGNED, "kind": "account_add", "record": None}},
}  # fmt: skip


@pytest.fixture(scope="module")
def judge():
    if not fhir_peer.is_here():
        pytest.skip(fhir_peer.MISSING)
    with fhir_peer.fhir_server() as address, httpx2.Client() as client:

        def problems(body):
            found = client.post(f"{address}/check", content=json.dumps(body)).json()
            return found + [str(one) for one in fhirkit.validate(json.dumps(body))]

        yield problems


@pytest.mark.parametrize("case", EVENTS)
def test_three_judges_find_nothing_wrong(case, judge):
    for made in resources(EVENTS[case], SYSTEMS):
        assert judge(made.body) == [], made.type


# What the judges must see, so that their silence means something: field, value, what they say.
WRONG = {
    "status": ("status", "bogus", "observation-status"),
    "no subject": ("subject", None, "Observation.subject"),
    "subject": ("subject", {"type": "Device", "identifier": {"value": "x"}}, "may not refer to Device"),
    "unit": ("valueQuantity", {"value": 3, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}, "kg"),
    "category": ("category", [{"text": "vital"}], "Observation.category"),
    "time": ("effectiveDateTime", "14:05", "effective"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_the_judges_see_what_is_wrong(case, judge):
    field, value, said = WRONG[case]
    body = resources(ALARM, SYSTEMS)[1].body | {field: value}
    assert said in " ".join(judge({key: one for key, one in body.items() if one is not None}))


def types(event):
    return [made.type for made in resources(event, SYSTEMS)]


def test_each_kind_of_event_makes_its_resources():
    vitals = ["Observation"] * 3
    assert types(ALARM) == ["Device", *vitals, "Flag", "Communication"]
    assert types(GRADE) == ["Device", "RiskAssessment", "Communication"]
    assert types(EVENTS["signed grade"]) == ["Device", "Condition", "Communication"]


def test_a_vital_sign_has_the_code_that_its_profile_demands():
    codes = {}
    for made in resources(ALARM, SYSTEMS)[1:4]:
        profile = made.body["meta"]["profile"][0].rpartition("/")[2]
        codes[profile] = {
            one["code"] for one in made.body["code"]["coding"] if one["system"] == "http://loinc.org"
        }
    assert codes == {"bodytemp": {"8310-5"}, "oxygensat": {"2708-6", "59408-5"}, "heartrate": {"8867-4"}}


def test_a_diagnosis_is_made_only_of_what_a_clinician_signed_and_what_counts():
    assert all(
        "Condition" not in types(EVENTS[case])
        for case in ("alarm", "grade", "a death that waits", "an account")
    )
    signed, reversed_ = (resources(EVENTS[case], SYSTEMS)[1] for case in ("signed grade", "reversed"))
    assert signed.body["code"]["coding"][0]["code"] == "D89.832"
    assert signed.identifier == reversed_.identifier
    assert reversed_.body["verificationStatus"]["coding"][0]["code"] == "entered-in-error"


def test_a_value_without_a_time_or_a_patient_is_no_observation():
    for case in ("alarm at a time not known", "alarm without a patient", "alarm without values"):
        assert "Observation" not in types(EVENTS[case]), case


def test_a_grade_is_always_preliminary_and_a_simulation_is_marked_in_each_resource():
    assert resources(GRADE, SYSTEMS)[1].body["status"] == "preliminary"
    for made in [*resources(EVENTS["simulated"], SYSTEMS), *resources(EVENTS["test"], SYSTEMS)]:
        assert made.body["meta"]["security"][0]["code"] == "HTEST"


def test_the_end_of_an_alarm_changes_its_own_flag():
    raised, over = (resources(EVENTS[case], SYSTEMS)[4] for case in ("alarm", "alarm that is over"))
    assert (raised.identifier, raised.body["status"], over.identifier, over.body["status"]) == (
        "k1-flag", "active", "k1-flag", "inactive",
    )  # fmt: skip
