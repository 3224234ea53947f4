"""The guide and FORMATS.md say what the command and the agent do: shell lines, webhook and status fields, both ways."""

import json
import re

import pytest
from crs_core import code_texts, codes

from host_agent.cli.main import COMMANDS
from host_agent.escalation.acceptance.telling import acceptance_fields
from host_agent.escalation.alarm_words import Values, alarm_noun
from host_agent.escalation.contact.messages import with_stage
from host_agent.escalation.events import (
    Origin,
    Patient,
    alarm_event,
    grade_event,
    signed_event,
    with_audit_head,
)
from host_agent.escalation.record_events import grade_fields
from host_agent.forward.standard_webhooks import standard_headers
from host_agent.patient.contact import Contact
from host_agent.store.acceptances import Acceptance
from host_agent.store.audit import Head
from tests.host.escalation.world import grade_record
from tools.dev.host_pages import leaves
from tools.rig.micropython import ROOT

GUIDE, FORMATS = (
    (ROOT / "host_agent" / name).read_text(encoding="utf-8") for name in ("README.md", "FORMATS.md")
)
LEAVES = dict(leaves())
STANDARD = set(standard_headers(b"", "", 0, b""))


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", FORMATS, re.MULTILINE | re.DOTALL).group(1)


def names_in_first_column(text):
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_command_belongs_to_a_registered_one():
    assert {path.split()[0] for path in LEAVES} == set(COMMANDS)


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_help_says_what_a_command_and_each_of_its_options_is_for(path):
    assert LEAVES[path].help.strip()
    assert all(parameter.help for parameter in LEAVES[path].params if parameter.name != "help")


@pytest.mark.parametrize(
    "path",
    ["status", "devices", "hosts list", "history", "doctor", "account list", "audit list", "audit verify",
     "context keys", "context show", "context history", "rules show"],
)  # fmt: skip
def test_every_read_command_has_json(path):
    assert any("--json" in parameter.opts for parameter in LEAVES[path].params)


def fields_of(value, prefix=""):
    for key, inner in value.items():
        yield prefix + key
        if isinstance(inner, dict):
            yield from fields_of(inner, f"{prefix}{key}.")


def test_webhook_fields_are_those_that_are_sent():
    origin = Origin("aa", "bed", "bb", 0, 1, 1, 5)
    patient = Patient("P-1", "cc", 3)
    record = grade_record(1)
    alarm = alarm_event(
        origin, patient, alarm=codes.FEVER, priority=2, simulated=True, occurred=(1000, 5), contact=Contact(),
        now_ms=1000, values=Values(3840, 1, 860, 84),
    )  # fmt: skip
    sent = [
        with_audit_head(alarm, Head(3, bytes(32))).payload,
        with_stage(alarm.payload, "raised", "episode"),
        grade_event(
            origin,
            patient,
            grade=grade_fields(record),
            priority=2,
            simulated=False,
            occurred=None,
            contact=Contact(),
            now_ms=1000,
        ).payload,
        signed_event(
            origin,
            patient,
            kind="signed",
            name="GRADE",
            priority=1,
            simulated=False,
            occurred_utc_ms=0,
            contact=Contact(),
            key="audit-1",
            signed=dict.fromkeys(
                ("entry", "kind", "account", "record", "record_kind", "in_force", "scale", "grade", "cause")
            ),
        ).payload,
    ]
    fields = {name for payload in sent for name in fields_of(json.loads(payload))}
    fields |= {"stage", "accept", "accept.token", "accept.until", "acceptance"}
    one = Acceptance(1, 1, "accepted", "a", "page", 1, "", 3, 0, 1, None, 1, None, "", "", "")
    fields |= {f"acceptance.{name}" for name in acceptance_fields(one)}
    told = names_in_first_column(section("Webhook")) - {"Idempotency-Key", "CytoWatch-Signature", *STANDARD}
    described = re.findall(r"`((?:device|call)\.[a-z_]+)`", section("Webhook"))
    assert told | set(described) == fields


def test_fields_of_the_hosts_grades_are_those_that_status_gives(tmp_path):
    from host_agent.views.state import read_state
    from tests.host.people.people_world import HOUR_MS, PeopleWorld

    world = PeopleWorld(tmp_path)
    world.enter(world.nurse, ice=9, oxygen="room_air")
    world.now_ms += 5 * HOUR_MS
    state = world.store.read_now(lambda tx: read_state(tx, {}, world.now_ms))
    grades = state["devices"][0]["grades"]
    world.store.close()
    text = section("Status").split("| field of a grade |")[1]
    rows = names_in_first_column(text)
    assert all(set(grade) == rows for grade in grades.values()) and "ICANS" in grades
    for field in ("held", "data_age"):
        inner = {name for grade in grades.values() for name in grade[field] or {}}
        row = next(line for line in text.splitlines() if line.startswith(f"| `{field}`"))
        assert inner == set(re.findall(r"`([a-z_]+)`", row)) - {field}, field


def test_webhook_headers_are_those_that_are_sent():
    from host_agent.escalation.events import SCHEMA
    from host_agent.forward import signature

    told = names_in_first_column(section("Webhook"))
    assert {"Idempotency-Key", signature.HEADER, *STANDARD} <= told
    assert f"`{SCHEMA}`" in section("Webhook")


def test_shell_lines_of_the_readmes_name_existing_commands_and_options():
    for page in ((ROOT / "README.md").read_text(encoding="utf-8"), GUIDE):
        for line in re.findall(r"^cytowatch (.*)$", page, re.MULTILINE):
            words = line.split("#")[0].split()
            path = " ".join(words[:2]) if " ".join(words[:2]) in LEAVES else words[0]
            known = {name for parameter in LEAVES[path].params for name in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= known, line


def test_the_guide_names_the_state_folder_and_each_alarm_that_it_explains_exists():
    assert "`CYTOWATCH_HOME`" in GUIDE
    table = GUIDE.split("| the alarm says |")[1].split("\n\n")[0]
    said = {
        words for row in re.findall(r"^\| ([a-z][^|]+) \|", table, re.MULTILINE) for words in row.split("; ")
    }
    assert len(said) > 5 and said <= {alarm_noun(alarm) for alarm in code_texts.ALARM_NAMES}
