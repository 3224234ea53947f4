"""What a start finds on flash: the head of the journal, its last states, and when the last boot ended.

Part of the class Journal, in a module of its own because a wearable unloads it after the start.
"""

import struct

from crs_core import codes
from crs_core.errors import RemoteError
from crs_core.journal import block_layout, block_reader, record_layout, record_reader, record_writer
from crs_device.journal import handover, header, segment, space
from crs_device.journal.chain import Chain
from crs_device.two_slot import TwoSlot

STATE_SEGMENTS = 8  # every BOOT carries the states, so they are near the end; more would delay the start


def open_journal(journal) -> None:  # type: ignore[no-untyped-def]
    """Does the work of Journal.open."""
    root = journal.root
    handover.resume(root)
    found = header.read(root)
    if found is None:
        there = header.exists(root)
        raise header.JournalMissing("journal header unreadable, all kept as it is" if there else "no journal")
    journal.journal_id, journal.binding_id = found
    journal._readings = []
    journal._r = readings = Chain(root + "/r", journal.journal_id, space.SEAL_READINGS)
    journal._e = events = Chain(root + "/e", journal.journal_id, space.SEAL_EVENTS)
    readings.load()
    events.load()
    r_last, r_first, r_found, r_doubt = readings.resume()
    e_last, e_first, e_found, e_doubt = events.resume()
    journal.acked_seq, journal._reserved, journal.thinned_seq = header.read_mark(root)
    head = journal.head_seq = max(r_last, e_last)
    journal._next = head + 1
    if r_doubt or e_doubt or journal.acked_seq > head:
        journal.counters["doubtful_tails"] += 1
        # Without a mark, so with two faults at once: a damaged segment held at most one number per byte.
        bound = journal._reserved or head + 2 * space.SEAL_READINGS
        journal._next = max(bound, head) + 1
        detail = "numbers skipped to %d" % journal._next
        note = record_writer.write(
            record_layout.FAULT, codes.SUBSYSTEM_JOURNAL, codes.FAULT_UNREADABLE, 1, detail
        )
        journal._notes.append(note)
    _settle_budget(journal)
    journal.last_boot, t_ms = max(last_time(readings, r_first, r_found), last_time(events, e_first, e_found))
    journal.last_ms = t_ms if t_ms >= 0 else None
    journal.boot = max(journal.boot, journal.last_boot + 1)
    journal._states = last_states(events)
    journal._wiping = True
    journal.fault = False


def _settle_budget(journal) -> None:  # type: ignore[no-untyped-def]
    """A budget below the one before counts only where what waits for the custodian leaves three quarters of the room
    of events free and fits that of readings; else the one before still counts, until a later start."""
    found = TwoSlot(journal.root + "/budget").load()
    before = struct.unpack("<I", found)[0] if found is not None and len(found) == 4 else 0
    budget = journal.budget_bytes
    if budget < before and journal.acked_seq < journal.head_seq:
        if _waiting(journal._e, journal) > budget // 16 or _waiting(journal._r, journal) > budget // 4 * 3:
            budget = before
    journal.budget_bytes = budget
    try:
        if budget != before:
            header.store_budget(journal.root, budget)
    except OSError:
        journal.counters["flash_faults"] += 1


def _waiting(chain, journal) -> int:  # type: ignore[no-untyped-def]
    """Bytes of the segments that hold a record which the custodian did not acknowledge."""
    return sum([size for i, (_, size) in enumerate(chain.segments) if chain.bound(i) > journal.acked_seq])


def last_time(chain, first: int, found) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    """(boot, ms) of the newest record; `found` is (offset, header) of its block in segment `first`; None: (0, -1)."""
    if found is None:
        return 0, -1
    offset, header = found
    t_ms = header.start_ms
    try:
        data = segment.read_block(chain.file(first), offset, chain.journal_id)
        rows = block_reader.decode(data[1], chain.journal_id)[1] if data is not None else None
        if rows:
            t_ms = rows[-1].t_ms
    except (OSError, RemoteError):
        pass  # an unknown codec or a bad read: the start time of the block is a lower bound
    return header.boot, t_ms


def last_states(chain) -> tuple[bytes, bytes] | None:  # type: ignore[no-untyped-def]
    """(alarm_state, grader_state) as last journaled, newest first; None when never.

    BOOT and GRADER_STATE carry both, GRADE the grader's alone. An ALARM carries only the state before it, so the
    application appends a GRADER_STATE with it in one block.
    """
    grader = None
    for first, _ in reversed(chain.segments[-STATE_SEGMENTS:]):
        try:
            data = segment.read(chain.file(first))
        except OSError:
            continue
        starts = [at for at, _, header in segment.walk(data, chain.journal_id) if header is not None]
        for at in reversed(starts):
            for event in reversed(
                _events(data[at : at + block_layout.block_len(data, at)], chain.journal_id)
            ):
                try:
                    record = record_reader.decode(event.type, event.payload)
                except RemoteError:
                    continue
                if event.type == record_layout.GRADE and grader is None:
                    grader = record.state_after
                elif event.type in (record_layout.BOOT, record_layout.GRADER_STATE):
                    return record.alarm_state, record.grader_state if grader is None else grader
    return None if grader is None else (b"", grader)


def _events(data: bytes, journal_id: bytes) -> list[block_layout.Event]:
    try:
        return block_reader.decode_events(data, journal_id)[1]
    except RemoteError:
        return []
