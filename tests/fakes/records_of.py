"""Pull what a wearable journaled, as a test wants it: numbered and decoded."""

from typing import Any

from crs_core import block, records
from crs_core.wire import message as wire

from tools.rig.serial_host import Host


def pull(
    host: Host, want_events: int = 0, timeout_s: float = 10, first: int = 1
) -> tuple[list[Any], list[Any]]:
    """Read from `first` until caught up and `want_events` events are there; ((seq, Event)…, (seq, Reading)…)."""
    host.send(wire.ReadFrom(first, 64, 2048))
    events: dict[int, Any] = {}
    readings: dict[int, Any] = {}
    caught_up = False
    while not caught_up or len(events) < want_events:
        message = host.take((wire.Block, wire.CaughtUp), timeout_s)
        if isinstance(message, wire.CaughtUp):
            caught_up = True
            continue
        for piece in block.split(message.data):
            header, rows = block.decode(piece, host.session.peer.journal_id)
            assert header.flags == block.FLAG_SIMULATED
            found = events if header.kind == block.KIND_EVENTS else readings
            for i, row in enumerate(rows or []):
                found[header.first_seq + i] = row
    return sorted(events.items()), sorted(readings.items())


def of_type(events: list[Any], kind: int) -> list[Any]:
    """Decoded payloads of one type, in order."""
    return [records.decode(kind, event.payload) for _, event in events if event.type == kind]
