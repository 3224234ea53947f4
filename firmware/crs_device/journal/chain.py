"""A chain of segment files in one directory: append at the end, find by sequence, drop from the front.

In RAM: (first sequence, bytes) of each segment, from names and sizes alone, and a few read positions; never a
segment's content. Segment `0000002a.seg` begins with sequence 42. A segment with damage is never appended to again
and stays where it is until its turn to be dropped: its readable blocks still count.
"""

import os

from crs_core.compat import const
from crs_core.journal import block_layout
from crs_device.journal import segment

# No constant of the compiler: a flash of another size sets it.
FLASH_BLOCK = 4096  # what a file really takes is rounded up to this
_CURSORS = const(4)  # ordered and event reader of two links
_PIECE = const(1024)  # bytes read at once: opening a file costs more reads of flash than its blocks do
_NO_PIECE = (0, 0, b"")
_READ_TRIES = const(3)  # reads of a segment that may fail before its records are reported as corrupt


def _rounded(size: int) -> int:
    return (size + FLASH_BLOCK - 1) // FLASH_BLOCK * FLASH_BLOCK


class Chain:
    """One directory of segments. `segments` is a list of (first_seq, size), oldest first."""

    def __init__(self, path: str, journal_id: bytes, seal_at: int) -> None:
        self.path = path
        self.journal_id = journal_id
        self.segments: list[tuple[int, int]] = []
        self.used = 0  # bytes on flash, rounded up per file
        self.corrupt = 0  # damaged runs met while reading
        self.seal_at = seal_at
        self._read_faults: dict[int, int] = {}  # segment first: failed reads in a row
        # the block that was read and verified last
        self._fetched: tuple[block_layout.Header, bytes] | None = None
        self._piece: tuple[int, int, bytes] = _NO_PIECE  # (segment first, offset, bytes) that were read last
        self._open = False  # whether the last segment may be appended to
        # (from_seq, segment first, offset, header or None, damaged): the first block whose last sequence is
        # >= from_seq is at that place; header None: the chain ended there. `damaged`: bad bytes were passed on the way.
        self._cursors: list[tuple[int, int, int, block_layout.Header | None, bool]] = []

    def file(self, first_seq: int) -> str:
        """Path of the segment that begins with `first_seq`."""
        return "%s/%08x.seg" % (self.path, first_seq)

    def load(self) -> None:
        """List the directory. OSError when it cannot be read."""
        self.segments = []
        leftovers = []
        for name, size in _listed(self.path):
            first = _first_of(name)
            if first:
                self.segments.append((first, size))
            elif name.endswith(".new"):
                leftovers.append(name)
        # files of a merge that a power cut interrupted
        for name in leftovers:
            os.remove(self.path + "/" + name)
        self.segments.sort()
        self._recount()
        self._open = False
        self._cursors = []
        self._piece = _NO_PIECE

    def _recount(self) -> None:
        self.used = sum(_rounded(size) for _, size in self.segments)

    def resume(self) -> tuple[int, int, tuple[int, block_layout.Header] | None, bool]:
        """Find the last valid block, usually by reading the newest segment, and make ready to append.

        Returns (last sequence or 0, first of its segment, (offset, header) of that block, doubt): `doubt` when
        bytes that are no block follow it, so a number above may once have been on flash here.
        """
        while self.segments and self.segments[-1][1] == 0:
            self._forget_last()  # power failed before its first block was complete
        doubt = False
        for index in range(len(self.segments) - 1, -1, -1):
            first, size = self.segments[index]
            found = None  # only the last one: a hundred headers would fill much of a chip's heap
            tail_bad = False
            try:
                found, end = segment.last_in_row(self.file(first), self.journal_id)
                if end < size:  # damage: only now the whole file is held in RAM
                    for offset, _, header in segment.walk(segment.read(self.file(first)), self.journal_id):
                        tail_bad = header is None
                        if header is None:
                            self.corrupt += 1
                        else:
                            found = (offset, header)
            except OSError:
                self.corrupt += 1
                tail_bad = True
            doubt = doubt or tail_bad
            self._open = not doubt
            if found is not None:
                return block_layout.last_seq(found[1]), first, found, doubt
        return 0, 0, None, doubt

    def growth(self, size: int) -> int:
        """Bytes of flash that appending `size` bytes takes."""
        old = self.segments[-1][1] if self._open else 0
        return _rounded(size) if old + size > self.seal_at else _rounded(old + size) - _rounded(old)

    def append(self, first_seq: int, data: bytes) -> None:
        """Write one block at the end. When it returns the block is on flash; on OSError nothing is promised."""
        size = self.segments[-1][1] if self._open else 0
        if not self._open or size + len(data) > self.seal_at:
            self.segments.append((first_seq, 0))
            size = 0
            self._open = True
        first = self.segments[-1][0]
        with open(self.file(first), "ab") as f:
            written = f.write(data)
        if written != len(data):
            raise OSError(28)
        self._resize(len(self.segments) - 1, size + len(data))

    def _resize(self, index: int, size: int) -> None:
        first, old = self.segments[index]
        self.segments[index] = (first, size)
        self.used += _rounded(size) - _rounded(old)

    def after_failure(self, data: bytes) -> bool:
        """Whether the block is on flash although `append` failed. If it is not, the segment is closed."""
        first, size = self.segments[-1]
        try:
            real = os.stat(self.file(first))[6]
            if real == size + len(data) and segment.read(self.file(first), size) == data:
                self._resize(len(self.segments) - 1, real)
                return True
        except OSError:
            real = size
        self._open = False
        if real:
            self._resize(len(self.segments) - 1, real)
        else:
            self._forget_last()
        return False

    def _forget_last(self) -> None:
        """Take the newest segment, which is empty, off the list and off flash; off the list in any case."""
        try:
            self._remove(len(self.segments) - 1)
        except OSError:
            self.segments.pop()

    def _remove(self, index: int) -> None:
        first, size = self.segments[index]
        if index == len(self.segments) - 1:
            self._open = False
        try:
            os.remove(self.file(first))
        except OSError as error:
            if error.args[0] != 2:
                raise
        self.segments.pop(index)
        self._piece = _NO_PIECE
        self.used -= _rounded(size)
        self._cursors = [c for c in self._cursors if c[1] != first]

    def replaced(self, index: int, first_seq: int, size: int) -> None:
        """Segment `index` was written anew with `size` bytes; when it begins later now, the old file goes. OSError: it
        is still there, beside the new one."""
        old = self.segments[index][0]
        self._piece = _NO_PIECE
        self._cursors = [c for c in self._cursors if c[1] not in (old, first_seq)]
        if first_seq == old:
            self._resize(index, size)
            return
        self.segments.insert(index + 1, (first_seq, size))
        self.used += _rounded(size)
        self._remove(index)

    def bound(self, index: int) -> int:
        """A sequence that the last record of segment `index` does not exceed (the newest has none: 2**32-1)."""
        return self.segments[index + 1][0] - 1 if index + 1 < len(self.segments) else block_layout.SEQ_MAX

    def drop(self, index: int) -> int:
        """Delete a segment that is not the newest; returns the bytes of flash it gave back."""
        size = self.segments[index][1]
        self._remove(index)
        return _rounded(size)

    def floor(self) -> int:
        """First sequence still here, 0 when empty."""
        return self.segments[0][0] if self.segments else 0

    def find(self, seq: int):  # type: ignore[no-untyped-def]
        """The first block whose last sequence is >= `seq`: (header, damaged) or (None, damaged). No body is read.

        `damaged`: between `seq` and that block bytes were met that are no valid block. OSError: flash refused to
        read; ask again. After three times in a row for one segment its rest counts as damaged.
        """
        for from_seq, _, _, header, damaged in self._cursors:
            if header is not None and from_seq <= seq <= block_layout.last_seq(header):
                return header, damaged
        index = len(self.segments) - 1
        while index > 0 and self.segments[index][0] > seq:
            index -= 1
        offset = 0
        damaged = False
        if index >= 0:
            for cursor in self._cursors:
                if cursor[1] == self.segments[index][0] and cursor[0] <= seq and cursor[2] >= offset:
                    offset = cursor[2]
                    damaged = False if cursor[3] else cursor[4]
                    if cursor[3]:
                        offset += cursor[3].body_len + block_layout.OVERHEAD
        while 0 <= index < len(self.segments):
            first, size = self.segments[index]
            header, offset, bad = self._scan(first, offset, size, seq)
            damaged = damaged or bad
            if header is None and index == len(self.segments) - 1:
                self._piece = _NO_PIECE  # the reader has all there is
            if header is not None or index == len(self.segments) - 1:
                self._remember((seq, first, offset, header, damaged))
                return header, damaged
            index += 1
            offset = 0
        return None, damaged

    def _scan(
        self, first: int, offset: int, size: int, seq: int
    ) -> tuple[block_layout.Header | None, int, bool]:
        """First valid block from `offset` with last sequence >= seq: (header or None, its offset or end, damaged)."""
        try:
            found = self._search(first, offset, size, seq)
            if first in self._read_faults:
                self._read_faults.pop(first)
            return found
        except OSError:
            tries = self._read_faults.get(first, 0) + 1
            self._read_faults[first] = tries
            if tries < _READ_TRIES:
                raise
            self.corrupt += 1
            return None, size, True

    def _search(
        self, first: int, offset: int, size: int, seq: int
    ) -> tuple[block_layout.Header | None, int, bool]:
        path = self.file(first)
        damaged = False
        while offset < size:
            found = self._block(first, offset)
            if found is None:
                break
            if block_layout.last_seq(found[0]) >= seq:
                self._fetched = found
                return found[0], offset, damaged
            offset += len(found[1])
        if offset < size:
            for at, _, header in segment.walk(segment.read(path, offset), self.journal_id):
                if header is None:
                    damaged = True
                    self.corrupt += 1
                elif block_layout.last_seq(header) >= seq:
                    return header, offset + at, damaged
        return None, size, damaged

    def _block(self, first: int, offset: int) -> tuple[block_layout.Header, bytes] | None:
        """The valid block at `offset` of a segment, or None; several are read at once, each verified when asked for."""
        kept = self._piece
        if kept[0] == first and kept[1] <= offset:
            found = segment.block_in(kept[2], offset - kept[1], self.journal_id)
            if found is not None:
                return found
        kept = self._piece = _NO_PIECE  # else two would be in RAM at once
        path = self.file(first)
        data = segment.read_piece(path, offset, _PIECE)
        found = segment.block_in(data, 0, self.journal_id)
        if found is None:  # longer than a piece, or none
            return segment.read_block(path, offset, self.journal_id)
        self._piece = (first, offset, data)
        return found

    def _remember(self, cursor: tuple[int, int, int, block_layout.Header | None, bool]) -> None:
        kept = [c for c in self._cursors if c[1:3] != cursor[1:3]]
        self._cursors = [cursor] + kept[: _CURSORS - 1]

    def load_block(self, header: block_layout.Header) -> bytes | None:
        """Bytes of the block that `find` just named; None when they no longer verify."""
        found = self._fetched
        self._fetched = None
        if found is not None and found[0] == header:
            return found[1]
        for cursor in self._cursors:
            if cursor[3] == header:
                try:
                    found = segment.read_block(self.file(cursor[1]), cursor[2], self.journal_id)
                except OSError:
                    found = None
                if found is not None and found[0] == header:
                    return found[1]
        self._cursors = []  # search again: the block was damaged in the meantime
        return None


def _listed(path: str):  # type: ignore[no-untyped-def]
    """Yield (name, size) of each entry. A board gives both in one pass; asking for each size takes a pass for each."""
    if hasattr(os, "ilistdir"):
        for entry in os.ilistdir(path):
            yield entry[0], entry[3] if len(entry) > 3 else os.stat(path + "/" + entry[0])[6]
    else:
        for name in os.listdir(path):
            yield name, os.stat(path + "/" + name)[6]


def _first_of(name: str) -> int:
    """Sequence in a segment's name, 0 when it is not one."""
    if len(name) != 12 or not name.endswith(".seg"):
        return 0
    try:
        return int(name[:8], 16)
    except ValueError:
        return 0
