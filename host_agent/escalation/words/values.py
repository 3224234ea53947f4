"""Values, names and times as they stand in a sentence of one language. Nothing that was not measured is shown."""

from collections.abc import Iterable
from typing import NamedTuple

from crs_core import codes, units
from crs_core.grade import rules

from host_agent.escalation.words.catalogue import Catalogue
from host_agent.printable import printable
from host_agent.text import local_time_near, span_text, temperature_words

AHEAD_MS = 30_000  # beyond the error of a dated record: the clock was wrong then, or is wrong now
LATE_MS = 60_000
_LONGEST_WORD = 60


class Values(NamedTuple):
    """What the wearable measured when it raised an alarm; None was not measured or may not be used.

    The ages are those at that moment.
    """

    temp_cc: int | None = None
    site: int = units.SITE_NONE
    spo2_tenths: int | None = None
    hr_bpm: int | None = None
    temp_age_ms: int = 0
    ppg_age_ms: int = 0


NO_VALUES = Values()


def plain(text: object, longest: int = _LONGEST_WORD) -> str:
    """A name, a number to call or a reason from outside, as it may stand in a sentence: one line, not long."""
    line = " ".join(printable(str(text)).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def temperature(words: Catalogue, alarm: int, values: Values, unit: str) -> str:
    """Only a temperature that says what the alarm says: a fever may have been entered by hand."""
    if values.temp_cc is None or (alarm == codes.FEVER and values.temp_cc < 3800):
        return ""
    said = words["value.temperature_alone"].format(
        value=_degrees(words, values, unit), site=_site(words, values)
    )
    return f": {_aged(words, said, values.temp_age_ms)}"


def saturation(words: Catalogue, values: Values) -> str:
    """Only a saturation that is low: it may have risen since the alarm began."""
    tenths = values.spo2_tenths
    if tenths is None or tenths >= rules.DEFAULT.spo2_medium_tenths:
        return ""
    return f": {_aged(words, _percent(words, tenths), values.ppg_age_ms)}"


def missing(words: Catalogue, values: Values) -> str:
    """What was not measured; nothing is said when no record tells."""
    pairs = (("temperature", values.temp_cc), ("oxygen_reading", values.spo2_tenths))
    found = [words[f"input.{name}"] for name, value in pairs if value is None]
    if values is NO_VALUES or not found:
        return ""
    both = words["value.and"].format(first=found[0], second=found[1]) if len(found) > 1 else found[0]
    return f": {words['value.missing'].format(names=both)}"


def everything(words: Catalogue, values: Values, unit: str) -> str:
    """Each value that there is."""
    found = []
    if values.temp_cc is not None:
        said = words["value.temperature"].format(
            value=_degrees(words, values, unit), site=_site(words, values)
        )
        found.append(_aged(words, said, values.temp_age_ms))
    if values.spo2_tenths is not None:
        said = words["value.saturation"].format(value=_percent(words, values.spo2_tenths))
        found.append(_aged(words, said, values.ppg_age_ms))
    if values.hr_bpm is not None:
        found.append(words["value.heart_rate"].format(value=values.hr_bpm))
    return f": {', '.join(found)}" if found else ""


def names(words: Catalogue, inputs: Iterable[object]) -> str:
    """Inputs by their names in events, in words."""
    return ", ".join(words.get(f"input.{name}", plain(name)) for name in inputs)


def moment(words: Catalogue, utc_ms: int | None, now_ms: int, *, late_ms: int) -> str:
    """When something happened, and that it comes late when it does."""
    if utc_ms is None or utc_ms - now_ms > AHEAD_MS:
        return words["line.when_unknown"]
    at = local_time_near(utc_ms, now_ms)
    if late_ms <= LATE_MS:
        return at
    return words["line.when_late"].format(at=at, span=_minutes(late_ms))


def _minutes(span_ms: int) -> str:
    """In whole minutes, and in hours above an hour."""
    return span_text(span_ms // 60_000 * 60)


def _aged(words: Catalogue, said: str, age_ms: int) -> str:
    return (
        said if age_ms < LATE_MS else words["value.measured_before"].format(value=said, span=_minutes(age_ms))
    )


def _degrees(words: Catalogue, values: Values, unit: str) -> str:
    assert values.temp_cc is not None
    return temperature_words(values.temp_cc, unit).replace(".", words["decimal_mark"])


def _site(words: Catalogue, values: Values) -> str:
    name = units.SITES[values.site] if 0 <= values.site < len(units.SITES) else "unknown"
    return words.get(f"site.{name}", words["site.unknown"])


def _percent(words: Catalogue, tenths: int) -> str:
    text = f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10} %"
    return text.replace(".", words["decimal_mark"])
