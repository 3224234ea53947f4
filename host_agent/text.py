"""How values are written for people: one place, so that every screen, file and event says the same.

Nothing here reassures or advises treatment: a lower bound of 0 reads "no criterion met … on what was measured", a
missing value reads "not measured", and simulated data says SIMULATED.
"""

import datetime
import re
from collections.abc import Iterable, Sequence

from crs_core import code_texts, codes, units
from crs_core.grade.scales import SCALE_NAMES

from host_agent.wall_time import has_two_offsets

_HALF_DAY_MS = 43_200_000

SIMULATED = "SIMULATED"
_NOT_MEASURED = {
    units.TEMP_ABSENT: "no thermometer answers",
    units.TEMP_OFF_BODY: "thermometer off the body",
    units.TEMP_SETTLING: "thermometer settling",
    units.TEMP_OUT_OF_RANGE: "thermometer out of range",
    units.TEMP_STALE: "thermometer silent",
    units.TEMP_FLAT: "thermometer stuck",
    units.TEMP_ARTEFACT: "an open arm, a slipped probe or chill",
}
_SITES = {
    units.SITE_AXILLA: "armpit sensor",
    units.SITE_ORAL: "taken by mouth",
    units.SITE_TYMPANIC: "ear sensor",
    units.SITE_RECTAL: "rectal sensor",
    units.SITE_CORE: "core sensor",
    units.SITE_SKIN: "skin sensor",
}
_PROMPTS = {
    "blood_pressure": "blood pressure",
    "oxygen": "oxygen",
    "ice": "ICE or CAPD",
    "temperature_cc": "temperature taken by mouth",
}
_ADDRESS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*):(//|\\/\\/)([^\s\"'<>|]+)")
_PLAIN_PATH = re.compile(r"(/[a-z_-]{0,16})?[/.,;:)]*")
_AFTER_HOST = re.compile(r"[/?#\\]")
HIGHEST_COMPUTED = 4  # 5 is death in every scale: only ever a signed record


# The first and last moment that every time zone can write.
_FIRST_MS, _LAST_MS = -62_135_510_400_000, 253_402_214_400_000


def iso_utc(utc_ms: int) -> str:
    """`2026-03-31T14:05:09.250Z`; a time outside the years 1 to 9999 as the nearest one inside."""
    utc_ms = min(max(utc_ms, _FIRST_MS), _LAST_MS)
    moment = datetime.datetime.fromtimestamp(utc_ms // 1000, datetime.UTC)
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{utc_ms % 1000:03d}Z"


def local_time(utc_ms: int, *, with_date: bool = False, with_seconds: bool = True) -> str:
    """Wall time of this computer's zone: `14:05:09`, with its date or without its seconds when asked.

    On a day when the clocks change it has its offset, as it can be typed again: `02:30:00+01:00`.
    """
    within_ms = min(max(utc_ms, _FIRST_MS), _LAST_MS)
    moment = datetime.datetime.fromtimestamp(within_ms // 1000, datetime.UTC).astimezone()
    text = f"{moment.year:04d}-{moment:%m-%d} " if with_date else ""
    text += f"{moment:%H:%M:%S}" if with_seconds else f"{moment:%H:%M}"
    return text + (moment.isoformat()[19:] if has_two_offsets(moment.date()) else "")


def local_time_near(utc_ms: int, now_ms: int) -> str:
    """Wall time in minutes; with its date when it is not of this half day, before or after."""
    return local_time(utc_ms, with_date=abs(now_ms - utc_ms) >= _HALF_DAY_MS, with_seconds=False)


def local_of_iso(at: str | None, *, with_date: bool = False, with_seconds: bool = True) -> str:
    """What `iso_utc` wrote, in this computer's zone; `time not known` for None."""
    if at is None:
        return "time not known"
    return local_time(utc_ms_of_iso(at), with_date=with_date, with_seconds=with_seconds)


def utc_ms_of_iso(at: str) -> int:
    """What `iso_utc` was given."""
    return round(datetime.datetime.fromisoformat(at).timestamp() * 1000)


def span_text(seconds: float) -> str:
    """A duration in its two largest units: `45 s`, `12 min 30 s`, `3 h 5 min`, `2 d 4 h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    if whole < 86400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return _two(whole // 86400, "d", whole % 86400 // 3600, "h")


def temperature_text(temp_cc: int | None) -> str:
    """Both units, cut and never rounded up over a limit: `38.64 °C (101.5 °F)`."""
    if temp_cc is None:
        return "not measured"
    tenths_f = (temp_cc * 9 // 5 + 3200) // 10
    return f"{temp_cc // 100}.{temp_cc % 100:02d} °C ({tenths_f // 10}.{tenths_f % 10} °F)"


def temperature_words(temp_cc: int, unit: str = "C") -> str:
    """Both units in tenths, `unit` first, cut and never rounded up over a limit: `38.6 °C (101.5 °F)`."""
    tenths_f = (temp_cc * 9 // 5 + 3200) // 10
    celsius = f"{temp_cc // 100}.{temp_cc % 100 // 10} °C"
    fahrenheit = f"{tenths_f // 10}.{tenths_f % 10} °F"
    return f"{fahrenheit} ({celsius})" if unit == "F" else f"{celsius} ({fahrenheit})"


def site_text(site: int) -> str:
    """Where a temperature was taken, for caregivers: `armpit sensor`."""
    return _SITES.get(site, "a site not known")


def temperature_at_text(temp_cc: int | None, site: str, temp_state: int = units.TEMP_VALID) -> str:
    """The temperature with where it was taken: `38.64 °C (101.5 °F) axilla`, or `temperature not measured (why)`.

    A value that may not be graded is no body temperature, and is not shown as one.
    """
    if temp_state != units.TEMP_VALID:
        return f"temperature not measured ({_NOT_MEASURED.get(temp_state, 'not usable')})"
    return "temperature not measured" if temp_cc is None else f"{temperature_text(temp_cc)} {site}"


def percent_text(tenths: int | None) -> str:
    """`97.3 %` or `not measured`."""
    return "not measured" if tenths is None else f"{tenths // 10}.{tenths % 10} %"


def saturation_text(tenths: int | None, ppg_state: int) -> str:
    """`97.3 %`, `not measured`, or that the sensor rests by plan: no loss, and no value either."""
    if ppg_state == units.PPG_RESTING:
        return "not measured for some seconds (sensor resting)"
    return percent_text(tenths)


def heart_rate_text(bpm: int | None) -> str:
    """`84/min` or `not measured`."""
    return "not measured" if bpm is None else f"{bpm}/min"


def site_name(status: int) -> str:
    """Where the thermometer sits, by the status word of a reading; a number that names no site is shown as it is."""
    site = units.site_of(status)
    return str(units.SITES[site]) if site < len(units.SITES) else f"site {site}"


def priority_name(priority: int) -> str:
    """`HIGH`; a priority that there is none is the highest, because it may be anything."""
    return codes.PRIORITY_NAMES[
        priority if 0 <= priority < len(codes.PRIORITY_NAMES) else codes.PRIORITY_HIGH
    ]


def scale_name(scale: int, version: int, joint: str = " ") -> str:
    """`ASTCT 2019`; a scale of a newer wearable keeps its number."""
    return f"{SCALE_NAMES.get(scale) or f'scale {scale}'}{joint}{version}"


def missing_names(missing: Iterable[int]) -> list[str]:
    """What was not known, in words; an id of a newer wearable keeps its number."""
    return [code_texts.MISSING_TEXTS.get(item) or f"input {item}" for item in missing]


def prompt_names(names: Iterable[str]) -> str:
    """What people are asked for, in words: `blood pressure, ICE or CAPD`."""
    return ", ".join(_PROMPTS.get(name, name) for name in names)


def prompts_in(text: str) -> list[str]:
    """The names of what a text of `prompt_names` asks for."""
    asked = text.partition(": ")[2].split(", ")
    return [name for name, words in _PROMPTS.items() if words in asked]


def grade_text(
    scale: int,
    version: int,
    *,
    lower: int | None,
    upper: int | None,
    missing: Iterable[int],
    signed: bool,
    at_text: str,
) -> str:
    """The sentence of a grade; `at_text` is when it was computed, e.g. `14:05`."""
    head = f"CRS ({scale_name(scale, version)}):"
    unknown = missing_names(missing)
    tail = [f"Not known: {', '.join(unknown)}."] if unknown else []
    tail.append("Signed." if signed else "Not signed.")
    if lower is None or upper is None or max(lower, upper) > HIGHEST_COMPUTED:
        body = f"not gradable at {at_text}."
    elif upper == 0:
        body = f"no criterion met at {at_text} on what was measured."
    elif lower == 0:
        body = f"no criterion met at {at_text} on what was measured, could be up to {upper}."
    elif lower == upper:
        body = f"{lower} on what is known."
    else:
        body = f"at least {lower}, could be up to {upper}."
    return " ".join([head, body, *tail])


def marked(simulated: object, text: str) -> str:
    """`text`, led by SIMULATED when the data is."""
    return f"{SIMULATED}. {text}" if simulated else text


def _two(high: int, high_unit: str, low: int, low_unit: str) -> str:
    return f"{high} {high_unit}" + (f" {low} {low_unit}" if low else "")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Columns as wide as their content, two blanks apart."""
    cells = [tuple(header), *(tuple("" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def without_secrets(text: str) -> str:
    """`text` with every address in it cut to its scheme, machine and port: `https://chat.example.org/…`.

    User name, password, query and path may be a secret: whoever knows the path of a chat hook may post there.
    """
    return _ADDRESS.sub(_short_address, text)


def _short_address(found: re.Match[str]) -> str:
    scheme, rest = found.group(1), found.group(3)
    place = _AFTER_HOST.search(rest)
    host, after = (rest[: place.start()], rest[place.start() :]) if place else (rest, "")
    if "@" in after and "@" not in host:
        # Perhaps a password with a slash in it: then nothing before the @ is the machine.
        return f"{scheme}://…"
    # One plain word, a slash, or the stop at the end of a sentence hides nothing.
    shown = after if _PLAIN_PATH.fullmatch(after) else "/…"
    return f"{scheme}://{host.rpartition('@')[2]}{shown}"
