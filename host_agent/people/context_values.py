"""The values of one context entry: checked against the grader's vocabulary, and in the form that is signed."""

from decimal import Decimal
from typing import Any

from crs_core.errors import RemoteError
from crs_core.grade import entries, vocabulary

# "complete" says that every key that is not listed was asked for and is absent. What that means, key by key:
NONE_VALUES: dict[str, Any] = {
    "constitutional": False,
    "blood_pressure": "normal",
    "fluids_for_bp": "none",
    "vasopressors": [],
    "refractory": False,
    "oxygen": "room_air",
    "organ_grade": 0,
    "transaminase_grade": 0,
    "creatinine_grade": 0,
    "coagulopathy_treated": False,
    "hospitalised_for_crs": False,
    "ice": 10,
    "consciousness": "spontaneous",
    "seizure": "none",
    "motor_weakness": False,
    "cerebral_oedema": "none",
    "fever_earlier": False,
    "antipyretic": False,
    "steroid": False,
    "anticytokine": False,
}
# These stay until somebody changes them by name.
ONLY_BY_NAME = ("fever_earlier", "antipyretic", "steroid", "anticytokine")
PRESSURE = ("blood_pressure", "systolic_mmhg", "diastolic_mmhg", "map_mmhg")
# A newer value of the first key removes the older values of the others.
DROPS: dict[str, tuple[str, ...]] = {
    **dict(entries.REPLACES),
    "diastolic_mmhg": tuple(key for key in PRESSURE if key != "diastolic_mmhg"),
    "temperature_cc": ("site",),
}
_FRACTION_PLACES = 3


def fault(values: dict[str, Any]) -> str:
    """What is wrong with the values of an entry, with the key named; "" when nothing is. None stands for withdrawn."""
    if not values:
        return "an entry needs a value"
    if "death" in values:
        return "death: is signed and countersigned, with `cytowatch sign death`"
    given = {key: value for key, value in values.items() if value is not None}
    if ("site" in values) != ("temperature_cc" in values) or ("site" in given) != ("temperature_cc" in given):
        return "site: give it together with temperature_cc, and only then"
    try:
        vocabulary.check(given)
        for key in values:
            if key not in given:
                _check_key(key)
    except RemoteError as error:
        return str(error.args[0])
    return ""


def _check_key(key: str) -> None:
    """RemoteError unless the vocabulary has this key; `context` is a statement about others and cannot be withdrawn."""
    if key == "context":
        raise RemoteError("context: withdraw the keys by their names")
    try:
        vocabulary.check({key: object()})
    except RemoteError as error:
        if str(error.args[0]).endswith("unknown key"):
            raise


def to_signed(values: dict[str, Any]) -> dict[str, Any]:
    """The values as an entry holds them: a number that is not whole becomes its shortest text.

    ValueError for more than three decimals.
    """
    return {key: _text(key, value) if type(value) is float else value for key, value in values.items()}


def from_signed(values: dict[str, Any]) -> dict[str, Any]:
    """The values as the vocabulary has them; ValueError for a text that `to_signed` would not have written."""
    out = dict(values)
    for key in ("vasopressor_hours", "flow_lpm", "fio2_pct"):
        if isinstance(values.get(key), str):
            number = float(values[key])
            if number.is_integer() or _text(key, number) != values[key]:
                raise ValueError(f"{key}: {values[key]!r} is not the shortest form of a number")
            out[key] = number
    return out


def _text(key: str, value: float) -> Any:
    if value.is_integer():
        return int(value)
    number = Decimal(repr(value))
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_FRACTION_PLACES:
        raise ValueError(f"{key}: at most {_FRACTION_PLACES} decimals")
    return format(number, "f")
