"""Blocks: the same bytes on flash, on the wire and archived on the host. The header layout is fixed for ever.

Little-endian. Offsets: 0 magic 0xC5, 1 version << 4 | kind, 2 codec << 4 | flags, 3 count, 4 body length u16,
6 boot u32, 10 first seq u32, 14 start time u48 (ms since boot of the first record), 20 body, then CRC-32.
The CRC runs over the 8-byte journal id, then header and body: a block of another journal does not verify.
Record i of a block has sequence first_seq + i. An unknown kind, codec or flag still parses and
verifies.
"""

import struct
from binascii import crc32
from collections import namedtuple

from crs_core import codec2, varint
from crs_core.compat import const
from crs_core.errors import LocalError, RemoteError
from crs_core.units import Reading

MAGIC = const(0xC5)
VERSION = const(1)
KIND_READINGS = const(1)
KIND_EVENTS = const(2)
CODEC_TLV = const(0)
CODEC_ROWS = const(1)  # is read for ever and written no more
CODEC_COLUMNS = const(2)
FLAG_SIMULATED = const(1)
HEADER_LEN = const(20)
OVERHEAD = const(24)  # header and CRC
COUNT_MAX = const(255)
BLOCK_MAX = const(4095)  # what an encoder may write: with its type byte it fills one message
SEQ_MAX = const(0xFFFFFFFF)

_HEADER = "<BBBBHIIIH"
T_LIMIT = 1 << 48

Header = namedtuple(
    "Header", ("version", "kind", "codec", "flags", "count", "body_len", "boot", "first_seq", "start_ms")
)
# One record that is not a reading: t_ms since boot, type (see records.py), payload bytes.
Event = namedtuple("Event", ("t_ms", "type", "payload"))


def parse_header(buf: bytes | memoryview, offset: int = 0) -> Header:
    """Header at `offset`; says nothing about the body. RemoteError when it cannot be one."""
    if offset < 0 or len(buf) - offset < HEADER_LEN:
        raise RemoteError("block header cut short")
    magic, a, b, count, body_len, boot, first, low, high = struct.unpack_from(_HEADER, buf, offset)
    if magic != MAGIC:
        raise RemoteError("not a block: first byte is 0x%02x" % magic)
    if a >> 4 != VERSION:
        raise RemoteError("block header version %d" % (a >> 4))
    if count == 0:
        raise RemoteError("block without a record")
    if first == 0 or first + count - 1 > SEQ_MAX:
        raise RemoteError("block with a sequence outside 1..2**32-1")
    return Header(VERSION, a & 15, b >> 4, b & 15, count, body_len, boot, first, low | high << 32)


def block_len(buf: bytes | memoryview, offset: int = 0) -> int:
    """Bytes of the whole block whose header is at `offset`."""
    size: int = parse_header(buf, offset).body_len + OVERHEAD
    return size


def last_seq(header: Header) -> int:
    """Sequence of the last record of the block."""
    return int(header.first_seq) + int(header.count) - 1


def verify(buf: bytes | memoryview, journal_id: bytes) -> bool:
    """Whether `buf` is exactly one whole block of the journal `journal_id`; never raises on its content."""
    size = len(buf)
    if size < OVERHEAD + 1:
        return False
    try:
        if block_len(buf) != size:
            return False
    except RemoteError:
        return False
    return crc_holds(buf, journal_id)


def crc_holds(buf: bytes | memoryview, journal_id: bytes) -> bool:
    """Whether the last 4 bytes are the CRC of what is before them; for a caller that has read the header already."""
    end = len(buf) - 4
    crc = struct.unpack_from("<I", buf, end)[0]
    return bool(crc32(memoryview(buf)[:end], crc32(journal_id)) == crc)


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
        _HEADER, MAGIC, VERSION << 4 | kind, codec << 4 | flags, count, len(body), boot, first_seq,
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
    body = codec2.encode(readings, start_ms)
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


def decode(buf: bytes | memoryview, journal_id: bytes) -> tuple[Header, list[Reading] | list[Event] | None]:
    """(header, readings or events) of one whole block; the list is None when kind, codec or flag is unknown.

    RemoteError when the CRC does not hold for this journal or the body breaks its codec.
    """
    from crs_core import block_reader  # not at the top: a wearable writes all day and reads at its start

    return block_reader.decode(buf, journal_id)


def decode_events(buf: bytes | memoryview, journal_id: bytes) -> tuple[Header, list[Event]]:
    """As `decode` for one block; no events when it is not a block of events that this version understands."""
    header, rows = decode(buf, journal_id)
    events: list[Event] = rows if header.kind == KIND_EVENTS and rows else []  # type: ignore[assignment]
    return header, events


def split(buf: bytes | memoryview) -> list[bytes]:
    """The whole blocks that `buf` consists of, by their lengths (CRC not looked at); RemoteError on a rest."""
    from crs_core import block_reader

    return block_reader.split(buf)
