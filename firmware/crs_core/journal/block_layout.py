"""The layout of a block: the same bytes on flash, on the wire and in the host's archive. The header is fixed for ever.

Little-endian. Offsets: 0 magic 0xC5, 1 version << 4 | kind, 2 codec << 4 | flags, 3 count, 4 body length u16,
6 boot u32, 10 first seq u32, 14 start time u48 (ms since boot of the first record), 20 body, then CRC-32.
The CRC runs over the 8-byte journal id, then header and body: a block of another journal does not verify.
Record i of a block has sequence first_seq + i. A block of an unknown kind, codec or flag still parses and verifies.
block_writer.py makes blocks and block_reader.py decodes them.
"""

import struct
from binascii import crc32
from collections import namedtuple

from crs_core.compat import const
from crs_core.errors import RemoteError

MAGIC = const(0xC5)
VERSION = const(1)
KIND_READINGS = const(1)
KIND_EVENTS = const(2)
CODEC_TLV = const(0)
CODEC_ROWS = const(1)  # read for ever, no longer written
CODEC_COLUMNS = const(2)
FLAG_SIMULATED = const(1)
HEADER_LEN = const(20)
OVERHEAD = const(24)  # header and CRC
COUNT_MAX = const(255)
BLOCK_MAX = const(4095)  # bytes; with its type byte such a block fills one message
SEQ_MAX = const(0xFFFFFFFF)

HEADER = "<BBBBHIIIH"
T_LIMIT = const(1 << 48)

Header = namedtuple(
    "Header", ("version", "kind", "codec", "flags", "count", "body_len", "boot", "first_seq", "start_ms")
)
# One record that is not a reading: t_ms since boot, type (record_layout.py), payload bytes.
Event = namedtuple("Event", ("t_ms", "type", "payload"))


def parse_header(buf: bytes | memoryview, offset: int = 0) -> Header:
    """Header at `offset`; the body is not looked at. RemoteError when these bytes cannot be a header."""
    if offset < 0 or len(buf) - offset < HEADER_LEN:
        raise RemoteError("block header cut short")
    magic, a, b, count, body_len, boot, first, low, high = struct.unpack_from(HEADER, buf, offset)
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
    """Whether the last 4 bytes are the CRC of those before them; for a caller that has read the header."""
    end = len(buf) - 4
    crc = struct.unpack_from("<I", buf, end)[0]
    return bool(crc32(memoryview(buf)[:end], crc32(journal_id)) == crc)
