"""Print every text that people can get: python -m tools.dev.messages [--language de] [--role caregiver] [--find WORD].

One event of every alarm, kind and stage that the code knows, made by the code that makes events, and worded for each
reader. The tests read the same list.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from crs_core import code_texts, codes, units

from host_agent.escalation import events
from host_agent.escalation.contact.course import OVER_STAGE, REMINDER, Tell
from host_agent.escalation.contact.messages import End, message, with_stage
from host_agent.escalation.receiver_test import delivery_of_test
from host_agent.escalation.words.reader import ROLES, Reader
from host_agent.escalation.words.values import Values
from host_agent.escalation.words.wording import worded
from host_agent.languages import LANGUAGES
from host_agent.patient.contact import Contact
from host_agent.people.acts import ACTS
from host_agent.people.entry import ADMINISTRATOR, KINDS
from host_agent.text import iso_utc

NOW_MS = 1_774_926_420_000
BED = Contact("JS-60", "Bed 3", "555-0100", "112")
MEASURED = Values(3847, units.SITE_AXILLA, 864, 131)
ORIGIN = events.Origin("00000000000000aa", "Bed 3", "0000cc", 0, 17, 2, 60_000)
PATIENT = events.Patient("JS-60", "00000000000000bb", 3)
# What somebody signs and what makes no event of its own.
SILENT = ("context", "accept", "silence", "act")
_ACCEPTANCE = {
    "who": "Maria", "how": "page", "signed": True, "at": iso_utc(NOW_MS), "until": iso_utc(NOW_MS + 600_000),
}  # fmt: skip


class Sample(NamedTuple):
    """`name` says which one; `event` is its payload, `reader` who reads it, `now_ms` when."""

    name: str
    event: dict[str, Any]
    reader: Reader
    now_ms: int

    @property
    def words(self) -> dict[str, Any]:
        """The event with its words."""
        return worded(self.event, self.reader, self.now_ms)


def payloads(
    contact: Contact = BED,
    values: Values = MEASURED,
    patient: events.Patient | None = PATIENT,
    origin: Any = ORIGIN,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, payload) of one event of each kind and stage."""
    common: dict[str, Any] = {"simulated": False, "contact": contact}
    for alarm in (*sorted(code_texts.ALARM_NAMES), 250):
        for priority in (1, 2, 3):
            made = events.alarm_event(
                origin, patient, alarm=alarm, priority=priority, occurred=(NOW_MS, 5), now_ms=NOW_MS, values=values,
                facts=_facts(alarm), **common,
            )  # fmt: skip
            name = f"{code_texts.alarm_name(alarm)} {codes.PRIORITY_NAMES[priority]}"
            yield name, json.loads(made.payload)
        yield from _stages(name.rpartition(" ")[0], made)
    yield "FEVER together", json.loads(events.together_event(made, 7, NOW_MS - 60_000, NOW_MS).payload)
    for lower, upper in ((1, 4), (2, 2), (3, None)):
        grade = {
            "scale": "ASTCT-2019", "lower": lower, "upper": upper, "status": "provisional", "signed": lower == 2,
            "fever": "met", "reasons": [], "missing": list(code_texts.MISSING_NAMES.values()) if upper != lower else [],
            "temp_age_ms": 1000, "ppg_age_ms": None, "rule_hash": "00",
        }  # fmt: skip
        made = events.grade_event(
            origin, patient, grade=grade, priority=3, occurred=(NOW_MS, 5), now_ms=NOW_MS, **common
        )
        yield f"GRADE_RISE {lower}..{upper}", json.loads(made.payload)
    yield from _stages("GRADE_RISE", made)
    signed = {"priority": 1, "occurred_utc_ms": NOW_MS, "key": "audit-1", **common}
    for kind in KINDS:
        if kind not in SILENT:
            for grade_signed in (2, 5, None) if kind == "grade" else (None,):
                facts = {
                    "name": "nurse-2", "role": "nurse", "reason": "wrong patient", "grade": grade_signed,
                    "scale": "ASTCT 2019",
                }  # fmt: skip
                made = events.signed_event(
                    origin,
                    patient,
                    kind="signed",
                    name=kind.upper(),
                    facts=facts,
                    signed=_signed(kind),
                    **signed,
                )
                yield f"signed {kind}", json.loads(made.payload)
    for act in ACTS:
        facts = {"act": act, "alarms": ["HYPOXAEMIA", "FEVER"], "reason": "goes to intensive care"}
        made = events.signed_event(
            origin, patient, kind="act", name=act.upper(), facts=facts, signed=_signed("act"),
            **{**signed, "priority": 3},
        )  # fmt: skip
        yield f"act {act}", json.loads(made.payload)
    for now, stood in (("nobody", []), ("patient", []), ("wearable", ["FEVER", "HYPOXAEMIA"])):
        facts = {"now": now, "alarms": stood}
        made = events.signed_event(
            origin, patient, kind="patient_end", name="PATIENT_END", signed=None, facts=facts, **signed
        )
        yield f"patient_end {now}", json.loads(made.payload)
    yield "test", json.loads(delivery_of_test("nurse-phone", "00", "LOW", NOW_MS).body)


def samples(**change: Any) -> Iterator[Sample]:
    """Every payload for every reader; a unit of its own for some, and late by five minutes for some."""
    for name, event in payloads(**change):
        for language in LANGUAGES:
            for role in ROLES:
                for unit in ("C", "F"):
                    yield Sample(name, event, Reader(role, language, unit), NOW_MS)
                yield Sample(f"{name} late", event, Reader(role, language), NOW_MS + 305_000)


def _facts(alarm: int) -> dict[str, Any]:
    if alarm in (codes.NO_DATA_YET, codes.STALE_DATA, codes.NOT_BACK):
        return {"no_data_since": iso_utc(NOW_MS - 3_420_000)}
    return (
        {"asked": ["blood_pressure", "oxygen", "ice", "temperature_cc"]}
        if alarm == codes.PROMPT_MISSED
        else {}
    )


def _stages(name: str, made: events.Event) -> Iterator[tuple[str, dict[str, Any]]]:
    """The messages that follow an event, as the course and the acceptance make them."""
    raised = with_stage(made.payload, "raised", "episode")

    def told(tell: Tell, **more: Any) -> dict[str, Any]:
        whole: dict[str, Any] = json.loads(
            message(raised, made.key, "episode", tell, now_ms=NOW_MS, **more).payload
        )
        return whole

    yield f"{name} reminder", told(Tell(REMINDER, (), made.priority, "repeat 1 of step 1", 1))
    lapse = Tell(REMINDER, (), made.priority, "the acceptance lapsed", 2, is_lapse=True)
    yield f"{name} lapsed", told(lapse, lapsed=_ACCEPTANCE)
    over = Tell(OVER_STAGE, (), made.priority, "the condition ended")
    yield f"{name} over", told(over, end=End(NOW_MS - 60_000))
    yield f"{name} over at no known time", told(over, end=End(None))
    accepted = {"stage": "accepted", "priority": "LOW", "acceptance": _ACCEPTANCE}
    yield f"{name} accepted", {**json.loads(raised), **accepted, "facts": {"began_at": iso_utc(NOW_MS)}}


def _signed(kind: str) -> dict[str, Any]:
    fields = ("entry", "record", "record_kind", "in_force", "scale", "grade", "cause")
    return {
        **dict.fromkeys(fields),
        "kind": kind,
        "account": ADMINISTRATOR if kind.startswith("account") else "nurse-1",
    }


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=LANGUAGES)
    parser.add_argument("--role", choices=ROLES)
    parser.add_argument("--find", default="", help="Only texts whose name holds this.")
    asked = parser.parse_args()
    before = ""
    for one in samples():
        is_asked = asked.language in (None, one.reader.language) and asked.role in (None, one.reader.role)
        if is_asked and asked.find.casefold() in one.name.casefold() and one.reader.unit != "F":
            if one.name != before:
                print(f"\n{one.name}")
            before = one.name
            print(f"  [{one.reader.language} {one.reader.role}] {one.words['text']}")


if __name__ == "__main__":
    main()
