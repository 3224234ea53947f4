"""What of the events goes when their quarter of the budget fills, in which order, and how it is reported.

Loaded when it is first needed; on most wearables never. Of the events go

1. segments whose every record is acknowledged;
2. repeats (thinning.py, level 0);
3. what hosts made the wearable journal (level 1): entries, settings, acceptances, pauses;
4. what the wearable says of itself (level 2): states, faults, gaps of samples, counters, presses;
5. alarms and grades that say the same as others, and starts, but the first and the last of them (level 3);
6. the oldest segment. By then only alarms, grades, bindings and the marks that date them are left.

What goes unacknowledged by 3, 4 and 6 is a HIGH technical alarm (`events_lost`).
Kept blocks keep their bytes, and a merge
is durable before what it stands for is dropped. Levels begin before the quarter is full, one pair of segments a
second. A write looks at a few pairs and drops two segments at most, so that a smaller budget does not stall the
wearable.
"""

from crs_core import codes
from crs_core.journal import record_layout, record_writer
from crs_device.journal import header, space, thinning

_PAIRS_A_WRITE = 3
_NOTES_MAX = 4
# sixteenths of the quarter from which levels 0 to 2 thin ahead
_BEGINS_AT = (12, 14, 15)
_LAST = (3,)  # the level that waits until an alarm would go


def _drop_acked_events(chain, need: int, quota: int, acked: int) -> int:  # type: ignore[no-untyped-def]
    dropped = 0
    while dropped < space.DROPS_MAX and chain.used + need > quota and chain.bound(0) <= acked:
        chain.drop(0)
        dropped += 1
    return dropped


def make_room(journal, chain, size: int) -> None:  # type: ignore[no-untyped-def]
    """Make room for a block of `size` bytes in the chain of events. OSError: flash refused."""
    need = chain.growth(size)
    quota = journal.budget_bytes // 4
    dropped = _drop_acked_events(chain, need, quota, journal.acked_seq)
    journal.counters["events_segments_dropped"] += dropped
    if chain.used + need > quota and chain.bound(0) <= journal.acked_seq:
        return  # the budget was made smaller: the next writes drop the rest of what is acknowledged
    most = quota
    for levels in (range(len(_BEGINS_AT)), _LAST):
        for _ in range(_PAIRS_A_WRITE):
            if chain.used + need <= most or not _thin(journal, chain, levels):
                break
            need = chain.growth(size)  # a MERGED record may have begun the segment this block goes to
        else:
            # There is more to thin: no alarm goes for that, and the next write continues.
            most = quota + quota // 8
    lost = space.drop_oldest(chain, need, most)
    if lost:
        _say_lost(journal, lost, "event segments dropped unacknowledged")


def _say_lost(journal, lost: int, detail: str) -> None:  # type: ignore[no-untyped-def]
    journal.counters["events_lost"] += lost
    if len(journal._notes) < _NOTES_MAX:
        journal._notes.append(
            record_writer.write(
                record_layout.FAULT, codes.SUBSYSTEM_JOURNAL, codes.FAULT_MISSING, lost, detail
            )
        )


def thin_ahead(journal, chain) -> None:  # type: ignore[no-untyped-def]
    """Thin one pair of segments when that is due: not while there are acknowledged ones to give."""
    sixteenth = journal.budget_bytes // 64
    due = len([begins for begins in _BEGINS_AT if chain.used > sixteenth * begins])
    if due and chain.bound(0) > journal.acked_seq:
        _thin(journal, chain, range(due))


def _thin(journal, chain, levels) -> bool:  # type: ignore[no-untyped-def]
    """Thin the next pair of full event segments at the first of `levels` that has not seen it: at most two files read.
    False: all of them have seen all there is."""
    segments = chain.segments
    for level in levels:
        index = 0
        while index < len(segments) and segments[index][0] < journal.thinned_from[level]:
            index += 1
        if index + 2 < len(segments):  # the newest is being written
            break
    else:
        return False
    following = segments[index + 1][0]
    journal.is_thinning = True
    try:
        following, _, lost = thinning.thin_pair(
            chain,
            index,
            level,
            journal.acked_seq,
            lambda merged, count: _write_merged(journal, merged, count),
        )
        if lost:
            _say_lost(journal, lost, "events dropped unacknowledged")
    except (OSError, MemoryError):
        journal.counters["flash_faults"] += 1
    finally:
        journal.is_thinning = False
    journal.thinned_from[level] = following
    return True


def _write_merged(journal, merged: list, count: int) -> None:  # type: ignore[no-untyped-def,type-arg]
    """Journal what stands for `count` events that go, each in a block of its own, which can be merged again; and mark
    how far single numbers may be missing. OSError: flash refused."""
    for one in merged:
        payload = record_writer.write(record_layout.MERGED, *one)
        journal._put_events([(journal._t_ms, record_layout.MERGED, payload)])
    journal.counters["events_merged"] += count
    thinned = max([one.last_seq for one in merged])
    if thinned > journal.thinned_seq:
        header.store_mark(journal.root, journal.acked_seq, journal._reserved, thinned)
        journal.thinned_seq = thinned
