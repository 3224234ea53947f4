"""What people say, as values of an entry: 120/80, 38.4, 38,4 or 101.2F, 2.5 L. ValueError says what was expected."""

import re

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
