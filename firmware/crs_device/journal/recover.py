"""What a start finds in the newest event segments: the last grader and alarm state, and when the last boot ended."""

from crs_core.journal import block_layout, block_reader, record_layout, record_reader
from crs_core.errors import RemoteError
from crs_device.journal import segment


STATE_SEGMENTS = 8  # every BOOT carries the states, so they are near the end; more would delay the start


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
