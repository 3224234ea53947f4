"""A language is one file, and every language says all that can be said."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from crs_core import code_texts, units

from host_agent.escalation import events
from host_agent.escalation.words import said, wording
from host_agent.escalation.words.catalogue import PLACEHOLDER, catalogue, problems, read_catalogue
from host_agent.escalation.words.reader import ROLES, Reader
from host_agent.escalation.words.values import NO_VALUES, Values
from host_agent.languages import FIRST, FOLDER, LANGUAGES
from host_agent.patient.contact import NAMELESS, Contact
from host_agent.people.acts import ACTS
from host_agent.people.entry import KINDS
from tools.dev.messages import BED, MEASURED, NOW_MS, PATIENT, SILENT, payloads
from tools.rig.micropython import ROOT

ENGLISH = read_catalogue(FOLDER / f"{FIRST}.toml")
AGENT = events.Origin(None, "", None, 0, None, None, None)


class Recording(dict):
    """Words that note which of them are used."""

    def __init__(self, words) -> None:
        super().__init__(words)
        self.used: set[str] = set()

    def __getitem__(self, key):
        self.used.add(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.used.add(key)
        return super().get(key, default)


def every_situation():
    """Events in which everything that can be known is, in part or not, and comes in time or late."""
    bare = Contact("", NAMELESS, "", "")
    yield from payloads()
    yield from payloads(values=NO_VALUES, contact=Contact(), origin=AGENT, patient=None)
    yield from payloads(values=Values(), contact=bare, patient=None)
    for site in range(len(units.SITES)):
        yield from payloads(
            values=Values(3900, site, None, None, 120_000), contact=Contact("", "Bed 3", "1", "2")
        )
    for name, event in payloads(values=MEASURED._replace(ppg_age_ms=90_000)):
        yield name, {**event, "simulated": True, "occurred_at": None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_text_with_the_same_words_in_braces(language):
    assert problems(read_catalogue(FOLDER / f"{language}.toml"), ENGLISH) == []
    texts = read_catalogue(FOLDER / f"{language}.toml")
    assert all(text and text == text.strip() for key, text in texts.items() if key != "act.alarms")


def test_what_is_wrong_with_a_language_is_named():
    broken = {**ENGLISH, "line.repeated": "{number}", "line.new": "x"}
    del broken["language"]
    assert problems(broken, ENGLISH) == [
        "language is missing", "line.new is unknown", "line.repeated: ['number'] instead of ['first', 'last', 'number']"
    ]  # fmt: skip


def test_every_text_is_used(monkeypatch):
    words = Recording(ENGLISH)
    monkeypatch.setattr(wording, "catalogue", lambda language: words)
    for name, event in every_situation():
        for role in ROLES:
            for late_ms in (0, 305_000):
                assert wording.worded(event, Reader(role), NOW_MS + late_ms)["text"], name
        if event["kind"] == "signed":
            event["signed"]["kind"] = "new"
            wording.worded(event, Reader(), NOW_MS)
    for role in ROLES:
        wording.worded({"kind": "new", "call": {}}, Reader(role), NOW_MS)
    unread = {key for key in ENGLISH if key not in words.used} - {"language"}
    assert unread == set()


def test_every_alarm_entry_and_act_that_the_code_knows_has_words():
    for name in code_texts.ALARM_NAMES.values():
        assert all(f"alarm.{name}.{role}.{part}" in ENGLISH for role in ROLES for part in ("what", "do")), (
            name
        )
    assert {key for key in KINDS if f"signed_kind.{key}" not in ENGLISH} == set(SILENT)
    assert {act for act in ACTS if f"act_name.{act}" not in ENGLISH} == set()


def test_every_kind_of_event_that_the_code_makes_has_words():
    """Constants in the place of `kind`, in calls and in tables that are events."""
    found = set()
    for path in (ROOT / "host_agent/escalation").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = []
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "signed_event":
                values = [one.value for one in node.keywords if one.arg == "kind"]
            elif isinstance(node, ast.Dict):
                table = {
                    getattr(key, "value", None): value
                    for key, value in zip(node.keys, node.values, strict=True)
                }
                values = [table["kind"]] if {"kind", "name", "alarm"} <= set(table) else []
            found |= {
                one.value for value in values for one in ast.walk(value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value in ast.unparse(value)
            }  # fmt: skip
    assert {"alarm", "grade_rise", "test", "act", "signed", "patient_end"} <= found
    assert found - {"close_episode", "reason"} == set(said.KINDS)


def test_a_language_without_a_file_or_a_text_without_a_translation_is_in_english(tmp_path, monkeypatch):
    assert catalogue("xx") == catalogue(FIRST)
    shutil.copy(FOLDER / f"{FIRST}.toml", tmp_path)
    (tmp_path / "yy.toml").write_text('[lead]\nHIGH = "HASTER"\n', encoding="utf-8")
    monkeypatch.setattr("host_agent.escalation.words.catalogue.FOLDER", tmp_path)
    assert catalogue.__wrapped__("yy")["lead.HIGH"] == "HASTER"
    assert catalogue.__wrapped__("yy")["lead.LOW"] == "NOTICE"


def test_a_third_language_is_one_file(tmp_path):
    """In a copy of the program: the configuration takes it, and the message is in it."""
    shutil.copytree(
        ROOT / "host_agent", tmp_path / "host_agent", ignore=shutil.ignore_patterns("__pycache__")
    )
    made_up = FOLDER / f"{FIRST}.toml"
    lines = made_up.read_text(encoding="utf-8").replace('HIGH = "URGENT"', 'HIGH = "HASTER"')
    place = tmp_path / "host_agent/escalation/words/languages/da.toml"
    place.write_text(lines.replace('["fever{temperature}"', '["feber{temperature}"'), encoding="utf-8")
    program = f"""
import json
from host_agent.config.model import parse_config
from host_agent.escalation.words.reader import readers_of
from host_agent.escalation.words.wording import worded
config = parse_config('''
[[webhook]]
name = "phone"
url = "https://a.example/x"
form = "slack"
[[contact]]
name = "carer"
role = "caregiver"
language = "da"
channels = ["phone"]
[[step]]
contacts = ["carer"]
''')
event = json.loads({str(_fever())!r})
print(worded(event, readers_of(config)["phone"], {NOW_MS})["text"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("HASTER ") and ": feber: 38.4 °C" in done.stdout


def _fever() -> str:
    made = events.alarm_event(
        events.Origin("aa", "Bed 3", "bb", 0, 1, 1, 5), PATIENT, alarm=1, priority=3, simulated=False,
        occurred=(NOW_MS, 5), contact=BED, now_ms=NOW_MS, values=MEASURED,
    )  # fmt: skip
    return made.payload


def test_placeholders_are_plain_names():
    assert all(text.count("{") == len(PLACEHOLDER.findall(text)) for text in ENGLISH.values())
    assert Path(FOLDER).name == "languages"
