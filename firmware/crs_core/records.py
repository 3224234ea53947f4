"""Payloads of the event records: one table, one writer, one reader.

Each type has a namedtuple (record_types.py) and a layout, one letter per field, little-endian:
B u8, H u16, I u32, T u48, Q u64, K 8 raw bytes; g u8 or None (255), a u32 or None (2**32-1), t u48 or None (all
ones); s text (u8 length), p bytes (u16 length); l u8 count of u8, c u8 count of (u8, u8), h u8 count of (u8, u32);
x text to the end, r bytes to the end. Lists come back as tuples.
`encode(record)` and `decode(type, payload)` do every type; encode_boot(...), decode_boot(payload) one each.
"""

from crs_core.compat import const
from crs_core.errors import LocalError

BOOT = const(1)
SETTINGS = const(2)
TIME_MARK = const(3)
GRADE = const(4)
ALARM = const(5)
GRADER_STATE = const(6)
BUTTON = const(7)
SAMPLE_GAP = const(8)
FAULT = const(9)
BINDING = const(10)
ACCEPTED = const(11)
MAINTENANCE = const(12)
CALIBRATION = const(13)
CONTEXT = const(14)
MERGED = const(15)
HEALTH = const(16)
PAUSE = const(17)

DETAIL_MAX = const(48)  # bytes of FAULT.detail
WHO_MAX = const(32)  # bytes of ACCEPTED.who

# type: (name, layout)
TYPES = {
    1: ("BOOT", "BItIHKspp"),
    2: ("SETTINGS", "HKHx"),
    3: ("TIME_MARK", "QII"),
    4: ("GRADE", "BHKggBBllaap"),
    5: ("ALARM", "KcppI"),
    6: ("GRADER_STATE", "BKpp"),
    7: ("BUTTON", "B"),
    8: ("SAMPLE_GAP", "BBII"),
    9: ("FAULT", "BBIx"),
    10: ("BINDING", "BKp"),
    11: ("ACCEPTED", "BBIx"),
    12: ("MAINTENANCE", "BB"),
    13: ("CALIBRATION", "Hx"),
    14: ("CONTEXT", "r"),
    15: ("MERGED", "BIIITT"),
    16: ("HEALTH", "h"),
    17: ("PAUSE", "BBHI"),
}
TEXT_MAX = {FAULT: DETAIL_MAX, ACCEPTED: WHO_MAX}
SIZES = {"B": 1, "H": 2, "I": 4, "T": 6, "Q": 8}
NONE = {"g": ("B", 0xFF), "a": ("I", 0xFFFFFFFF), "t": ("T", (1 << 48) - 1)}


def _put(out: bytearray, code: str, value) -> None:  # type: ignore[no-untyped-def]
    if code in NONE:
        code, none = NONE[code]
        if value == none:
            raise LocalError("%d is the mark for None" % value)
        value = none if value is None else value
    if code in SIZES:
        size = SIZES[code]
        if value < 0 or value >> 8 * size:
            raise LocalError("%d does not fit %d bytes" % (value, size))
        out.extend(value.to_bytes(size, "little"))
    elif code == "K":
        if len(value) != 8:
            raise LocalError("field must be 8 bytes")
        out.extend(value)
    elif code in "xsrp":
        data = value.encode() if code in "xs" else bytes(value)
        if code in "sp":
            _put(out, "B" if code == "s" else "H", len(data))
        out.extend(data)
    else:
        _put(out, "B", len(value))
        for item in value:
            if code == "l":
                _put(out, "B", item)
            else:
                _put(out, "B", item[0])
                _put(out, "B" if code == "c" else "I", item[1])


def _pack(kind: int, fields: tuple) -> bytes:  # type: ignore[type-arg]
    layout = TYPES[kind][1]
    if len(fields) != len(layout):
        raise LocalError("%s has %d fields, not %d" % (TYPES[kind][0], len(layout), len(fields)))
    out = bytearray()
    for i in range(len(layout)):
        _put(out, layout[i], fields[i])
    if kind in TEXT_MAX and len(fields[-1].encode()) > TEXT_MAX[kind]:
        raise LocalError("%s text longer than %d bytes" % (TYPES[kind][0], TEXT_MAX[kind]))
    return bytes(out)


def type_of(record) -> int:  # type: ignore[no-untyped-def]
    """Type number of a record namedtuple; LocalError when it is none of them."""
    from crs_core.record_types import CLASSES

    for kind in CLASSES:
        if isinstance(record, CLASSES[kind]):
            return kind
    raise LocalError("not a record")


def encode(record) -> bytes:  # type: ignore[no-untyped-def]
    """Payload of a record namedtuple."""
    return _pack(type_of(record), record)


def decode(kind: int, payload: bytes):  # type: ignore[no-untyped-def]
    """Namedtuple of a known type, None for an unknown one; RemoteError when short, long or not text."""
    if kind not in TYPES:
        return None
    from crs_core.record_reader import (
        read,
    )  # not at the top: a wearable writes all day and reads once, at its start

    return read(kind, payload)


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    # encode_boot(...), decode_boot(payload) and the classes: made when asked for, since a wearable's heap is small
    verb, _, lower = name.partition("_")
    for kind in TYPES:
        if TYPES[kind][0].lower() == lower:
            if verb == "encode":
                return lambda *fields: _pack(kind, fields)
            if verb == "decode":
                return lambda payload: decode(kind, payload)
    from crs_core import record_types

    return getattr(record_types, name)
