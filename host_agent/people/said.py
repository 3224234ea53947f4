"""What people say, as values of an entry: 120/80, 38.4, 38,4 or 101.2F, 2.5 L. ValueError says what was expected."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

_NUMBER = re.compile(r"([0-9]{1,4})(?:[.,]([0-9]{1,3}))?")
_C_CC, _F_TENTHS = (2500, 4500), (770, 1130)  # what a body or a thermometer can show; no number is in both


def pressure(text: str) -> dict[str, int]:
    """`120/80` as both pressures in mmHg."""
    found = re.fullmatch(r"\s*([0-9]{2,3})\s*[/\s]\s*([0-9]{2,3})\s*(?:mm\s*Hg)?\s*", text, re.IGNORECASE)
    if found is None:
        raise ValueError(f"{text.strip()}: expected both numbers of the blood pressure, for example 120/80")
    systolic, diastolic = int(found.group(1)), int(found.group(2))
    if systolic <= diastolic:
        raise ValueError(f"{text.strip()}: the first number is the higher one, for example 120/80")
    return {"systolic_mmhg": systolic, "diastolic_mmhg": diastolic}


def temperature_cc(text: str) -> int:
    """`38.4`, `38,4`, `38.4 °C`, `101.2F` as hundredths of a °C, cut and never rounded down below a limit.

    A number without a unit is °C or °F by its size: no body temperature can be both.
    """
    found = re.fullmatch(
        r"\s*([0-9]{2,3})(?:[.,]([0-9]{1,2}))?\s*(?:°|º|deg)?\s*([CF])?\s*", text, re.IGNORECASE
    )
    if found is None:
        raise ValueError(f"{text.strip()}: expected a temperature, for example 38.4 or 101.2F")
    hundredths = int(found.group(1)) * 100 + int((found.group(2) or "0").ljust(2, "0"))
    unit = (found.group(3) or "").upper()
    is_f = unit == "F" or (not unit and hundredths > _C_CC[1])
    cc = -(-(hundredths - 3200) * 5 // 9) if is_f else hundredths
    if not _C_CC[0] <= cc <= _C_CC[1] or (is_f and not _F_TENTHS[0] <= hundredths // 10 <= _F_TENTHS[1]):
        raise ValueError(f"{text.strip()}: expected 25 to 45 °C or 77 to 113 °F, for example 38.4 or 101.2F")
    return cc


def litres_per_minute(text: str) -> float:
    """`2`, `2.5`, `2,5 L` of oxygen."""
    return _number(
        re.sub(r"\s*l(?:/?min)?\s*$", "", text.strip(), flags=re.IGNORECASE),
        "litres per minute, for example 2",
    )


def saturation_tenths(text: str) -> int:
    """`92`, `92.5 %` as tenths of a percent."""
    tenths = round(_number(text.replace("%", "").strip(), "a percentage, for example 92") * 10)
    if not 500 <= tenths <= 1000:
        raise ValueError(f"{text.strip()}: expected 50 to 100 %")
    return tenths


def whole(text: str, lowest: int, highest: int) -> int:
    """A whole number within its bounds."""
    if not re.fullmatch(r"[0-9]{1,4}", text.strip()) or not lowest <= int(text) <= highest:
        raise ValueError(f"{text.strip()}: expected a whole number from {lowest} to {highest}")
    return int(text)


def _number(text: str, expected: str) -> float:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text}: expected {expected}")
    return float(f"{found.group(1)}.{found.group(2) or 0}")


def temperature(text: str, sites: Sequence[str]) -> dict[str, Any]:
    """A temperature, with its site when one follows it: `38.4`, `101.2F oral`."""
    head, _, last = text.strip().rpartition(" ")
    if head and plain(last) in sites:
        return {"temperature_cc": temperature_cc(head), "site": plain(last)}
    return {"temperature_cc": temperature_cc(text)}


def yes_no(text: str) -> bool:
    """`y`, `yes`, `no`, also `j`, `ja`, `nein`."""
    word = plain(text)
    if word in ("y", "yes", "j", "ja", "true"):
        return True
    if word in ("n", "no", "nein", "false"):
        return False
    raise ValueError(f"{text.strip()}: expected y for yes or n for no")


def right_wrong(text: str) -> bool:
    """`r` or `right`, `w` or `wrong`, also `1` and `0`."""
    word = plain(text)
    if word in ("r", "right", "1"):
        return True
    if word in ("w", "wrong", "0"):
        return False
    raise ValueError(f"{text.strip()}: expected r for right or w for wrong")


def one_of(text: str, words: Sequence[str]) -> str:
    """A word of a list, by its number from 1, its name in any case, or how it begins when only one begins so."""
    word = plain(text)
    if re.fullmatch(r"[0-9]{1,2}", word):
        if 1 <= int(word) <= len(words):
            return words[int(word) - 1]
        raise ValueError(f"{text.strip()}: expected a number from 1 to {len(words)}, or a word of the list")
    begun = [one for one in words if one == word] or [one for one in words if word and one.startswith(word)]
    if len(begun) == 1:
        return begun[0]
    near = get_close_matches(word, words, 1)
    meant = f". Did you mean {near[0].replace('_', ' ')}?" if near and not begun else ""
    raise ValueError(
        f"{text.strip()}: expected a number from 1 to {len(words)}, or a word of the list{meant}"
    )


def plain(text: str) -> str:
    """A word as it is compared."""
    return text.strip().lower().replace("-", "_").replace(" ", "_")
