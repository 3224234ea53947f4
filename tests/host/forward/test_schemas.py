"""Every event that the agent makes fits the schema that is published, and the published files are current."""

import json

import jsonschema
import pytest
from crs_core import code_texts

from host_agent.escalation import events
from host_agent.escalation.receiver_test import delivery_of_test
from host_agent.escalation.record_events import grade_fields
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.patient.contact import Contact
from host_agent.store.audit import Head
from tests.host.escalation.world import grade_record
from tools.dev.schemas import FOLDER, schemas

EVENT = jsonschema.Draft202012Validator(json.loads((FOLDER / "event-1.json").read_text(encoding="utf-8")))
ORIGIN = events.Origin("aa", "bed", "bb", 0, 1, 1, 5)
AGENT = events.Origin(None, "", None, 0, None, None, None)
PATIENT = events.Patient("P-1", "cc", 3)


def test_the_published_files_are_current():
    assert all(file.read_text(encoding="utf-8") == text for file, text in schemas()), "make docs"
    assert {file.name for file, _ in schemas()} <= {file.name for file in FOLDER.glob("*.json")}


@pytest.mark.parametrize("number", [*code_texts.ALARM_NAMES, 999])
@pytest.mark.parametrize("origin, patient", [(ORIGIN, PATIENT), (ORIGIN, None), (AGENT, None)])
def test_every_alarm_fits(number, origin, patient):
    for priority in (0, 1, 2, 3):
        made = events.alarm_event(
            origin, patient, alarm=number, priority=priority, simulated=False, occurred=(1000, 5), contact=Contact(),
            now_ms=1000, key="k",
        )  # fmt: skip
        EVENT.validate(json.loads(made.payload))
        EVENT.validate(json.loads(events.together_event(made, 7, 1000, 2000).payload))
        EVENT.validate(json.loads(events.with_audit_head(made, Head(3, bytes(32))).payload))


def test_grades_signatures_tests_and_the_examples_of_templates_fit():
    common = {"priority": 2, "simulated": True, "contact": Contact()}
    grade = events.grade_event(
        ORIGIN, PATIENT, grade=grade_fields(grade_record(1)), occurred=None, now_ms=1000, **common
    )
    signed = events.signed_event(
        ORIGIN,
        PATIENT,
        kind="signed",
        name="GRADE",
        occurred_utc_ms=1000,
        key="k",
        signed={
            "entry": "e",
            "kind": "grade",
            "account": "nurse-1",
            "record": "e",
            "in_force": True,
            "scale": "ASTCT",
            "grade": 2,
            "record_kind": "grade",
            "cause": None,
        },
        **common,
    )
    for made in (grade, signed):
        EVENT.validate(json.loads(made.payload))
    EVENT.validate(json.loads(delivery_of_test("ward", "00", "LOW", 1000).body))
    for example in EXAMPLES:
        EVENT.validate(example)


def test_examples_of_templates_have_the_fields_that_events_have():
    """A field that events have and the examples lack could never be used in a template."""
    made = events.alarm_event(
        ORIGIN,
        PATIENT,
        alarm=1,
        priority=3,
        simulated=False,
        occurred=(1000, 5),
        contact=Contact(),
        now_ms=1000,
    )
    assert set(EXAMPLES[0]) == set(json.loads(made.payload)) - {"stage"}


@pytest.mark.parametrize(
    "change", [{"key": ""}, {"schema": "cytowatch.event/2"}, {"text": None}, {"stage": "new"}, {"call": None}]
)
def test_the_schema_refuses_what_is_no_event(change):
    assert not EVENT.is_valid({**EXAMPLES[0], **change})
    assert EVENT.is_valid({**EXAMPLES[0], "added_later": 1})
