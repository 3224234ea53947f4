"""Turns BLOCK and GAP messages into items for the store: split, check, decode. Bad bytes are counted, never raised."""

from typing import Any

from crs_core.errors import RemoteError
from crs_core.journal import block_layout, block_reader, record_bounds
from crs_core.wire import message as wire

from host_agent.store.insertion import IncomingBlock, IncomingGap


def unpack(message: Any, journal_id: bytes, counters: dict[str, int]) -> list[IncomingBlock | IncomingGap]:
    """The items of one BLOCK or GAP message. A block of another journal, or a torn one, is left out and counted."""
    if isinstance(message, wire.Gap):
        if 1 <= message.first_seq <= message.last_seq:
            return [IncomingGap(message.first_seq, message.last_seq, message.reason)]
        _count(counters, "gap_malformed")
        return []
    items: list[IncomingBlock | IncomingGap] = []
    try:
        pieces = block_reader.split(message.data)
    except RemoteError:
        _count(counters, "block_malformed")
        return []
    for raw in pieces:
        try:
            header, content = block_reader.decode(raw, journal_id)
            if content:
                record_bounds.check_block(header, content, header.kind == block_layout.KIND_READINGS)
        except RemoteError:
            if not block_layout.verify(raw, journal_id):
                _count(counters, "block_bad_crc")
                continue
            # the CRC holds, so the wearable wrote these bytes: keep them for a later version of this program
            _count(counters, "block_undecodable")
            items.append(IncomingBlock(block_layout.parse_header(raw), raw, None, is_refused=True))
            continue
        items.append(IncomingBlock(header, raw, content))
    return items


def _count(counters: dict[str, int], name: str) -> None:
    counters[name] = counters.get(name, 0) + 1
