"""Repeats of one kind become one MERGED record when the events' quarter is full; see space.py for the order.

Loaded when it is first needed; on most wearables never.
"""

import os

from crs_core.journal import block_layout, record_layout, record_types, varint
from crs_device.journal import segment, space

# Repeats: type -> how many payload bytes must agree (FAULT subsystem and code, SAMPLE_GAP sensor and reason).
_REPEATS = {
    record_layout.FAULT: 2,
    record_layout.SAMPLE_GAP: 2,
    record_layout.HEALTH: 0,
    record_layout.GRADER_STATE: 1,
}


def _repeat_key(data: bytes, offset: int, header: block_layout.Header):  # type: ignore[no-untyped-def]
    """(boot, type, leading bytes) when the valid block at `offset` is one single repeatable event, else None."""
    kind = data[offset + block_layout.HEADER_LEN]
    if header.count != 1 or header.kind != block_layout.KIND_EVENTS or header.codec != block_layout.CODEC_TLV:
        return None
    if header.flags & ~block_layout.FLAG_SIMULATED or kind not in _REPEATS:
        return None
    length, at = varint.get(data, offset + block_layout.HEADER_LEN + 1)
    _, at = varint.get(data, at)
    return header.boot, kind, data[at : at + min(length, _REPEATS[kind])]


def survey(chain, pair: tuple[int, int]):  # type: ignore[no-untyped-def]
    """(bytes that stay, spans that go per segment, [Merged]) for two segments; only one is in RAM at a time.

    Damaged runs stay as they are.
    """
    groups: dict[tuple[int, int, bytes], list[tuple[int, int, int, int, int]]] = {}
    stay = 0
    for which in (0, 1):
        data = segment.read(chain.file(pair[which]))
        stay += len(data)
        for offset, length, header in segment.walk(data, chain.journal_id):
            if header is not None:
                key = _repeat_key(data, offset, header)
                if key is not None:
                    entry = (which, offset, length, header.first_seq, header.start_ms)
                    groups.setdefault(key, []).append(entry)
    gone: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    merged = []
    for key in sorted(groups):
        middle = groups[key][1:-1]
        if middle:
            for which, offset, length, _, _ in middle:
                gone[which].append((offset, length))
                stay -= length
            first, last = middle[0], middle[-1]
            merged.append(record_types.Merged(key[1], len(middle), first[3], last[3], first[4], last[4]))
    return stay, gone, merged


def _write_rest(file, data: bytes, gone: list[tuple[int, int]]) -> None:  # type: ignore[no-untyped-def]
    view = memoryview(data)
    at = 0
    for offset, length in sorted(gone):
        file.write(view[at:offset])
        at = offset + length
    file.write(view[at:])


def merge_pair(chain, index: int, write_merged) -> bool:  # type: ignore[no-untyped-def]
    """Merge repeats of segments index and index + 1 into one file; False when the rest does not fit into one.

    `write_merged([Merged])` makes the counted events durable; it is called before anything is replaced. A cut between
    the replacement and the removal leaves blocks twice with equal bytes, which readers do not notice.
    """
    pair = (chain.segments[index][0], chain.segments[index + 1][0])
    stay, gone, merged = survey(chain, pair)
    if stay > space.SEAL_EVENTS:
        return False
    if merged:
        write_merged(merged)
    new = chain.file(pair[0]) + ".new"
    with open(new, "wb") as f:
        for which in (0, 1):
            _write_rest(f, segment.read(chain.file(pair[which])), gone[which])
    os.rename(new, chain.file(pair[0]))
    chain.replaced(index, stay)
    chain.drop(index + 1)
    return True
