"""What goes when the byte budget is full, in this order, and what is said about it.

Readings have three quarters: the oldest segment goes. Events have the reserved quarter: first segments whose every
record is acknowledged; then repeats: of blocks that hold one and the same kind of repeat, the first and the last stay
and the others become one MERGED record; then the oldest segment, which is a HIGH technical alarm (`events_lost`).
Kept blocks keep their bytes. A merge is durable before what it stands for is dropped. At most two segments go per
block written, so that a budget made smaller does not stall the wearable.
"""

import os

from crs_core import block, records
from crs_core.errors import RemoteError
from crs_device.journal import segment

SEAL_READINGS = segment.SEGMENT_MAX
SEAL_EVENTS = 4096
DROPS_MAX = 2
# Repeats: type -> how many payload bytes must agree (FAULT subsystem and code, SAMPLE_GAP sensor and reason).
_REPEATS = {records.FAULT: 2, records.SAMPLE_GAP: 2, records.HEALTH: 0, records.GRADER_STATE: 1}


def _repeat_key(data: bytes, journal_id: bytes):  # type: ignore[no-untyped-def]
    """(boot, type, leading bytes) when the block is one single repeatable event, else None."""
    try:
        header, events = block.decode_events(data, journal_id)
    except RemoteError:
        return None
    if len(events) != 1:
        return None
    event = events[0]
    if event.type not in _REPEATS:
        return None
    return header.boot, event.type, event.payload[: _REPEATS[event.type]]


def plan(data: bytes, journal_id: bytes):  # type: ignore[no-untyped-def]
    """(bytes to keep, [Merged]) for the content of event segments; damaged runs are kept as they are."""
    groups: dict[
        tuple[int, int, bytes], list[tuple[int, int, block.Header]]
    ] = {}  # key -> [(offset, length, header)]
    for offset, length, header in segment.walk(data, journal_id):
        if header is not None:
            key = _repeat_key(data[offset : offset + length], journal_id)
            if key is not None:
                groups.setdefault(key, []).append((offset, length, header))
    gone = []
    merged = []
    for key in sorted(groups):
        middle = groups[key][1:-1]
        if middle:
            gone += [(offset, length) for offset, length, _ in middle]
            first, last = middle[0][2], middle[-1][2]
            merged.append(
                records.Merged(
                    key[1], len(middle), first.first_seq, last.first_seq, first.start_ms, last.start_ms
                )
            )
    gone.sort()
    kept = bytearray()
    at = 0
    for offset, length in gone:
        kept.extend(data[at:offset])
        at = offset + length
    kept.extend(data[at:])
    return kept, merged


def make_room(chain, need: int, quota: int) -> int:  # type: ignore[no-untyped-def]
    """Drop oldest segments until `need` more bytes fit; returns how many segments went."""
    dropped = 0
    while dropped < DROPS_MAX and chain.used + need > quota and len(chain.segments) > 1:
        chain.drop(0)
        dropped += 1
    return dropped


def drop_acked_events(chain, need: int, quota: int, acked: int) -> int:  # type: ignore[no-untyped-def]
    """Drop segments whose every record is acknowledged, oldest first; returns how many went."""
    dropped = 0
    while dropped < DROPS_MAX and chain.used + need > quota and chain.bound(0) <= acked:
        chain.drop(0)
        dropped += 1
    return dropped


def merge_pair(chain, index: int, write_merged) -> bool:  # type: ignore[no-untyped-def]
    """Merge repeats of segments index and index + 1 into one file; False when the rest does not fit into one.

    `write_merged([Merged])` makes the counted events durable; it is called before anything is replaced. A cut between
    the replacement and the removal leaves blocks twice with equal bytes, which readers do not notice.
    """
    first, second = chain.segments[index][0], chain.segments[index + 1][0]
    data = segment.read(chain.file(first)) + segment.read(chain.file(second))
    kept, merged = plan(data, chain.journal_id)
    if len(kept) > SEAL_EVENTS:
        return False
    if merged:
        write_merged(merged)
    new = chain.file(first) + ".new"
    with open(new, "wb") as f:
        f.write(kept)
    os.rename(new, chain.file(first))
    chain.replaced(index, len(kept))
    chain.drop(index + 1)
    return True
