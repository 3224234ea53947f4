"""The profile of a patient binding: what `patient start` asks for, as one canonical text.

The same text goes to the wearable's journal and into the store. It holds no name: the id is a pseudonym. Ages below
12 years are refused, because the rules in use are those for adults and adolescents.
"""

import datetime
import re
from typing import NamedTuple

from crs_core.units import SITES

from host_agent.errors import ConfigError
from host_agent.patient import phones
from host_agent.printable import printable

# Children have other limits. Without them a profile is refused: adult limits are never used instead.
YOUNGEST_YEARS = 12
OLDEST_YEARS = 120
PROFILE_BYTES = 400  # fits one record and a few messages
LABEL_CHARS = 40
_PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f=]{1,40}")


class Profile(NamedTuple):
    """Units: years, mmHg, tenths of a percent; dates ISO 8601. None was not stated."""

    patient: str
    age_years: int
    site: str
    infusion_date: str | None
    product: str | None
    systolic_mmhg: int | None
    call_number: str | None


def make_profile(
    *,
    patient: str,
    age_years: int | None,
    site: str,
    infusion_date: str | None = None,
    product: str | None = None,
    systolic_mmhg: int | None = None,
    call_number: str | None = None,
) -> Profile:
    """Check every field; raises ConfigError that names the option. `site` "" takes over that of the wearable."""
    if not _PSEUDONYM.fullmatch(patient):
        raise _refuse(
            "--patient", "a pseudonym of 1..32 letters, digits, dots and dashes, never a name", patient
        )
    if age_years is None:
        raise ConfigError(
            "--age-years is missing. Without an age there is no profile, and without a profile no grading.",
            "State the age in whole years.",
        )
    if age_years < YOUNGEST_YEARS:
        raise ConfigError(
            f"Age {age_years} is below {YOUNGEST_YEARS} years. This version has no rules for children, and adult "
            "limits must not be used instead.",
            "Do not use this prototype for a child below 12 years.",
        )
    if age_years > OLDEST_YEARS:
        raise _refuse("--age-years", f"whole years from {YOUNGEST_YEARS} to {OLDEST_YEARS}", str(age_years))
    if site and site not in SITES[1:]:
        raise _refuse("--site", f"one of {', '.join(SITES[1:])}", site)
    if infusion_date is not None:
        try:
            infusion_date = datetime.date.fromisoformat(infusion_date).isoformat()
        except ValueError:
            raise _refuse("--infusion-date", "a date such as 2026-03-31", infusion_date) from None
    if product is not None and not _TEXT.fullmatch(product):
        raise _refuse("--product", "1..40 characters without '='", product)
    if systolic_mmhg is not None and not 50 <= systolic_mmhg <= 250:
        raise _refuse("--baseline-systolic", "mmHg from 50 to 250", str(systolic_mmhg))
    if call_number is not None and (why := phones.fault("patient_call_number", call_number)):
        raise _refuse("--call-number", why, call_number)
    return Profile(patient, age_years, site, infusion_date, product, systolic_mmhg, call_number)


def check_label(label: str) -> str:
    """What people shall call the patient in messages; ConfigError when nobody could read it there."""
    plain = " ".join(label.split())
    if len(plain) > LABEL_CHARS or not any(one.isalnum() for one in plain) or printable(plain) != plain:
        raise _refuse(
            "--label", f"1..{LABEL_CHARS} characters that can be read, on one line", printable(label)
        )
    return plain


def encode_profile(profile: Profile) -> str:
    """Canonical text: `key=value` lines sorted by key, unset keys left out."""
    pairs = {key: value for key, value in profile._asdict().items() if value is not None}
    return "".join(f"{key}={pairs[key]}\n" for key in sorted(pairs))


def decode_profile(text: str | bytes) -> dict[str, str]:
    """The pairs of a canonical text; unknown keys are kept, lines without `=` are dropped.

    Bytes are what a damaged row holds: they must not keep the numbers of another patient from a text.
    """
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def day_number(profile_text: str, utc_ms: int) -> int | None:
    """Days since infusion at `utc_ms` by the calendar here (infusion day is 0); None without a date."""
    date = decode_profile(profile_text).get("infusion_date")
    if date is None:
        return None
    try:
        start = datetime.date.fromisoformat(date)
    except ValueError:
        return None
    return (datetime.datetime.fromtimestamp(utc_ms / 1000, datetime.UTC).astimezone().date() - start).days


def _refuse(option: str, expected: str, found: str) -> ConfigError:
    return ConfigError(
        f"{option}: expected {expected}, found {found!r}.", "See `cytowatch patient start --help`."
    )
