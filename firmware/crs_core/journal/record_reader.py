"""Reads the payloads of event records by the layouts of record_layout.py."""

from crs_core.errors import RemoteError
from crs_core.journal.record_layout import LAYOUTS, NONE_MARKS, SIZES, TEXT_MAX
from crs_core.journal.record_types import TYPES


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise RemoteError("record cut short")
    return int.from_bytes(data[at : at + size], "little")


def _bytes(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise RemoteError("record cut short")
    return data[at : at + size]


def text_of(data: bytes) -> str:
    """UTF-8 text; RemoteError when it is not."""
    try:
        return str(data, "utf-8")
    except UnicodeError:
        raise RemoteError("text is not UTF-8")


def _get(data: bytes, at: int, code: str):  # type: ignore[no-untyped-def]
    none = None
    if code in NONE_MARKS:
        code, none = NONE_MARKS[code]
    if code in SIZES:
        value = _number(data, at, SIZES[code])
        return None if value == none else value, at + SIZES[code]
    if code == "K":
        return _bytes(data, at, 8), at + 8
    if code in "xr":
        return (text_of(data[at:]) if code == "x" else data[at:]), len(data)
    if code in "sp":
        head = 1 if code == "s" else 2
        size = _number(data, at, head)
        at += head
        raw = _bytes(data, at, size)
        return (text_of(raw) if code == "s" else raw), at + size
    count = _number(data, at, 1)
    at += 1
    if code == "l":
        return tuple(_bytes(data, at, count)), at + count
    width = 1 if code == "c" else 4
    items = []
    for _ in range(count):
        items.append((_number(data, at, 1), _number(data, at + 1, width)))
        at += 1 + width
    return tuple(items), at


def decode(kind: int, payload: bytes):  # type: ignore[no-untyped-def]
    """Namedtuple of a known type, None for an unknown one; RemoteError when short, long or not text."""
    if kind not in LAYOUTS:
        return None
    name, cls = TYPES[kind]
    payload = bytes(payload)
    fields = []
    at = 0
    for code in LAYOUTS[kind]:
        value, at = _get(payload, at, code)
        fields.append(value)
    if at != len(payload):
        raise RemoteError("bytes after the last field of %s" % name)
    if kind in TEXT_MAX and len(payload) - 6 > TEXT_MAX[kind]:
        raise RemoteError("%s text longer than %d bytes" % (name, TEXT_MAX[kind]))
    return cls(*fields)
