"""Payloads of the event records: one table, one writer, one reader.

Each type has a namedtuple and a layout, one letter per field, little-endian:
B u8, H u16, I u32, T u48, Q u64, K 8 raw bytes; g u8 or None (255), a u32 or None (2**32-1), t u48 or None (all
ones); s text (u8 length), p bytes (u16 length); l u8 count of u8, c u8 count of (u8, u8), h u8 count of (u8, u32);
x text to the end, r bytes to the end. Lists come back as tuples.
`encode(record)` and `decode(type, payload)` do every type; encode_boot(...), decode_boot(payload) one each.
"""

from collections import namedtuple

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

DETAIL_MAX = const(48)  # bytes of FAULT.detail
WHO_MAX = const(32)  # bytes of ACCEPTED.who

Boot = namedtuple(
    "Boot",
    ("cause", "prev_boot", "prev_last_ms", "lost_ms_max", "settings_version", "rule_hash", "app_version",
     "alarm_state", "grader_state"),
)  # fmt: skip
Settings = namedtuple("Settings", ("settings_version", "rule_hash", "calibration_id", "text"))
TimeMark = namedtuple("TimeMark", ("utc_ms", "bound_ms", "key_id"))
Grade = namedtuple(
    "Grade",
    ("scale", "scale_version", "rule_hash", "lower", "upper", "fever", "status", "reasons", "missing",
     "temp_age_ms", "ppg_age_ms", "state_after"),
)  # fmt: skip
Alarm = namedtuple("Alarm", ("rule_hash", "changes", "inputs", "state_before", "state_after_crc"))
GraderState = namedtuple("GraderState", ("reason", "rule_hash", "alarm_state", "grader_state"))
Button = namedtuple("Button", ("kind",))
SampleGap = namedtuple("SampleGap", ("sensor", "reason", "lost", "span_ms"))
Fault = namedtuple("Fault", ("subsystem", "code", "count", "detail"))
Binding = namedtuple("Binding", ("op", "binding_id", "profile"))
Accepted = namedtuple("Accepted", ("alarm_id", "priority", "key_id", "who"))
Maintenance = namedtuple("Maintenance", ("op", "reason"))
Calibration = namedtuple("Calibration", ("calibration_id", "text"))
Context = namedtuple("Context", ("data",))
Merged = namedtuple("Merged", ("type", "count", "first_seq", "last_seq", "first_ms", "last_ms"))
Health = namedtuple("Health", ("counters",))

# type: (name, class, layout)
TYPES = {
    1: ("BOOT", Boot, "BItIHKspp"),
    2: ("SETTINGS", Settings, "HKHx"),
    3: ("TIME_MARK", TimeMark, "QII"),
    4: ("GRADE", Grade, "BHKggBBllaap"),
    5: ("ALARM", Alarm, "KcppI"),
    6: ("GRADER_STATE", GraderState, "BKpp"),
    7: ("BUTTON", Button, "B"),
    8: ("SAMPLE_GAP", SampleGap, "BBII"),
    9: ("FAULT", Fault, "BBIx"),
    10: ("BINDING", Binding, "BKp"),
    11: ("ACCEPTED", Accepted, "BBIx"),
    12: ("MAINTENANCE", Maintenance, "BB"),
    13: ("CALIBRATION", Calibration, "Hx"),
    14: ("CONTEXT", Context, "r"),
    15: ("MERGED", Merged, "BIIITT"),
    16: ("HEALTH", Health, "h"),
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
    layout = TYPES[kind][2]
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
    for kind in TYPES:
        if isinstance(record, TYPES[kind][1]):
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
    # encode_boot(...), decode_boot(payload) and so on: made when asked for, since a wearable's heap is small
    verb, _, lower = name.partition("_")
    for kind in TYPES:
        if TYPES[kind][0].lower() == lower:
            if verb == "encode":
                return lambda *fields: _pack(kind, fields)
            if verb == "decode":
                return lambda payload: decode(kind, payload)
    raise AttributeError(name)
