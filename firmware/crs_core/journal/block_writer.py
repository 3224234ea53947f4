"""Makes blocks: readings in codec 2, events as records. block_layout.py has the layout."""

import struct
from binascii import crc32

from crs_core.errors import LocalError
from crs_core.journal import codec2_writer, varint
from crs_core.journal.block_layout import (
    BLOCK_MAX,
    CODEC_COLUMNS,
    CODEC_TLV,
    COUNT_MAX,
    HEADER,
    KIND_EVENTS,
    KIND_READINGS,
    MAGIC,
    OVERHEAD,
    SEQ_MAX,
    T_LIMIT,
    VERSION,
)
from crs_core.units import Reading


def seal(
    journal_id: bytes,
    kind: int,
    codec: int,
    flags: int,
    count: int,
    boot: int,
    first_seq: int,
    start_ms: int,
    body: bytes,
) -> bytes:
    """Put header and CRC around a body. LocalError when a field does not fit."""
    if len(journal_id) != 8:
        raise LocalError("journal id must be 8 bytes")
    if not 1 <= count <= COUNT_MAX or not body or len(body) + OVERHEAD > BLOCK_MAX:
        raise LocalError("block of %d records in %d bytes" % (count, len(body)))
    if first_seq < 1 or first_seq + count - 1 > SEQ_MAX or not 0 <= boot <= SEQ_MAX:
        raise LocalError("boot %d or sequence %d does not fit" % (boot, first_seq))
    if not 0 <= start_ms < T_LIMIT or flags >> 4 or kind >> 4 or codec >> 4:
        raise LocalError("block header field does not fit")
    head = struct.pack(
        HEADER, MAGIC, VERSION << 4 | kind, codec << 4 | flags, count, len(body), boot, first_seq,
        start_ms & 0xFFFFFFFF, start_ms >> 32,
    )  # fmt: skip
    head += body
    return head + struct.pack("<I", crc32(head, crc32(journal_id)))


def encode_readings(
    journal_id: bytes, boot: int, first_seq: int, readings: list[Reading], flags: int = 0
) -> bytes:
    """One block of 1..255 readings in codec 2."""
    if not readings:
        raise LocalError("no readings to encode")
    start_ms = readings[0][0]
    body = codec2_writer.encode(readings, start_ms)
    return seal(
        journal_id, KIND_READINGS, CODEC_COLUMNS, flags, len(readings), boot, first_seq, start_ms, body
    )


def encode_events(
    journal_id: bytes, boot: int, first_seq: int, events: list[tuple[int, int, bytes]], flags: int = 0
) -> bytes:
    """One block of 1..255 (t_ms, type, payload); no event may be earlier than the first."""
    if not events:
        raise LocalError("no events to encode")
    start_ms = events[0][0]
    body = bytearray()
    for t_ms, kind, payload in events:
        if not 0 <= kind <= 255:
            raise LocalError("event type %d outside one byte" % kind)
        body.append(kind)
        varint.put(body, len(payload))
        varint.put(body, t_ms - start_ms)
        body.extend(payload)
    return seal(
        journal_id, KIND_EVENTS, CODEC_TLV, flags, len(events), boot, first_seq, start_ms, bytes(body)
    )
