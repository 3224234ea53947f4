"""One segment file: whole blocks one after the other, at most 8 KiB. Reads verify; bytes that do not are skipped."""

from crs_core.compat import const
from crs_core.journal import block_layout
from crs_core.errors import RemoteError

SEGMENT_MAX = const(8192)


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
        size = f.seek(0, 2) - offset  # a read of more would take all of that from the heap first
        f.seek(offset)
        return f.read(min(max(size, 0), SEGMENT_MAX))


def last_in_row(path: str, journal_id: bytes) -> tuple[tuple[int, block_layout.Header] | None, int]:
    """((offset, header) of the last valid block before the first byte that is none, or None; the offset behind it).

    One block is in RAM at a time. OSError after a second try, also when the heap has no room for it now.
    """
    try:
        return _last_in_row(path, journal_id)
    except OSError:
        return _last_in_row(path, journal_id)
    except MemoryError:
        raise OSError(12)


def _last_in_row(path: str, journal_id: bytes) -> tuple[tuple[int, block_layout.Header] | None, int]:
    found = None
    at = 0
    with open(path, "rb") as f:
        while True:
            read = _block_of(f, journal_id)
            if read is None:
                return found, at
            found = (at, read[0])
            at += len(read[1])


def read_piece(path: str, offset: int, size: int) -> bytes:
    """At most `size` bytes from `offset`. OSError from flash."""
    with open(path, "rb") as f:
        f.seek(offset)
        return f.read(size)


def block_in(data: bytes, at: int, journal_id: bytes) -> tuple[block_layout.Header, bytes] | None:
    """The valid block at `at` of these bytes, or None: there is none, or not all of it."""
    try:
        header = block_layout.parse_header(data, at)
    except RemoteError:
        return None
    raw = data[at : at + header.body_len + block_layout.OVERHEAD]
    return (header, raw) if block_layout.verify(raw, journal_id) else None


def read_block(path: str, offset: int, journal_id: bytes) -> tuple[block_layout.Header, bytes] | None:
    """The valid block at exactly `offset`, or None. OSError from flash."""
    with open(path, "rb") as f:
        f.seek(offset)
        return _block_of(f, journal_id)


def _block_of(f, journal_id: bytes) -> tuple[block_layout.Header, bytes] | None:  # type: ignore[no-untyped-def]
    """The valid block at the place of the file `f`, or None."""
    head = f.read(block_layout.HEADER_LEN)
    try:
        header = block_layout.parse_header(head)
    except RemoteError:
        return None
    if header.body_len > SEGMENT_MAX:  # it is damaged: no such block was ever written
        return None
    data = head + f.read(header.body_len + block_layout.OVERHEAD - block_layout.HEADER_LEN)
    return (header, data) if block_layout.verify(data, journal_id) else None


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
            header = block_layout.parse_header(data, at)
            length = header.body_len + block_layout.OVERHEAD
            if at + length > len(data) or not block_layout.crc_holds(view[at : at + length], journal_id):
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
