"""Whatever stands in a BLOCK message: items or counts, never an exception, and only what its CRC vouches for."""

from types import SimpleNamespace

from crs_core import units
from crs_core.journal import block_writer
from hypothesis import given
from hypothesis import strategies as st

from host_agent.store.events import decode_event
from host_agent.sync.device_text import DeviceText
from host_agent.sync.intake import unpack

JOURNAL = b"journal1"
GOOD = block_writer.encode_readings(
    JOURNAL, 1, 1, [units.Reading(10_000 * i, 3700 + i, 970, 80, 150, 1) for i in range(12)]
) + block_writer.encode_events(JOURNAL, 1, 13, [(130_000, 7, b"\x02"), (130_500, 200, b"later")])


def test_whole_blocks_come_out_decoded() -> None:
    items = unpack(SimpleNamespace(data=GOOD), JOURNAL, {})
    assert [(item.header.first_seq, len(item.content)) for item in items] == [(1, 12), (13, 2)]
    assert b"".join(item.raw for item in items) == GOOD


@given(st.binary(max_size=400))
def test_random_bytes_never_raise(data) -> None:
    assert unpack(SimpleNamespace(data=data), JOURNAL, {}) == []


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_taken(at, flip) -> None:
    counters: dict[str, int] = {}
    spoiled = GOOD[:at] + bytes([GOOD[at] ^ flip]) + GOOD[at + 1 :]
    items = unpack(SimpleNamespace(data=spoiled), JOURNAL, counters)
    assert all(item.raw in GOOD for item in items) and len(items) < 2 and counters


@given(st.binary(min_size=1, max_size=80), st.integers(0, 15), st.integers(0, 15), st.integers(0, 15))
def test_a_block_with_a_good_crc_is_always_kept_whatever_is_in_it(body, kind, codec, flags) -> None:
    raw = block_writer.seal(JOURNAL, kind, codec, flags, 3, 1, 7, 5, body)
    (item,) = unpack(SimpleNamespace(data=raw), JOURNAL, {})
    assert item.raw == raw


@given(st.integers(0, 255), st.binary(max_size=120))
def test_any_payload_decodes_or_is_not_understood(kind, payload) -> None:
    decode_event(kind, payload)


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_text_of_a_port_is_printable_and_bounded_in_the_log(pieces) -> None:
    lines: list[str] = []
    text = DeviceText(lines.append)
    for piece in pieces:
        text.feed(piece)
    for line in lines:
        assert line.isprintable() and line.isascii() and len(line) <= 200
