"""Writes the payloads of event records: `write(BUTTON, 2)`. record_layout.py has every type's fields."""

from crs_core.errors import LocalError
from crs_core.journal.record_layout import LAYOUTS, NONE_MARKS, SIZES, TEXT_MAX


def _put(out: bytearray, code: str, value) -> None:  # type: ignore[no-untyped-def]
    if code in NONE_MARKS:
        code, none = NONE_MARKS[code]
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


def write(kind: int, *fields) -> bytes:  # type: ignore[no-untyped-def]
    """Payload of one record of type `kind`, its fields in the order of the layout. LocalError when one does not fit."""
    layout = LAYOUTS[kind]
    if len(fields) != len(layout):
        raise LocalError("a record of type %d has %d fields, not %d" % (kind, len(layout), len(fields)))
    out = bytearray()
    for i in range(len(layout)):
        _put(out, layout[i], fields[i])
    if kind in TEXT_MAX and len(fields[-1].encode()) > TEXT_MAX[kind]:
        raise LocalError("text of a record of type %d longer than %d bytes" % (kind, TEXT_MAX[kind]))
    return bytes(out)
