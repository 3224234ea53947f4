"""What is taken out of two neighbouring event segments to make room: by class, alarms and grades last.

Loaded when it is first needed; on most wearables never. event_room.py decides when.

Level 0: of blocks that hold one and the same kind of repeat, the first and the last stay. Level 1: besides, what a host
made the wearable journal. Level 2: besides, what the wearable says of itself. Level 3: of alarms with the same changes,
of grades that say the same, and of starts, the first and the last stay; so each alarm's last change and the last grade
always do. All that goes is counted in MERGED records. BINDING stays, and so do the time marks and a type unknown here.
"""

import os

from crs_core.journal import block_layout, record_layout, record_types, varint
from crs_device.journal import segment

# type: which payload bytes must agree in repeats (a mark's key; subsystem and code of a fault; and so on)
_REPEATS = {
    record_layout.FAULT: (0, 2),
    record_layout.SAMPLE_GAP: (0, 2),
    record_layout.HEALTH: (0, 0),
    record_layout.GRADER_STATE: (0, 1),
    record_layout.TIME_MARK: (12, 16),
    record_layout.ACCEPTED: (0, 6),
    record_layout.PAUSE: (0, 2),
    record_layout.MAINTENANCE: (0, 2),
}
_BY_HOSTS = (
    record_layout.CONTEXT,
    record_layout.SETTINGS,
    record_layout.CALIBRATION,
    record_layout.ACCEPTED,
    record_layout.PAUSE,
    record_layout.MAINTENANCE,
)
_OF_ITSELF = (
    record_layout.GRADER_STATE,
    record_layout.FAULT,
    record_layout.SAMPLE_GAP,
    record_layout.HEALTH,
    record_layout.BUTTON,
)
_GO_LAST = (record_layout.ALARM, record_layout.GRADE, record_layout.BOOT)
_LAST = 3  # the level that merges them
_WORTH_BYTES = 256  # less is not worth writing two segments anew, unless that frees one


def _records(data: bytes, offset: int, header: block_layout.Header) -> list[tuple[int, bytes]]:
    """(type, payload) of each event of the valid block at `offset`; none for a block that is not understood."""
    if header.kind != block_layout.KIND_EVENTS or header.codec != block_layout.CODEC_TLV:
        return []
    if header.flags & ~block_layout.FLAG_SIMULATED:
        return []
    found = []
    at = offset + block_layout.HEADER_LEN
    for _ in range(header.count):
        kind = data[at]
        length, at = varint.get(data, at + 1)
        _, at = varint.get(data, at)
        found.append((kind, data[at : at + length]))
        at += length
    return found


def _said(kind: int, payload: bytes) -> bytes:
    """What an ALARM or GRADE says, without the rule hash, the values and the states; nothing for a BOOT."""
    if kind == record_layout.BOOT:
        return b""
    if kind == record_layout.ALARM:
        return bytes(payload[8 : 9 + 2 * payload[8]])
    reasons_end = 16 + payload[15]
    return bytes(payload[11 : reasons_end + 1 + payload[reasons_end]])


def _goes(kinds: list[int], level: int) -> bool:
    """Whether a block of these types is of a class that `level` takes out. A state goes with the entry before it."""
    if level == 0 or not kinds:
        return False
    taken = _BY_HOSTS + _OF_ITSELF if level > 1 or kinds[0] in _BY_HOSTS else ()
    return all([kind in taken for kind in kinds])


class _Survey:
    """What of a pair of segments goes. `gone`: spans of each; `merged`: the records that stand for them; `lost`: events
    that no custodian acknowledged, repeats left out."""

    def __init__(self, acked_seq: int) -> None:
        self.gone: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        self.gone_bytes = 0
        self.thinned = self.lost = 0
        self._acked_seq = acked_seq
        self._repeats: dict[tuple[int, int, bytes], list[tuple[int, ...]]] = {}
        # type -> what goes of it, whatever the boot: else a wearable that starts again and again fills with counts
        self._sums: dict[int, record_types.Merged] = {}
        self._earlier: dict[int, list] = {}  # type: ignore[type-arg]  # MERGED blocks

    def look(self, which: int, data: bytes, journal_id: bytes, level: int) -> None:
        """Take note of every block of one segment."""
        for offset, length, header in segment.walk(data, journal_id):
            records = [] if header is None else _records(data, offset, header)
            if not records:
                continue
            kind, payload = records[0]
            span = (which, offset, length, header.first_seq, header.start_ms, header.count)
            kinds = [record[0] for record in records]
            if _goes(kinds, level):
                self._take(span, kind)
                last_seq = header.first_seq + header.count - 1
                self.lost += header.count if last_seq > self._acked_seq else 0
            elif header.count == 1 and kind in _REPEATS:
                begin, end = _REPEATS[kind]
                self._repeats.setdefault((header.boot, kind, bytes(payload[begin:end])), []).append(span)
            elif level == _LAST and kind in _GO_LAST and all([one in _OF_ITSELF for one in kinds[1:]]):
                self._repeats.setdefault((0, kind, _said(kind, payload)), []).append(span)
            elif header.count == 1 and kind == record_layout.MERGED:
                said = record_types.Merged(*_merged_of(payload))
                self._earlier.setdefault(said.type, []).append((span, said))

    def settle(self) -> list:  # type: ignore[type-arg]
        """Decide about repeats; returns the MERGED records to write before anything is replaced."""
        for which in sorted(self._repeats):
            for span in self._repeats[which][1:-1]:
                self._take(span, which[1])
        for kind, earlier in self._earlier.items():
            if len(earlier) > 1 or kind in self._sums:
                for span, said in earlier:
                    self._remove(span)
                    self._add(said)
        return [self._sums[kind] for kind in sorted(self._sums)]

    def _take(self, span, kind: int) -> None:  # type: ignore[no-untyped-def]
        _, _, _, first_seq, t_ms, count = span
        self._remove(span)
        self.thinned += count
        self._add(record_types.Merged(kind, count, first_seq, first_seq + count - 1, t_ms, t_ms))

    def _remove(self, span) -> None:  # type: ignore[no-untyped-def]
        which, offset, length, _, _, _ = span
        self.gone[which].append((offset, length))
        self.gone_bytes += length

    def _add(self, more) -> None:  # type: ignore[no-untyped-def]
        before = self._sums.get(more.type)
        if before is not None:
            more = record_types.Merged(
                more.type, before.count + more.count,
                min(before.first_seq, more.first_seq), max(before.last_seq, more.last_seq),
                min(before.first_ms, more.first_ms), max(before.last_ms, more.last_ms),
            )  # fmt: skip
        self._sums[more.type] = more


def _merged_of(payload: bytes) -> tuple[int, ...]:
    """The fields of a MERGED record, without the module that decodes records, to save heap."""
    number = int.from_bytes
    return (
        payload[0], number(payload[1:5], "little"), number(payload[5:9], "little"),
        number(payload[9:13], "little"), number(payload[13:19], "little"), number(payload[19:25], "little"),
    )  # fmt: skip


def _stays(data: bytes, gone: list[tuple[int, int]], journal_id: bytes) -> list[tuple[int, int, int]]:
    """(begin, end, first sequence) of each block that stays of a segment; sequence 0 for a damaged run."""
    return [
        (offset, offset + length, 0 if header is None else header.first_seq)
        for offset, length, header in segment.walk(data, journal_id)
        if (offset, length) not in gone
    ]


def _cut(stays: list[tuple[int, int, int]], room: int) -> int:
    """How many of these blocks move to the segment before, which has `room`; what is left begins with a whole block."""
    cut = size = 0
    for i in range(len(stays)):
        if stays[i][2] and size <= room:
            cut = i
        size += stays[i][1] - stays[i][0]
    return len(stays) if size <= room else cut


def _replace(chain, index: int, first_seq: int, pieces) -> None:  # type: ignore[no-untyped-def]
    """Write segment `index` anew, to begin with `first_seq`, from [(data, [(begin, end, ...)])] in order."""
    size = 0
    name = chain.file(first_seq)
    with open(name + ".new", "wb") as f:
        for data, spans in pieces:
            view = memoryview(data)
            for span in spans:
                size += f.write(view[span[0] : span[1]])
    os.rename(name + ".new", name)
    chain.replaced(index, first_seq, size)


def thin_pair(chain, index: int, level: int, acked_seq: int, write_merged) -> tuple[int, int, int]:  # type: ignore[no-untyped-def]
    """Thin segments index and index + 1; (the segment to go on with, segments freed, events lost unacknowledged).

    What stays moves to the front. `write_merged(records, count)` makes the MERGED records durable; it is called before
    anything is replaced. A cut between the steps leaves blocks twice with equal bytes, which readers do not notice.
    Damaged runs stay as they are. OSError: flash refused.
    """
    pair = (chain.segments[index][0], chain.segments[index + 1][0])
    survey = _Survey(acked_seq)
    before = chain.segments[index][1] + chain.segments[index + 1][1]
    for which in (0, 1):
        survey.look(which, segment.read(chain.file(pair[which])), chain.journal_id, level)
    merged = survey.settle()
    fits = before - survey.gone_bytes <= chain.seal_at
    if not fits and survey.gone_bytes < _WORTH_BYTES:
        return pair[1], 0, 0
    if merged:
        write_merged(merged, survey.thinned)
    first = segment.read(chain.file(pair[0]))
    stays_of_first = _stays(first, survey.gone[0], chain.journal_id)
    size = sum([end - begin for begin, end, _ in stays_of_first])
    second = segment.read(chain.file(pair[1]))
    stays = _stays(second, survey.gone[1], chain.journal_id)
    cut = len(stays) if fits else _cut(stays, chain.seal_at - size)
    _replace(chain, index, pair[0], ((first, stays_of_first), (second, stays[:cut])))
    if fits:
        chain.drop(index + 1)
        return pair[0], 1, survey.lost
    _replace(chain, index + 1, stays[cut][2] or pair[1], ((second, stays[cut:]),))
    return chain.segments[index + 1][0], 0, survey.lost
