"""All that the wearable's flash ever held: looked at whenever the wearable is dead, because then nobody writes.

The last look alone would not do: flash drops acknowledged records when its budget is full, and a record that was there
once and is gone after a power cut would not be missed.
"""

from pathlib import Path
from typing import Any, NamedTuple

from crs_core.journal import block_layout, block_reader

from tools.rig.journal_check import flash_blocks


class Numbered(NamedTuple):
    """One record under its number; `record` is a crs_core Reading or journal event."""

    boot: int
    kind: int
    record: Any


class Archive:
    """`records` of every look together; `faults`: what no flash of a sound wearable shows."""

    def __init__(self) -> None:
        self.journal_id = b""
        self.records: dict[int, Numbered] = {}
        self.faults: list[str] = []
        self.latest: set[int] = set()  # numbers in the last look
        self._blocks: dict[int, bytes] = {}
        self.must_have = 0  # what the store must hold, because the agent was given time to read it
        self.looks = 0

    @property
    def head(self) -> int:
        """The highest number seen."""
        return max(self.records, default=0)

    def oldest(self, kind: int) -> int:
        """The lowest number of a kind in the last look: what is below may have been dropped for want of room."""
        return min((seq for seq in self.latest if self.records[seq].kind == kind), default=0)

    def look(self, image: Path) -> None:
        """Take in what is on flash now."""
        journal_id, blocks = flash_blocks(image)
        if self.journal_id not in {b"", journal_id}:
            self.faults.append(f"journal {self.journal_id.hex()} became {journal_id.hex()} unasked")
        self.journal_id = journal_id
        self.looks += 1
        self.latest = set()
        for first, data in blocks.items():
            count = block_layout.parse_header(data).count
            self.latest.update(range(first, first + count))
            if self._blocks.get(first) != data:
                self._take(first, data)

    def _take(self, first: int, data: bytes) -> None:
        header, rows = block_reader.decode(data, self.journal_id)
        if rows is None:
            self.faults.append(f"block {first} is of an unknown kind")
            return
        self._blocks[first] = data
        for seq, record in enumerate(rows, first):
            new = Numbered(header.boot, header.kind, record)
            if self.records.setdefault(seq, new) != new:
                self.faults.append(f"number {seq} stands for two contents on flash")
