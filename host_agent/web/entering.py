"""The form for what only people know: its fields, and the values of the entry that they make."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from crs_core.grade import vocabulary

from host_agent.people import context_values, said

AGO_MAX_MIN = 24 * 60


class Choice(NamedTuple):
    """One of a list; `value` "" says nothing."""

    value: str
    text: str


class Field(NamedTuple):
    """`choices` empty: something is typed, for example `example`. `keys` are those of the entry that it makes."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    example: str
    keys: tuple[str, ...]


class Group(NamedTuple):
    """Fields that are asked together."""

    name: str
    label: str
    fields: tuple[Field, ...]


_NOTHING = Choice("", "–")


def _words(key: str, texts: Mapping[str, str] | None = None) -> tuple[Choice, ...]:
    words = [str(word).lower() if isinstance(word, bool) else str(word) for word in vocabulary.WORDS[key]]
    return (_NOTHING, *(Choice(word, (texts or {}).get(word, word.replace("_", " "))) for word in words))


_YES_NO = {"true": "yes", "false": "no, asked and not given"}
_SITES = {
    "oral": "by mouth",
    "axilla": "armpit",
    "tympanic": "ear",
    "rectal": "rectal",
    "core": "core",
    "skin": "skin",
}

GROUPS = (
    Group("temperature", "Temperature taken by hand", (
        Field("temperature", "Temperature", (), "38.4 or 101.2F", ("temperature_cc",)),
        Field("site", "Taken where", _words("site", _SITES), "", ("site",)),
    )),
    Group("pressure", "Blood pressure", (
        Field("pressure", "Blood pressure", (), "120/80", ("systolic_mmhg", "diastolic_mmhg")),
    )),
    Group("oxygen", "Oxygen", (
        Field("oxygen", "How oxygen is given", _words("oxygen"), "", ("oxygen",)),
        Field("flow", "Flow in litres per minute", (), "2", ("flow_lpm",)),
        Field("saturation", "SpO2 by another device", (), "92", ("spo2_tenths",)),
    )),
    Group("neurological", "Neurological check", (
        Field("ice", "ICE score, 12 years and over", (), "10", ("ice",)),
        Field("capd", "CAPD score, below 12 years", (), "0", ("capd",)),
        Field("consciousness", "Wakes up", _words("consciousness", {"spontaneous": "by themselves",
              "voice": "to voice", "touch": "to touch", "unarousable": "not at all"}), "", ("consciousness",)),
        Field("seizure", "Seizure", _words("seizure"), "", ("seizure",)),
        Field("motor_weakness", "New weakness of a limb", _words("motor_weakness", {"true": "yes", "false": "no"}), "",
              ("motor_weakness",)),
    )),
    Group("drugs", "Drugs that hide a fever", (
        Field("antipyretic", "Drug against fever or pain, last 24 hours", _words("antipyretic", _YES_NO), "",
              ("antipyretic",)),
        Field("steroid", "Steroid, last 7 days", _words("steroid", _YES_NO), "", ("steroid",)),
        Field("anticytokine", "Drug against cytokines", _words("anticytokine", _YES_NO), "", ("anticytokine",)),
    )),
)  # fmt: skip
FIELDS = {field.name: field for group in GROUPS for field in group.fields}

_READ: dict[str, Callable[[str], dict[str, Any]]] = {
    "temperature": lambda text: {"temperature_cc": said.temperature_cc(text)},
    "pressure": lambda text: dict(said.pressure(text)),
    "flow": lambda text: {"flow_lpm": said.litres_per_minute(text)},
    "saturation": lambda text: {"spo2_tenths": said.saturation_tenths(text)},
    "ice": lambda text: {"ice": said.whole(text, *vocabulary.INTEGERS["ice"])},
    "capd": lambda text: {"capd": said.whole(text, *vocabulary.INTEGERS["capd"])},
}


def values_of(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """(values of an entry, field → what is wrong with it). A field that is left empty says nothing."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, field in FIELDS.items():
        text = form.get(name, "").strip()
        if not text:
            continue
        try:
            values |= _read(field, text)
        except ValueError as error:
            wrong[name] = f"{error}."
    if "temperature_cc" in values and "site" not in values:
        wrong["site"] = "Say where the temperature was taken."
    if "site" in values and "temperature_cc" not in values and "temperature" not in wrong:
        wrong["temperature"] = "Write the temperature that was taken there."
    if not values and not wrong:
        wrong["temperature"] = "Nothing is filled in. Fill in what you know; leave out the rest."
    if not wrong and (fault := context_values.fault(values)):
        key = fault.partition(":")[0]
        wrong[next((field.name for field in FIELDS.values() if key in field.keys), "temperature")] = (
            f"{fault}."
        )
    return values, wrong


def _read(field: Field, text: str) -> dict[str, Any]:
    if not field.choices:
        return _READ[field.name](text)
    if text not in {choice.value for choice in field.choices}:
        raise ValueError(f"{text}: not one of the choices")
    return {field.keys[0]: {"true": True, "false": False}.get(text, text)}


def ago_ms(text: str) -> int:
    """How long ago it was observed, from minutes as they are typed; "" is now. ValueError."""
    return said.whole(text, 0, AGO_MAX_MIN) * 60_000 if text.strip() else 0
