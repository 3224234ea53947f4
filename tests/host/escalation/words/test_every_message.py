"""Every text that anybody can get, for every reader: what each must say, and what none may say."""

import re

import pytest

from host_agent.escalation import events
from host_agent.escalation.words.catalogue import PLACEHOLDER, catalogue
from host_agent.escalation.words.reader import CLINICIAN, ROLES
from host_agent.escalation.words.values import NO_VALUES, Values
from host_agent.languages import LANGUAGES
from host_agent.patient.contact import Contact
from tools.dev.messages import BED, samples

AGENT = events.Origin(None, "", None, 0, None, None, None)
WHOLE = [(one, one.words) for one in samples()]
BARE = [
    (one, one.words)
    for one in samples(values=NO_VALUES, contact=Contact(device="Bed 3"), patient=None)
    if one.reader.unit != "F"
]
LAPTOP = [(one, one.words) for one in samples(values=Values(), contact=Contact(), patient=None, origin=AGENT)]
DIAGNOSIS = re.compile(
    r"\b(?:CRS|ICANS|cytokine|Zytokin\w*|ASTCT|CTCAE|syndrome?|neurotox\w*|sepsis|Sepsis|infection|Infektion)\b"
)
DEATH = re.compile(
    r"\b(?:dea(?:th|d)|died|dying|Tod\w*|tot|gestorben|verstorben|stirbt)\b|\b(?:grade|Grad) 5\b", re.I
)
REASSURES = re.compile(
    r"\b(?:OK|okay|normal\w*|safe|resolved|improved|confirmed|no CRS|all clear|fine|good|better|stable|relax|recovered"
    r"|in Ordnung|gut|besser|sicher|stabil|Entwarnung|behoben|keine Sorge|unbedenklich|vorbei und)\b(?! das)",
    re.I,
)
TREATMENT = re.compile(
    r"tocilizumab|steroid|Kortison|Paracetamol|ibuprofen|dexamethason|\b\d+ ?mg\b|give (?:oxygen|fluid)"
    r"|Sauerstoff geben|medicine|Medikament|drug|tablet",
    re.I,
)
FOR_ENGINEERS = re.compile(r"[{}]|None\b|\b[A-Z]+_[A-Z_]+\b|\.py\b|null|Traceback|[0-9a-f]{12}")
ASKS = re.compile(
    r"\b(?:call|ruf\w*|anrufen|sehen|look|tell|sag\w*|informieren|check|prüf\w*|messen|measure)\b", re.I
)


@pytest.mark.parametrize(
    "found", [WHOLE, BARE, LAPTOP], ids=["all known", "little known", "the laptop itself"]
)
def test_every_text_is_whole(found):
    assert len(found) > 1000
    for one, made in found:
        text, title = made["text"], made["title"]
        assert text.startswith(title) and title.endswith("."), (one.name, text)
        assert not FOR_ENGINEERS.search(text.replace("JS-60", "")), (one.name, text)
        assert ".." not in text and "  " not in text and " ." not in text and ": :" not in text, (
            one.name,
            text,
        )
        assert text == text.strip() and made["language"] == one.reader.language


def test_a_title_fits_a_lock_screen():
    for one, made in WHOLE:
        longest = 200 if one.reader.role == CLINICIAN else 150
        assert "\n" not in made["title"] and len(made["title"]) <= longest, (
            len(made["title"]),
            made["title"],
        )


@pytest.mark.parametrize(
    "found", [WHOLE, BARE, LAPTOP], ids=["all known", "little known", "the laptop itself"]
)
def test_no_diagnosis_and_no_word_of_death_in_a_first_line_or_for_a_family(found):
    for one, made in found:
        first_line = made["text"].partition("\n")[0]
        shown = first_line if one.reader.role == CLINICIAN else made["text"]
        assert not DIAGNOSIS.search(shown), (one.name, shown)
        assert not DEATH.search(made["text"]), (one.name, made["text"])
        if one.reader.role != CLINICIAN:
            assert "\n" not in made["text"] and not re.search(r"\b(?:grade|Grad)\b", shown), (one.name, shown)


@pytest.mark.parametrize(
    "found", [WHOLE, BARE, LAPTOP], ids=["all known", "little known", "the laptop itself"]
)
def test_nothing_reassures_and_nobody_is_treated(found):
    for one, made in found:
        assert not REASSURES.search(made["text"]), (one.name, REASSURES.search(made["text"]), made["text"])
        assert not TREATMENT.search(made["text"]), (one.name, made["text"])


def test_who_is_asked_to_act_has_both_numbers_in_the_text_and_for_a_button():
    for one, made in WHOLE:
        is_test = one.event["kind"] == "test"
        numbers = [entry["number"] for entry in made["to_call"]]
        assert numbers == ([] if is_test else [BED.care_team, BED.emergency]), one.name
        assert all((number in made["text"]) is not is_test for number in ("555-0100", "112")), (
            one.name,
            made["text"],
        )
        if not is_test:
            assert ASKS.search(made["text"]) or "watch" in made["text"] or "eobacht" in made["text"] or (
                one.event["kind"] in ("signed", "patient_end", "grade_rise", "alarm", "act")
            ), made["text"]  # fmt: skip
        assert all(number in entry["label"] for entry in made["to_call"] for number in [entry["number"]])


def test_a_number_that_is_not_known_is_said_in_the_readers_language():
    for one, made in BARE:
        missing = catalogue(one.reader.language)["line.no_number"]
        assert (made["text"].count(missing) >= 2) is (one.event["kind"] != "test") and made["to_call"] == []


def test_everything_says_whom_it_is_about_and_when():
    for one, made in WHOLE:
        if one.event["kind"] != "test":
            assert "JS-60" in made["title"], made["title"]
            assert ("Bed 3" in made["text"]) is (one.reader.role == CLINICIAN), made["text"]
        assert re.search(r" \d\d:\d\d", made["title"]), made["title"]


def test_what_comes_late_says_so_in_the_title_and_what_comes_in_time_does_not():
    for one, made in WHOLE:
        said = "late by 5 min" in made["title"] or "5 min verspätet" in made["title"]
        assert said is one.name.endswith(" late"), (one.name, made["title"])


def test_values_have_both_units_and_the_contacts_first():
    found = [(one, made["text"]) for one, made in WHOLE if one.name == "FEVER HIGH"]
    assert len(found) == len(LANGUAGES) * len(ROLES) * 2
    for one, text in found:
        celsius, fahrenheit = (
            ("38,4 °C", "101,2 °F") if one.reader.language == "de" else ("38.4 °C", "101.2 °F")
        )
        assert (text.index(celsius) < text.index(fahrenheit)) is (one.reader.unit == "C")


def test_an_end_never_says_more_than_what_is_measured():
    for one, made in WHOLE:
        if " over" in one.name:
            assert made["title"].startswith(catalogue(one.reader.language)["lead.over"])
            assert re.search(r"no longer|not found any more|again|nicht mehr|wieder", made["title"]), made[
                "title"
            ]


def test_patient_caregiver_and_clinician_have_texts_of_their_own():
    for name in (
        "FEVER HIGH",
        "HYPOXAEMIA HIGH",
        "LIFE_THREATENING HIGH",
        "GRADE_RISE 1..4",
        "PATIENT_BUTTON HIGH",
    ):
        for language in LANGUAGES:
            texts = {one.reader.role: made["text"] for one, made in WHOLE
                     if one.name == name and one.reader.language == language and one.reader.unit == "C"}  # fmt: skip
            assert len(set(texts.values())) == len(ROLES), name


def test_german_is_written_with_its_own_letters():
    """`ae`, `oe`, `ue` stand only where German has them."""
    for key, text in catalogue("de").items():
        found = re.findall(r"\w*(?:ae|oe|ue)\w*", PLACEHOLDER.sub("", text))
        allowed = re.compile(r"neue|dauer|sauerstoff|frequenz|zuerst", re.I)
        assert [word for word in found if not allowed.search(word)] == [], (key, text)
