"""The text of an alarm on a screen: how urgent, when, who, what with its value, what to do, whom to call.

    URGENT 03:07, JS-60 (Bed 3): oxygen low: 86 %. Look at the patient now. Care team 555-0100. Emergency 112.

The words are those of clinicians in `words/languages/en.toml`. What a message says to its reader is made in `words/`.
"""

from typing import Any, NamedTuple

from crs_core import code_texts, codes, units
from crs_core.errors import RemoteError
from crs_core.grade import alarms

from host_agent.escalation.words import values as say
from host_agent.escalation.words.catalogue import PLACEHOLDER, catalogue
from host_agent.escalation.words.values import NO_VALUES, Values
from host_agent.languages import FIRST
from host_agent.patient.contact import Contact
from host_agent.text import local_time_near, marked, span_text

_LEADS = {codes.PRIORITY_HIGH: "URGENT", codes.PRIORITY_MEDIUM: "ALARM", codes.PRIORITY_LOW: "NOTICE"}
_LATE_MS = 120_000  # a block of readings may wait for so long: what is older is said to be old
# Alarms whose detail is written for nurses; of every other one it is for engineers.
_WITH_DETAIL = (
    codes.PROMPT_MISSED, codes.NO_DATA_YET, codes.STALE_DATA, codes.FUTURE_DATA, codes.NOT_BACK,
)  # fmt: skip


class When(NamedTuple):
    """Wall time of an alarm (None: not known), and of the moment at which its text is made."""

    utc_ms: int | None
    now_ms: int


def values_of(record: Any) -> Values:
    """The values in an ALARM record; none in any other record, or when they cannot be read."""
    try:
        inputs = alarms.decode_inputs(record.inputs)
    except (AttributeError, RemoteError):
        return NO_VALUES
    is_temp = inputs.temp_state == units.TEMP_VALID and inputs.site in range(1, len(units.SITES))
    is_ppg = inputs.ppg_state == units.PPG_VALID
    return Values(
        inputs.temp_cc if is_temp else None, inputs.site if is_temp else units.SITE_NONE,
        inputs.spo2_tenths if is_ppg else None, inputs.hr_bpm if is_ppg else None,
        inputs.temp_age_ms if is_temp else 0, inputs.ppg_age_ms if is_ppg else 0,
    )  # fmt: skip


def alarm_words(
    alarm: int, priority: int, contact: Contact, when: When, *, simulated: bool, values: Values = NO_VALUES,
    detail: str = "",
) -> str:  # fmt: skip
    """The whole text. An alarm of a newer wearable has no words here and says so."""
    words, (what, do) = catalogue(FIRST), _pair(alarm)
    said = f"{what}. {do}".format_map(
        {
            "temperature": say.temperature(words, alarm, values, contact.unit),
            "saturation": say.saturation(words, values),
            "values": say.everything(words, values, contact.unit), "missing": say.missing(words, values),
            "detail": f": {detail}" if detail and alarm in _WITH_DETAIL else "",
        }
    )  # fmt: skip
    return people_words(priority, contact, when, said, simulated=simulated)


def people_words(priority: int, contact: Contact, when: When, said: str, *, simulated: bool) -> str:
    """`said` between how urgent it is, when and about whom, and the numbers to call."""
    # a priority that there is none may be anything, so it is the highest; 0 is the end of an alarm
    lead = _LEADS.get(priority, "URGENT") if priority else "ENDED"
    return marked(simulated, f"{lead} {_when(when)}, {contact.about}: {said} {contact.call}")


def alarm_noun(alarm: int) -> str:
    """What is the case, without values: `oxygen low`."""
    if alarm not in code_texts.ALARM_NAMES:
        return str(code_texts.alarm_name(alarm))
    return PLACEHOLDER.sub("", _pair(alarm)[0]).strip()


def noun_of(name: str) -> str:
    """What is the case, by the name of an alarm; a name that nobody knows here stays as it is."""
    numbers = {known: number for number, known in code_texts.ALARM_NAMES.items()}
    return alarm_noun(numbers[name]) if name in numbers else name


def _pair(alarm: int) -> tuple[str, str]:
    words, key = catalogue(FIRST), f"alarm.{code_texts.ALARM_NAMES.get(alarm, 'unknown')}.clinician"
    return words[f"{key}.what"], words[f"{key}.do"]


def _when(when: When) -> str:
    if when.utc_ms is None or when.utc_ms - when.now_ms > say.AHEAD_MS:
        return "at a time not known"
    age_ms = when.now_ms - when.utc_ms
    at = local_time_near(when.utc_ms, when.now_ms)
    return f"{at} ({span_text(age_ms / 1000)} ago)" if age_ms >= _LATE_MS else at
