"""One segment file: whole blocks one after the other, at most 8 KiB. Reads verify; bytes that do not are skipped."""

from crs_core import block
from crs_core.errors import RemoteError

SEGMENT_MAX = 8192


def read(path: str, offset: int = 0) -> bytes:
    """Bytes of the file from `offset`; OSError after a second try, also when the heap has no room for them now."""
    try:
        return _read(path, offset)
    except OSError:
        return _read(path, offset)
    except MemoryError:
        raise OSError(12)


def _read(path: str, offset: int) -> bytes:
    with open(path, "rb") as f:
        if offset:
            f.seek(offset)
        return f.read(SEGMENT_MAX)


def read_block(path: str, offset: int, journal_id: bytes) -> tuple[block.Header, bytes] | None:
    """The valid block at exactly `offset`, or None. OSError from flash."""
    with open(path, "rb") as f:
        f.seek(offset)
        head = f.read(block.HEADER_LEN)
        try:
            header = block.parse_header(head)
        except RemoteError:
            return None
        data = head + f.read(header.body_len + block.OVERHEAD - block.HEADER_LEN)
    return (header, data) if block.verify(data, journal_id) else None


def walk(data: bytes, journal_id: bytes):  # type: ignore[no-untyped-def]
    """Yield (offset, length, header) for every valid block in order, header None for a run that is none.

    After damage the next byte that could be a magic is tried until a CRC holds, so one bad block hides no other.
    """
    at = 0
    bad_from = -1
    view = memoryview(data)
    while at < len(data):
        header = None
        try:
            header = block.parse_header(data, at)
            length = header.body_len + block.OVERHEAD
            if at + length > len(data) or not block.crc_holds(view[at : at + length], journal_id):
                header = None
        except RemoteError:
            pass
        if header is None:
            if bad_from < 0:
                bad_from = at
            at = data.find(b"\xc5", at + 1)
            if at < 0:
                break
            continue
        if bad_from >= 0:
            yield bad_from, at - bad_from, None
            bad_from = -1
        yield at, length, header
        at += length
    if bad_from >= 0:
        yield bad_from, len(data) - bad_from, None
