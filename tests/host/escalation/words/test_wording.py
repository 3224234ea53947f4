"""One event for one reader: labels, ages, days on which the clocks change, and what is missing or hostile."""

import json
import time

import pytest
from crs_core import codes

from host_agent.config.model import parse_config
from host_agent.errors import ConfigError
from host_agent.escalation import events
from host_agent.escalation.words.reader import CLINICIAN, PATIENT, ROLES, Reader, readers_of
from host_agent.escalation.words.values import NO_VALUES, Values
from host_agent.escalation.words.wording import worded
from host_agent.patient.contact import Contact
from host_agent.text import local_time
from tools.dev.messages import BED, MEASURED, NOW_MS, ORIGIN
from tools.dev.messages import PATIENT as WHO

NURSE, CARER, GERMAN = Reader(), Reader("caregiver"), Reader("caregiver", "de")
AT = local_time(NOW_MS, with_seconds=False)
HOSTILE = [
    "\u202egnp.exe", "a\nURGENT", "x\x1b[31mred", "\u2028", "{temperature}", "{0.__class__}", "%s%n", "<b>&amp;</b>",
    "😀" * 60, "\ud800", "{", "}}{{", "ä" * 500, " ", "\u200b\u2060", "a\tb\r\nc", "{lead} {when}",
]  # fmt: skip


def fever(
    *, contact=BED, values=MEASURED, occurred=(NOW_MS, 5), simulated=False, alarm=codes.FEVER, now_ms=NOW_MS
):
    made = events.alarm_event(
        ORIGIN, WHO, alarm=alarm, priority=3, simulated=simulated, occurred=occurred, contact=contact, now_ms=now_ms,
        values=values,
    )  # fmt: skip
    return json.loads(made.payload)


def text(event, reader=CARER, now_ms=NOW_MS, **more):
    return worded(event, reader, now_ms, **more)["text"]


def test_a_family_reads_the_label_and_a_clinician_the_wearable_as_well():
    event = fever(contact=BED._replace(patient="Room 12, window"))
    assert text(event).startswith(
        f"URGENT {AT}, Room 12, window: fever: 38.4 °C (101.2 °F), armpit sensor. Call "
    )
    assert f"{AT}, Room 12, window (Bed 3): fever" in text(event, NURSE)
    assert "38,4 °C (101,2 °F), Sensor in der Achsel" in text(event, GERMAN)


def test_a_label_with_stops_in_it_stays_in_the_title():
    made = worded(fever(contact=BED._replace(patient="St. Anna 3. floor")), NURSE, NOW_MS)
    assert made["title"].endswith("St. Anna 3. floor (Bed 3): fever: 38.4 °C (101.2 °F), armpit sensor.")


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("role", ROLES)
def test_a_hostile_label_name_or_number_is_one_short_line_and_fills_no_braces(hostile, role):
    for contact in (
        BED._replace(patient=hostile), BED._replace(device=hostile), BED._replace(care_team=hostile or "1"),
    ):  # fmt: skip
        made = worded(json.loads(json.dumps(fever(contact=contact))), Reader(role), NOW_MS)
        shown = made["text"]
        assert "\n" not in shown and shown.isprintable() and len(shown) < 420, shown
        assert "38.4 °C" in shown and "112" in shown and shown.count("URGENT") <= 2
        assert all(entry["label"].isprintable() for entry in made["to_call"])


def test_who_accepts_under_a_hostile_name_changes_no_other_part():
    accepted = {"who": "x\n\u202eCRS {noun}", "how": "page", "signed": False, "at": "2026-03-31T03:07:00.000Z",
                "until": "2026-03-31T03:17:00.000Z"}  # fmt: skip
    event = {
        **fever(),
        "stage": "accepted",
        "acceptance": accepted,
        "facts": {"began_at": "2026-03-31T03:07:00Z"},
    }
    for role in ROLES:
        shown = text(event, Reader(role))
        assert "\n" not in shown and shown.isprintable() and "{noun}" in shown


@pytest.mark.parametrize(
    "late_ms, said",
    [(0, ""), (60_000, ""), (60_001, " (late by 1 min)"), (305_000, " (late by 5 min)"), (-20_000, ""),
     (3_900_000, " (late by 1 h 5 min)"), (93_600_000, " (late by 1 d 2 h)")],
)  # fmt: skip
def test_late_is_more_than_a_minute(late_ms, said):
    shown = text(fever(), now_ms=NOW_MS + late_ms)
    assert ("late" in shown) is bool(said) and said in shown


def test_what_follows_an_event_is_late_from_its_own_moment_on():
    reminder = {**fever(), "stage": "reminder", "made_at": "2026-03-31T03:17:00.000Z"}
    ten_minutes_later = NOW_MS + 600_000
    assert "late" not in text(reminder, now_ms=ten_minutes_later) and f"URGENT {AT}," in text(reminder)
    assert "(late by 2 min)" in text(reminder, now_ms=ten_minutes_later + 125_000)


def test_a_value_says_how_old_it_was():
    assert "armpit sensor. Call" in text(fever(values=MEASURED._replace(temp_age_ms=59_999)))
    shown = text(fever(values=MEASURED._replace(temp_age_ms=190_000)))
    assert "38.4 °C (101.2 °F), armpit sensor, measured 3 min before. Call" in shown
    low = fever(alarm=codes.HYPOXAEMIA, values=MEASURED._replace(ppg_age_ms=120_000))
    assert "oxygen reading low: 86.4 %, measured 2 min before." in text(low)
    assert "Sauerstoffwert niedrig: 86,4 %, 2 min vorher gemessen." in text(low, GERMAN)


def test_on_a_day_on_which_the_clocks_change_the_time_has_its_offset(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        first, second = 1_792_888_200_000, 1_792_891_800_000  # 02:30 twice
        shown = [text(fever(occurred=(ms, 5), now_ms=ms), now_ms=ms) for ms in (first, second)]
        assert " 02:30+02:00, " in shown[0] and " 02:30+01:00, " in shown[1]
        assert "+0" not in text(fever())
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("values", [NO_VALUES, Values(), MEASURED])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("language", ["en", "de", "xx"])
def test_what_an_earlier_version_stored_has_words_too(values, role, language):
    """No label, no ages, no facts, nothing about the moment at which it was made."""
    new = ("about", "facts", "made_at", "title", "language", "to_call")
    event = {key: value for key, value in fever(values=values).items() if key not in new}
    if event["values"]:
        event["values"] = {key: value for key, value in event["values"].items() if not key.endswith("age_ms")}
    event["patient"].pop("label")
    shown = text(event, Reader(role, language))
    assert "JS-60" in shown and ("Bed 3" in shown) is (role == CLINICIAN) and "555-0100" in shown


@pytest.mark.parametrize(
    "change",
    [{"kind": "something new"}, {"alarm": None}, {"values": []}, {"values": {"site": "axilla"}}, {"call": None},
     {"occurred_at": "yesterday"}, {"kind": None}, {"signed": None, "kind": "signed"},
     {"grade": {}, "kind": "grade_rise"},
     {"stage": "accepted"}, {"facts": 7}, {"alarm": {"name": 7}}, {"patient": None, "about": None, "device": None},
     {"to_call": 3, "about": 3, "call": 3}],
)  # fmt: skip
def test_an_event_that_cannot_be_understood_still_says_something_to_do(change):
    event = {**fever(), **change}
    for role in ROLES:
        for language in ("en", "de"):
            shown = text(event, Reader(role, language))
            assert len(shown) > 20 and "None" not in shown
    assert "Call your care team now." in text({**event, "kind": "something new"}, Reader(PATIENT))


def test_simulated_is_said_first_in_each_language():
    assert text(fever(simulated=True)).startswith("SIMULATED. URGENT ")
    assert text(fever(simulated=True), GERMAN).startswith("SIMULIERT. DRINGEND ")


def test_a_time_ahead_of_the_clock_is_not_believed():
    assert "at a time not known" in text(fever(), now_ms=NOW_MS - 31_000)
    assert "zu unbekannter Zeit" in text(fever(occurred=None), GERMAN)


def test_a_grade_of_five_is_never_said():
    grade = {"scale": "ASTCT-2019", "upper": 5, "status": "provisional", "signed": False, "fever": "met", "reasons": [],
             "missing": [], "temp_age_ms": None, "ppg_age_ms": None, "rule_hash": "00"}  # fmt: skip
    for lower in (4, 5, 9, None):
        event = {**fever(), "kind": "grade_rise", "alarm": None, "grade": {**grade, "lower": lower}}
        event.pop("text")
        for role in ROLES:
            assert "5" not in text(event, Reader(role)).replace("555-0100", ""), (lower, role)


def test_the_words_can_be_made_again_for_another_reader():
    nurse = worded(fever(), NURSE, NOW_MS)
    assert worded(nurse, GERMAN, NOW_MS) == worded(fever(), GERMAN, NOW_MS)
    assert worded(worded(nurse, GERMAN, NOW_MS), NURSE, NOW_MS) == nurse


CONFIG = """
[agent]
language = "de"
[[webhook]]
name = "ward"
url = "https://a.example/1"
form = "slack"
[[webhook]]
name = "phone"
url = "https://a.example/2"
form = "slack"
[[contact]]
name = "carer"
role = "{role}"
language = "en"
unit = "F"
channels = ["phone"]
[[step]]
contacts = ["carer"]
"""


@pytest.mark.parametrize(
    "role, reads", [("caregiver", "caregiver"), ("nurse", CLINICIAN), ("on_call", CLINICIAN)]
)
def test_a_receiver_reads_as_its_contact_and_a_system_as_a_clinician_in_the_agents_language(role, reads):
    readers = readers_of(parse_config(CONFIG.format(role=role)))
    assert readers == {"phone": Reader(reads, "en", "F"), "ward": Reader(CLINICIAN, "de")}


def test_a_language_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r'agent.language \(line 3\): expected one of "en", "de"'):
        parse_config(CONFIG.format(role="nurse").replace('language = "de"', 'language = "fr"'))


def test_the_laptop_itself_has_no_patient():
    made = events.alarm_event(
        events.Origin(None, "", None, 0, None, None, None), None, alarm=codes.STORE_FAULT, priority=3, simulated=False,
        occurred=(NOW_MS, 0), contact=Contact("", "", "1", "2"), now_ms=NOW_MS,
    )  # fmt: skip
    assert f"URGENT {AT}, this laptop: the laptop cannot save" in text(json.loads(made.payload))
