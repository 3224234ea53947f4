"""The text of an alarm for nurses and caregivers: how urgent, when, who, what with its value, what to do, whom to call.

    URGENT 03:07, JS-60 (Bed 3): oxygen low: 86 %. Look at the patient now. Care team 555-0100. Emergency 112.

The words of each alarm are the table `ALARM_TEXTS` in crs_core/code_texts.py.
"""

from typing import Any, NamedTuple

from crs_core import code_texts, codes, units
from crs_core.errors import RemoteError
from crs_core.grade import alarms, rules

from host_agent.patient.contact import Contact
from host_agent.text import heart_rate_text, local_time_near, marked, site_text, span_text, temperature_words

LEADS = {codes.PRIORITY_HIGH: "URGENT", codes.PRIORITY_MEDIUM: "ALARM", codes.PRIORITY_LOW: "NOTICE"}
_AHEAD_MS = 30_000  # beyond the error of a dated record: the clock was wrong then, or is wrong now
_LATE_MS = 120_000  # a block of readings may wait for so long: what is older is said to be old
# Alarms whose detail is written for nurses; of every other one it is for engineers.
_WITH_DETAIL = (
    codes.PROMPT_MISSED, codes.NO_DATA_YET, codes.STALE_DATA, codes.FUTURE_DATA, codes.NOT_BACK,
    codes.NO_SOUND, codes.LAPTOP_BATTERY,
)  # fmt: skip


class Values(NamedTuple):
    """What the wearable measured when it raised an alarm; None was not measured or may not be used."""

    temp_cc: int | None = None
    site: int = units.SITE_NONE
    spo2_tenths: int | None = None
    hr_bpm: int | None = None


NO_VALUES = Values()


class When(NamedTuple):
    """Wall time of an alarm (None: not known), and of the moment at which its text is made.

    `late` is how its age is said: a text that is sent is read later than it was made.
    """

    utc_ms: int | None
    now_ms: int
    late: str = "{} ago"


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
    )  # fmt: skip


def alarm_words(
    alarm: int, priority: int, contact: Contact, when: When, *, simulated: bool, values: Values = NO_VALUES,
    detail: str = "",
) -> str:  # fmt: skip
    """The whole text. An alarm of a newer wearable has no words here and says so."""
    text = code_texts.ALARM_TEXTS.get(
        alarm, "an alarm that this laptop does not know. Look at the patient now."
    )
    said = text.format_map(
        {
            "temperature": _temperature(alarm, values, contact.unit), "saturation": _saturation(values),
            "values": _all(values, contact.unit), "missing": _missing(values),
            "detail": f": {detail}" if detail and alarm in _WITH_DETAIL else "",
        }
    )  # fmt: skip
    return people_words(priority, contact, when, said, simulated=simulated)


def people_words(priority: int, contact: Contact, when: When, said: str, *, simulated: bool) -> str:
    """`said` between how urgent it is, when and about whom, and the numbers to call."""
    # a priority that there is none may be anything, so it is the highest; 0 is the end of an alarm
    lead = LEADS.get(priority, "URGENT") if priority else "ENDED"
    return marked(simulated, f"{lead} {_when(when)}, {contact.about}: {said} {contact.call}")


def alarm_noun(alarm: int) -> str:
    """What is the case, without values: `oxygen low`."""
    text = code_texts.ALARM_TEXTS.get(alarm, f"{code_texts.alarm_name(alarm)}.")
    return text.split(".")[0].split("{")[0].strip()


def noun_of(name: str) -> str:
    """What is the case, by the name of an alarm; a name that nobody knows here stays as it is."""
    numbers = {known: number for number, known in code_texts.ALARM_NAMES.items()}
    return alarm_noun(numbers[name]) if name in numbers else name


def _when(when: When) -> str:
    if when.utc_ms is None or when.utc_ms - when.now_ms > _AHEAD_MS:
        return "at a time not known"
    age_ms = when.now_ms - when.utc_ms
    at = local_time_near(when.utc_ms, when.now_ms)
    return f"{at} ({when.late.format(span_text(age_ms / 1000))})" if age_ms >= _LATE_MS else at


def _temperature(alarm: int, values: Values, unit: str) -> str:
    """Only a temperature that says what the alarm says: a fever may have been entered by hand."""
    if values.temp_cc is None or (alarm == codes.FEVER and values.temp_cc < 3800):
        return ""
    return f": {temperature_words(values.temp_cc, unit)}, {site_text(values.site)}"


def _saturation(values: Values) -> str:
    """Only a saturation that is low: it may have risen since the alarm began."""
    tenths = values.spo2_tenths
    if tenths is None or tenths >= rules.DEFAULT.spo2_medium_tenths:
        return ""
    return f": {_percent(tenths)}"


def _missing(values: Values) -> str:
    """What was not measured; nothing is said when no record tells."""
    if values is NO_VALUES:
        return ""
    missing = [
        name
        for name, value in (("temperature", values.temp_cc), ("oxygen", values.spo2_tenths))
        if value is None
    ]
    return f": {' and '.join(missing)} not measured" if missing else ""


def _all(values: Values, unit: str) -> str:
    found = []
    if values.temp_cc is not None:
        found.append(f"temperature {temperature_words(values.temp_cc, unit)}, {site_text(values.site)}")
    if values.spo2_tenths is not None:
        found.append(f"oxygen {_percent(values.spo2_tenths)}")
    if values.hr_bpm is not None:
        found.append(f"heart rate {heart_rate_text(values.hr_bpm)}")
    return f": {', '.join(found)}" if found else ""


def _percent(tenths: int) -> str:
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10} %"
