"""Blocks, both codecs of readings and event payloads: what encoders refuse, and what a block can hold."""

import pytest
from crs_core.errors import LocalError, RemoteError
from crs_core.journal import (
    block_layout,
    block_reader,
    block_writer,
    codec2_reader,
    codec2_writer,
    record_layout,
    record_reader,
    record_types,
    record_writer,
    varint,
)
from crs_core.units import Reading, make_status

from tools.rig import codec1_writer

JOURNAL = b"\x01" * 8
WORN = make_status(1, 0, 0, 1)


def reading(t_ms: int = 1000, temp: int | None = 3700, **over) -> Reading:
    return Reading(t_ms, temp, 970, 80, 150, WORN)._replace(**over)


@pytest.mark.parametrize(
    "wrong",
    [
        reading(temp=-1), reading(temp=65535), reading(spo2_tenths=-1), reading(hr_bpm=65535),
        reading(pi_hundredths=-5), reading(status=65536), reading(status=-1),
        reading(t_ms=-1), reading(t_ms=1 << 48),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_the_callers_fault(wrong):
    for readings in ([wrong], [reading(), wrong]):
        with pytest.raises(LocalError):
            block_writer.encode_readings(JOURNAL, 1, 1, readings)


def test_encoders_refuse_what_no_block_can_hold():
    for call in (
        lambda: block_writer.encode_readings(JOURNAL, 1, 1, []),
        lambda: block_writer.encode_readings(JOURNAL, 1, 1, [reading()] * 256),
        lambda: block_writer.encode_readings(JOURNAL, 1, 0, [reading()]),
        lambda: block_writer.encode_readings(JOURNAL, 1, 0xFFFFFFFF, [reading()] * 2),
        lambda: block_writer.encode_readings(JOURNAL[:7], 1, 1, [reading()]),
        lambda: block_writer.encode_readings(JOURNAL, -1, 1, [reading()]),
        lambda: block_writer.encode_readings(JOURNAL, 1, 1, [reading()], 16),
        lambda: block_writer.encode_events(JOURNAL, 1, 1, []),
        lambda: block_writer.encode_events(JOURNAL, 1, 1, [(5, 256, b"")]),
        lambda: block_writer.encode_events(JOURNAL, 1, 1, [(5, 7, b""), (4, 7, b"")]),
        lambda: block_writer.encode_events(JOURNAL, 1, 1, [(5, 14, bytes(4080))]),
        lambda: codec2_writer.encode([reading()], 999),
        lambda: codec2_writer.encode([], 999),
        lambda: varint.put(bytearray(), -1),
        lambda: varint.put(bytearray(), 1 << 56),
        lambda: record_writer.write(record_layout.BUTTON, 256),
        lambda: record_writer.write(record_layout.BUTTON, 1, 2),
        lambda: record_writer.write(record_layout.GRADE, 1, 1, b"short", None, 4, 1, 1, (), (), 1, 1, b""),
        lambda: record_writer.write(record_layout.GRADE, 1, 1, b"rulehash", 255, 4, 1, 1, (), (), 1, 1, b""),
        lambda: record_writer.write(record_layout.ACCEPTED, 1, 1, 1, "w" * 33),
        lambda: record_types.encode(reading()),
    ):
        with pytest.raises(LocalError):
            call()


def test_the_largest_event_fits_one_message():
    payload = bytes(block_layout.BLOCK_MAX - block_layout.OVERHEAD - 4)
    data = block_writer.encode_events(JOURNAL, 1, 1, [(5, record_layout.CONTEXT, payload)])
    assert len(data) == block_layout.BLOCK_MAX
    assert block_reader.decode(data, JOURNAL)[1][0].payload == payload


def test_any_single_flipped_bit_is_refused():
    data = block_writer.encode_readings(
        JOURNAL, 3, 41, [reading(1000 + i * 10_000, 3700 + i) for i in range(12)]
    )
    for at in range(len(data)):
        for bit in range(8):
            bad = bytearray(data)
            bad[at] ^= 1 << bit
            assert not block_layout.verify(bytes(bad), JOURNAL)
            with pytest.raises(RemoteError):
                block_reader.decode(bytes(bad), JOURNAL)


def test_a_gap_costs_nothing_while_it_lasts():
    lost = reading(temp=None, spo2_tenths=None, hr_bpm=None, pi_hundredths=None)
    short, long = (
        [reading()] + [lost._replace(t_ms=1000 + 10_000 * (i + 1)) for i in range(n)] for n in (1, 31)
    )
    assert len(codec1_writer.encode(long, 1000)) - len(codec1_writer.encode(short, 1000)) == 30
    assert codec2_writer.encode(long, 1000) == codec2_writer.encode(short, 1000)


def test_a_usual_block_spends_two_bits_on_times_and_states():
    readings = [reading(60_000 + 10_000 * i) for i in range(12)]
    # the last to fill up
    bits = "1" + "1" + "1111" * 4 + "1000000" + "100000" + "100000" + "1000000" + "0000"
    assert codec2_writer.encode(readings, 60_000) == int(bits, 2).to_bytes(6, "big")


@pytest.mark.parametrize("last", [971, 1500, 65534, 0])
def test_one_jump_in_a_still_column(last):
    """The quotient of the one difference is then far above what waits in a word."""
    readings = [reading(10_000 * i) for i in range(255)]
    for at in (1, 128, 254):
        jumped = readings[:at] + [row._replace(spo2_tenths=last) for row in readings[at:]]
        assert codec2_reader.decode(codec2_writer.encode(jumped, 0), 255, 0) == jumped


def test_255_readings_of_the_widest_values_fit_a_block():
    readings = [reading(i * 10_000, i % 2 * 65534, spo2_tenths=0, hr_bpm=i % 3 * 30_000) for i in range(255)]
    assert block_reader.decode(block_writer.encode_readings(JOURNAL, 1, 1, readings), JOURNAL)[1] == readings


def test_an_unknown_event_type_is_kept_raw():
    data = block_writer.encode_events(JOURNAL, 1, 1, [(5, 99, b"later")])
    event = block_reader.decode(data, JOURNAL)[1][0]
    assert event == block_layout.Event(5, 99, b"later")
    assert record_reader.decode(event.type, event.payload) is None
