"""What people sign makes an event, and every event carries the head of the audit chain of its moment."""

import json

import pytest

from host_agent.escalation.derive import Escalation, Target
from host_agent.people import admission
from tests.host.people.people_world import NOW_MS, PeopleWorld


@pytest.fixture
def world(tmp_path):
    made = PeopleWorld(tmp_path)
    made.escalation = Escalation(
        [Target("ward", False), Target("study", True)], link_utc_ms=lambda: NOW_MS, agent_simulated=False
    )
    yield made
    made.store.close()


def sign(world, signer, kind, values, **change):
    """Sign as through the agent; returns (what was taken, the events that it made for one receiver)."""
    raw, signature = world.compose(signer, kind, values, **change)
    taken = admission.take_now(world.store, raw, signature, world.now_ms, world.escalation.signed)
    rows = world.query(
        "SELECT payload FROM outbox WHERE target = 'ward' AND event_key LIKE ?", f"audit-{taken.entry.id}%"
    )
    return taken, [json.loads(row[0]) for row in rows]


@pytest.mark.parametrize(
    ("kind", "values", "patient", "text"),
    [
        ("account_disable", {"name": "nurse-1"}, None, "Account nurse-1 can no longer sign."),
        ("grade", {"scale": "ASTCT", "scale_version": 2019, "grade": None}, "P-1",
         "ASTCT 2019, a grade was signed. See it on the laptop."),
        ("death", {"cause": "crs"}, "P-1",
         "The record counts when a second clinician has countersigned it."),
        ("close_episode", {}, "P-1", "The end of the episode was signed."),
        ("limits", {"limits": {"hr_high_bpm": 130}, "reason": "own rate"}, "P-1",
         "Limits of this patient were signed."),
    ],
)  # fmt: skip
def test_a_signature_is_one_low_event_with_the_head_that_it_made(world, kind, values, patient, text):
    taken, (event,) = sign(world, world.doctor, kind, values, patient=patient)
    assert (event["kind"], event["priority"], event["name"]) == ("signed", "LOW", kind.upper())
    assert (
        ": a record was signed. Signed by clinician-1. Care team" in event["text"]
        and event["text"].endswith(f"\n{text}")
        and event["text"].startswith("NOTICE ")
        and event["alarm"] is None
        and event["source"] is None
    )
    assert event["audit_head"] == {"rows": taken.audit, "hash": taken.hash.hex()}
    assert (event["patient"] or {}).get("id") == patient


def test_context_goes_to_the_wearable_and_makes_no_event(world):
    assert sign(world, world.nurse, "context", {"ice": 9})[1] == []


def test_a_guarded_act_is_a_high_event_about_each_patient(world):
    values = {
        "act": "stop", "reason": "a fault in the laptop", "alarms": ["HYPOXAEMIA"],
        "patients": {b"BINDING1".hex(): "P-1", b"BINDING2".hex(): "P-2"},
    }  # fmt: skip
    _, events = sign(world, world.nurse, "act", values, patient=None)
    assert [(one["kind"], one["priority"], one["name"], one["patient"]["id"]) for one in events] == [
        ("act", "HIGH", "STOP", "P-1"), ("act", "HIGH", "STOP", "P-2"),
    ]  # fmt: skip
    said = "stopped while HIGH alarms stand (oxygen low). Signed by nurse-1. Care team"
    assert events[0]["text"].endswith("\nReason: a fault in the laptop.")
    assert events[0]["text"].startswith("URGENT ") and said in events[0]["text"]
    assert ", P-1 (" in events[0]["text"] and ", P-2 (" in events[1]["text"]


def test_an_event_that_cannot_be_queued_keeps_the_entry_out_of_the_chain(world, monkeypatch):
    def fails(*_arguments):
        raise RuntimeError("no event")

    monkeypatch.setattr(world.escalation, "post", fails)
    before = world.query("SELECT count(*) FROM audit")
    with pytest.raises(RuntimeError):
        sign(world, world.doctor, "death", {"cause": "crs"})
    assert world.query("SELECT count(*) FROM audit") == before
