"""Decodes blocks. block_layout.py has the layout. A wearable loads this for its start only; a host reads all day."""

from crs_core.errors import RemoteError
from crs_core.journal import codec2_reader, varint
from crs_core.journal.block_layout import (
    CODEC_COLUMNS,
    CODEC_ROWS,
    CODEC_TLV,
    FLAG_SIMULATED,
    HEADER_LEN,
    KIND_EVENTS,
    KIND_READINGS,
    OVERHEAD,
    T_LIMIT,
    Event,
    Header,
    block_len,
    crc_holds,
    parse_header,
)
from crs_core.units import Reading


def _decode_events(body: bytes, count: int, start_ms: int) -> list[Event]:
    events = []
    n = 0
    size = len(body)
    for _ in range(count):
        if n >= size:
            raise RemoteError("events cut short")
        kind = body[n]
        length, n = varint.get(body, n + 1)
        dt, n = varint.get(body, n)
        if n + length > size or start_ms + dt >= T_LIMIT:
            raise RemoteError("event longer than its block or out of time")
        events.append(Event(start_ms + dt, kind, bytes(body[n : n + length])))
        n += length
    if n != size:
        raise RemoteError("bytes after the last event")
    return events


def decode(buf: bytes | memoryview, journal_id: bytes) -> tuple[Header, list[Reading] | list[Event] | None]:
    """(header, readings or events) of one whole block; the list is None when kind, codec or flag is unknown.

    RemoteError when the CRC does not hold for this journal or the body breaks its codec.
    """
    header = parse_header(buf)
    if not header.body_len or header.body_len + OVERHEAD != len(buf) or not crc_holds(buf, journal_id):
        raise RemoteError("block CRC does not hold for this journal")
    if header.flags & ~FLAG_SIMULATED:
        return header, None
    body = bytes(memoryview(buf)[HEADER_LEN : HEADER_LEN + header.body_len])
    if header.kind == KIND_READINGS and header.codec == CODEC_COLUMNS:
        return header, codec2_reader.decode(body, header.count, header.start_ms)
    if header.kind == KIND_READINGS and header.codec == CODEC_ROWS:
        # Not at the top: a wearable meets codec 1 only after an older program wrote it.
        from crs_core.journal import codec1_reader

        return header, codec1_reader.decode(body, header.count, header.start_ms)
    if header.kind == KIND_EVENTS and header.codec == CODEC_TLV:
        return header, _decode_events(body, header.count, header.start_ms)
    return header, None


def decode_events(buf: bytes | memoryview, journal_id: bytes) -> tuple[Header, list[Event]]:
    """As `decode` for one block; no events when it is not a block of events that this version understands."""
    header, rows = decode(buf, journal_id)
    events: list[Event] = rows if header.kind == KIND_EVENTS and rows else []  # type: ignore[assignment]
    return header, events


def split(buf: bytes | memoryview) -> list[bytes]:
    """The whole blocks that `buf` consists of, by their lengths (CRC not looked at); RemoteError on a rest."""
    blocks = []
    at = 0
    size = len(buf)
    view = memoryview(buf)
    while at < size:
        end = at + block_len(buf, at)
        if end > size:
            raise RemoteError("last block cut short")
        blocks.append(bytes(view[at:end]))
        at = end
    return blocks
