"""Entries as numbers: from the link into the words of the vocabulary, and into the state that survives a boot.

The numbers are those of crs_core.context. One more, RISING, is only in a state.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

import struct

from crs_core import context, units
from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.grade import vocabulary
from crs_core.grade.entries import RISING_NEED

_RISING = const(64)
_AGE_MAX = 0xFFFFFFFF
_VASOPRESSORS: tuple = ([], ["other"], ["other", "other"], ["vasopressin"])
_WORDS = {
    context.SITE: units.SITES,
    context.BLOOD_PRESSURE: ("normal", "hypotension"),
    context.VASOPRESSORS: _VASOPRESSORS,
    context.OXYGEN: vocabulary.OXYGEN,
    context.CONSCIOUSNESS: ("spontaneous", "voice", "touch", "unarousable"),
    context.SEIZURE: ("none", "brief", "prolonged"),
    context.DEATH: ("", "crs", "icans", "other"),
}
_FLAGS = (
    context.ANTIPYRETIC,
    context.STEROID,
    context.ANTICYTOKINE,
    context.FEVER_EARLIER,
    context.FEVER_OTHER_CAUSE,
    context.VENTILATION_NOT_FOR_HYPOXIA,
    context.MOTOR_WEAKNESS,
    context.EPISODE_CLOSED,
    _RISING,
)
# A flow is compared with earlier ones only, so its unit does not matter here.
_NAMES = {context.ORGAN_GRADE_WORST: "organ_grade", context.FLOW_DLPM: "flow_lpm", _RISING: RISING_NEED}


def _word(number: int, value: int) -> object:
    if number in _WORDS:
        words = _WORDS[number]
        if value >= len(words):
            raise RemoteError("context value %d of key %d has no meaning" % (value, number))
        return words[value]
    return value != 0 if number in _FLAGS else value


def _name(number: int) -> str:
    if number in _NAMES:
        return _NAMES[number]
    if number not in context.KEYS:
        raise RemoteError("context key %d is unknown" % number)
    return context.KEYS[number][0]


def values_of(numbers: dict) -> dict:
    """{key of the vocabulary: value or None} of what context.decode returned; RemoteError on one without meaning."""
    return {_name(n): None if numbers[n] is None else _word(n, numbers[n]) for n in numbers}


def put(out: bytearray, told: list, now_ms: int) -> None:
    """Append entries by number: count u8, then {number u8, value u16, mark u8, age u32 ms}.

    Only keys of crs_core.context are kept: a wearable has no others.
    """
    by_name = {_name(n): n for n in list(context.KEYS) + [_RISING]}
    rows = []
    for key, value, t_ms, mark in told:
        if key in by_name:
            number = by_name[key]
            code = _code(number, value)
            rows.append(struct.pack("<BHBI", number, code, mark, min(max(now_ms - t_ms, 0), _AGE_MAX)))
    if not rows:
        return
    out.append(len(rows))
    for row in sorted(rows):
        out.extend(row)


def _code(number: int, value: object) -> int:
    if number in _WORDS:
        words = _WORDS[number]
        for i in range(len(words)):
            if words[i] == value:
                return i
        raise RemoteError("%r of context key %d has no number" % (value, number))
    return int(value)  # type: ignore[call-overload]


def get(data: bytes, offset: int, now_ms: int) -> tuple:
    """(entries, offset behind them) of what `put` wrote; RemoteError when the bytes cannot be read."""
    if offset >= len(data):
        raise RemoteError("entries cut short")
    count = data[offset]
    offset += 1
    if not count or len(data) < offset + 8 * count:
        raise RemoteError("entries cut short")
    told = []
    for _ in range(count):
        number, code, mark, age_ms = struct.unpack("<BHBI", data[offset : offset + 8])
        if mark > 1:
            raise RemoteError("entry with mark %d" % mark)
        told.append([_name(number), _word(number, code), now_ms - age_ms, mark])
        offset += 8
    return sorted(told, key=_key), offset


def _key(entry: list) -> str:
    return entry[0]
